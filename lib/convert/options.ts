/** What a conversion can be told, checked and with every default filled in. */

import { checkInteger, checkNumber, checkOneOf } from '../core/index.ts';
import { SHORT_VIDEO_POLICIES, tokenShape } from '../sample/index.ts';
import type { ShortVideoPolicy } from '../sample/index.ts';

/** Options of {@link convert} that decide over the bytes of the shards. */
export interface ContentOptions {
  /** Name of the shards: `train` gives `train-000000.tar`. Letters, digits, `_` and `-`. Default: the split, or `train`. */
  readonly name?: string;
  /** Stored in every sample; a list with a split column is cut down to it. Default: the name. */
  readonly split?: string;
  /** `frames`: subsampled frames for a loader that crops. `tubelets`: finished clips cut into tubelets. Default: `frames`. */
  readonly layout?: 'frames' | 'tubelets';
  /** How pixels are stored. Default: `jpeg` for frames, `raw` for tubelets (the only one there). */
  readonly codec?: 'jpeg' | 'raw';
  /** JPEG quality on libjpeg's scale, 1 to 100, in steps of 5; 95 is the finest. Default: 90. */
  readonly quality?: number;
  /** Source frames from one stored frame to the next. Default: 4, unless `fps` is given. */
  readonly stride?: number;
  /** Stored frames per second, chosen by presentation time; instead of `stride`. */
  readonly fps?: number;
  /** Pixels of the shorter side; 0 keeps the size (frames only). Default: 256 for frames, `size` for tubelets. */
  readonly shortSide?: number;
  /** Longer videos become several samples of at most this many seconds (frames only). Default: no limit. */
  readonly maxSeconds?: number;
  /** Frames of a clip (tubelets). Default: 16. */
  readonly frames?: number;
  /** Pixels of a clip's side, cut from the centre (tubelets). Default: 224. */
  readonly size?: number;
  /** Clips of each video: a number spreads them evenly, `all` tiles the video (tubelets). Default: 1, from the middle. */
  readonly clips?: number | 'all';
  /** Frames and pixels of a tubelet `[t, p, p]` (tubelets). Default: `[2, 16, 16]`. */
  readonly tubelet?: readonly [number, number, number];
  /** What happens to a video shorter than a clip (tubelets). Default: `repeat-last`. */
  readonly shortVideo?: ShortVideoPolicy;
  /** Videos whose samples share a shard. Default: 64. */
  readonly videosPerShard?: number;
  /** Seed of the order of videos. Default: 0. */
  readonly seed?: number;
  /** Puts the videos in a seeded order; otherwise they keep the order of the source. Default: true. */
  readonly shuffle?: boolean;
}

/** How the pixels of every video are chosen and stored; with defaults filled in. */
export type VideoContent = FramesContent | TubeletsContent;

interface CommonContent {
  /** Temporal subsampling: exactly one of the two is a number. */
  readonly stride: number | null;
  readonly fps: number | null;
  readonly shortSide: number;
}

/** Content of layout `frames`. */
export interface FramesContent extends CommonContent {
  readonly layout: 'frames';
  readonly codec: 'jpeg' | 'raw';
  /** Null for codec `raw`. */
  readonly quality: number | null;
  readonly maxSeconds: number | null;
}

/** Content of layout `tubelets`. */
export interface TubeletsContent extends CommonContent {
  readonly layout: 'tubelets';
  readonly codec: 'raw';
  readonly frames: number;
  readonly size: number;
  readonly clips: number | 'all';
  readonly tubelet: readonly [number, number, number];
  readonly shortVideo: ShortVideoPolicy;
}

/** All that decides over the bytes of a dataset besides its source; plain JSON. */
export interface ResolvedContent {
  readonly name: string;
  readonly split: string;
  readonly video: VideoContent;
  readonly videosPerShard: number;
  readonly seed: number;
  readonly shuffle: boolean;
}

const FRAMES_ONLY = ['quality', 'maxSeconds'] as const;
const TUBELETS_ONLY = ['frames', 'size', 'clips', 'tubelet', 'shortVideo'] as const;

/**
 * Checks options and fills in defaults.
 *
 * @throws {RangeError} naming the option that is wrong, or that does not go with another
 */
