/** What a training sample says about itself, and the checks that it says it consistently. */

import { isSampleKey } from './format.ts';
import type { Fail, Fields } from './fields.ts';

/** The video that a sample was cut from. */
export interface SampleSource {
  /** Path relative to the root of the source. */
  readonly path: string;
  /** Pixels as displayed, after rotation. */
  readonly width: number;
  readonly height: number;
  /** Frames per second, 0 if unknown. */
  readonly fps: number;
  /** Number of decoded frames, null if the video was not decoded to its end. */
  readonly frames: number | null;
  readonly seconds: number;
}

/** Everything in a sample but its pixels. */
export interface SampleMeta {
  /** Format version, 1. */
  readonly v: number;
  readonly key: string;
  readonly split: string;
  /** Class id. */
  readonly label: number | null;
  /** Class name. */
  readonly class: string | null;
  readonly source: SampleSource;
  /** Index of each stored frame among the decoded frames of the video, in presentation order; ascending for layout `frames`. */
  readonly frameIndex: readonly number[];
  /** Presentation time of each stored frame. */
  readonly ptsSeconds: readonly number[];
  readonly layout: 'frames' | 'tubelets';
  readonly codec: 'jpeg' | 'raw';
  /** `[T, H, W, 3]` for layout `frames`, `[N, P]` for `tubelets`. */
  readonly shape: readonly number[];
  /** `[t, p, p]` frames and pixels of one tubelet; only for layout `tubelets`. */
  readonly tubelet?: readonly number[];
  /** `[T, H, W, 3]` of the clip that was cut; only for layout `tubelets`. */
  readonly clipShape?: readonly number[];
  /** Reserved for labels in space and time; null in version 1. */
  readonly boxes: readonly unknown[] | null;
}

/**
 * One sample. `data` is uint8: for codec `raw` all pixels in the order of `shape`, for `jpeg` one picture per frame.
 * After reading, `data` is a view of the payload, not a copy.
 */
export type Sample =
  | (SampleMeta & { readonly codec: 'raw'; readonly data: Uint8Array })
  | (SampleMeta & { readonly codec: 'jpeg'; readonly data: readonly Uint8Array[] });

const UINT32 = { min: 0, max: 2 ** 32 - 1 };
const SIZE = { min: 1, max: 2 ** 32 - 1 };

/** Reads the description of a sample, checking its fields and how they fit together. */
export function readMeta(fields: Fields, fail: Fail): SampleMeta {
  const key = fields.text('key');
  if (!isSampleKey(key)) fail('sample: key has characters that a key cannot have');
  const layout = fields.text('layout');
  if (layout !== 'frames' && layout !== 'tubelets') return fail('sample: layout is unknown');
  const codec = fields.text('codec');
  if (codec !== 'raw' && codec !== 'jpeg') return fail('sample: codec is unknown');
  if (layout === 'tubelets' && codec === 'jpeg') fail('sample: tubelets cannot be stored as jpeg');
  const shape = fields.integers('shape', SIZE);
  const clip = layout === 'tubelets' ? readClip(fields, shape, fail) : undefined;
  if (clip === undefined) checkFrameShape(shape, 'shape', fail);
  const [numFrames = 0] = clip?.clipShape ?? shape;
  const source = readSource(fields.map('source'));
  return {
    v: fields.integer('v', SIZE),
    key,
    split: fields.text('split'),
    label: fields.integerOrNull('label', { min: -(2 ** 31), max: UINT32.max }),
    class: fields.textOrNull('class'),
    source,
    ...readTimes(fields, { layout, numFrames, framesInVideo: source.frames }, fail),
    layout,
    codec,
    shape,
    ...clip,
    boxes: (fields.get('boxes') ?? null) === null ? null : fields.list('boxes'),
  };
}

/** Joins a description with its pixels, checking that they fit. */
export function joinSample(meta: SampleMeta, data: unknown, fail: Fail): Sample {
  const { codec, shape } = meta;
  return codec === 'raw'
    ? { ...meta, codec, data: readRaw(data, shape, fail) }
    : { ...meta, codec, data: readPictures(data, shape[0] ?? 0, fail) };
}

function readSource(fields: Fields): SampleSource {
  return {
    path: fields.text('path'),
    width: fields.integer('width', SIZE),
    height: fields.integer('height', SIZE),
    fps: fields.number('fps', { min: 0 }),
    frames: fields.integerOrNull('frames', SIZE),
    seconds: fields.number('seconds', { min: 0 }),
  };
}

interface Frames {
  readonly layout: SampleMeta['layout'];
  readonly numFrames: number;
  readonly framesInVideo: number | null;
}

function readTimes(
  fields: Fields,
  { layout, numFrames, framesInVideo }: Frames,
  fail: Fail,
): Pick<SampleMeta, 'frameIndex' | 'ptsSeconds'> {
  const frameIndex = fields.integers('frameIndex', {
    ...UINT32,
    ...(framesInVideo !== null && { max: framesInVideo - 1 }),
  });
  const ptsSeconds = fields.numbers('ptsSeconds');
  if (frameIndex.length !== numFrames || ptsSeconds.length !== numFrames) {
    fail(`sample: frameIndex and ptsSeconds do not have ${numFrames} elements`);
  }
  if (layout === 'frames' && frameIndex.some((index, i) => index < (frameIndex[i - 1] ?? 0))) {
    fail('sample: frameIndex does not ascend');
  }
  return { frameIndex, ptsSeconds };
}

function readClip(
  fields: Fields,
  shape: readonly number[],
  fail: Fail,
): { tubelet: readonly number[]; clipShape: readonly number[] } {
  const tubelet = fields.integers('tubelet', SIZE);
  const clipShape = fields.integers('clipShape', SIZE);
  checkFrameShape(clipShape, 'clipShape', fail);
  const [frames = 0, height = 0, width = 0] = clipShape;
  const [time = 0, patch = 0, patchAgain = 0] = tubelet;
  const isGrid = frames % time === 0 && height % patch === 0 && width % patch === 0;
  if (tubelet.length !== 3 || patch !== patchAgain || !isGrid) {
    fail('sample: tubelet does not divide clipShape');
  }
  const numTokens = (frames / time) * (height / patch) * (width / patch);
  const numPixels = time * patch * patch * 3;
  if (shape.length !== 2 || shape[0] !== numTokens || shape[1] !== numPixels) {
    fail(`sample: shape is not ${numTokens} tubelets of ${numPixels} values`);
  }
  return { tubelet, clipShape };
}

function checkFrameShape(shape: readonly number[], name: string, fail: Fail): void {
  if (shape.length !== 4 || shape[3] !== 3) fail(`sample: ${name} is not [T, H, W, 3]`);
}

function readRaw(data: unknown, shape: readonly number[], fail: Fail): Uint8Array {
  if (!(data instanceof Uint8Array)) return fail('sample: data is not binary');
  const wanted = shape.reduce((product, size) => product * size, 1);
  return data.length === wanted
    ? data
    : fail(`sample: data has ${data.length} bytes, the shape needs ${wanted}`);
}

function readPictures(data: unknown, numFrames: number, fail: Fail): readonly Uint8Array[] {
  const isList = Array.isArray(data) && data.every((item) => item instanceof Uint8Array);
  if (!isList || data.length !== numFrames || data.some((picture) => picture.length === 0)) {
    return fail(`sample: data is not ${numFrames} pictures`);
  }
  return data;
}