export function resolveContent(options: ContentOptions): ResolvedContent {
  const { videosPerShard = 64, seed = 0, shuffle = true } = options;
  checkInteger('videosPerShard', videosPerShard, { min: 1, max: 1_000_000 });
  checkInteger('seed', seed, { min: 0 });
  const name = options.name ?? options.split ?? 'train';
  if (!/^[A-Za-z0-9_-]{1,100}$/.test(name)) {
    const option = options.name === undefined ? '"split" without a "name"' : '"name"';
    throw new RangeError(
      `${option} may have 1 to 100 letters, digits, _ and - only (got "${name}").`,
    );
  }
  const split = options.split ?? name;
  return { name, split, video: resolveVideo(options), videosPerShard, seed, shuffle };
}

function resolveVideo(options: ContentOptions): VideoContent {
  const { layout = 'frames' } = options;
  checkOneOf('layout', layout, ['frames', 'tubelets']);
  const misplaced = (layout === 'frames' ? TUBELETS_ONLY : FRAMES_ONLY).find(
    (name) => options[name] !== undefined,
  );
  if (misplaced !== undefined) {
    throw new RangeError(`"${misplaced}" does not go with layout ${layout}.`);
  }
  const { fps = null } = options;
  if (fps !== null) checkNumber('fps', fps, { min: 0.001, max: 1000 });
  if (fps !== null && options.stride !== undefined) {
    throw new RangeError('"stride" and "fps" exclude each other.');
  }
  const stride = fps === null ? (options.stride ?? 4) : null;
  if (stride !== null) checkInteger('stride', stride, { min: 1 });
  return layout === 'frames'
    ? resolveFrames(options, { stride, fps })
    : resolveTubelets(options, { stride, fps });
}

type Subsampling = Pick<CommonContent, 'stride' | 'fps'>;

function resolveFrames(options: ContentOptions, subsampling: Subsampling): FramesContent {
  const { codec = 'jpeg', shortSide = 256, maxSeconds = null } = options;
  checkOneOf('codec', codec, ['jpeg', 'raw']);
  checkInteger('shortSide', shortSide, { min: 0, max: 16_384 });
  if (maxSeconds !== null) checkNumber('maxSeconds', maxSeconds, { min: 0.001 });
  if (codec === 'raw' && options.quality !== undefined) {
    throw new RangeError('"quality" does not go with codec raw.');
  }
  const quality = codec === 'jpeg' ? (options.quality ?? 90) : null;
  if (quality !== null) checkInteger('quality', quality, { min: 1, max: 100 });
  return { layout: 'frames', codec, quality, ...subsampling, shortSide, maxSeconds };
}

function resolveTubelets(options: ContentOptions, subsampling: Subsampling): TubeletsContent {
  const { codec = 'raw', frames = 16, size = 224, clips = 1, tubelet = [2, 16, 16] } = options;
  const { shortSide = size, shortVideo = 'repeat-last' } = options;
  if (codec !== 'raw') throw new RangeError(`"codec" of tubelets must be raw (got ${codec}).`);
  checkInteger('frames', frames, { min: 1, max: 4096 });
  checkInteger('size', size, { min: 1, max: 4096 });
  checkInteger('shortSide', shortSide, { min: size, max: 16_384 });
  if (clips !== 'all') checkInteger('clips', clips, { min: 1, max: 10_000 });
  checkOneOf('shortVideo', shortVideo, SHORT_VIDEO_POLICIES);
  if (tubelet[1] !== tubelet[2]) {
    throw new RangeError(`"tubelet" must be as high as it is wide (got ${tubelet.join('x')}).`);
  }
  if (frames % tubelet[0] !== 0 || size % tubelet[1] !== 0) {
    const got = `${tubelet.join('x')} for ${frames} frames of ${size} pixels`;
    throw new RangeError(`"tubelet" must divide "frames" and "size" (got ${got}).`);
  }
  tokenShape([frames, size, size, 3], tubelet); // throws for all else that is wrong with it
  return {
    layout: 'tubelets',
    codec: 'raw',
    ...subsampling,
    shortSide,
    frames,
    size,
    clips,
    tubelet,
    shortVideo,
  };
}
