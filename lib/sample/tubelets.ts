/**
 * Cuts a clip into tubelets of t × p × p pixels and puts it together again.
 *
 * Token order is time, row, column; inside a token it is frame, row, column, colour, as in VideoMAE's reconstruction target
 * (Tong et al. 2022), so a model reads its target and its input from one buffer.
 */

import { checkInteger } from '../core/index.ts';
import { checkLength } from './clip-buffer.ts';
import type { ClipShape } from './clip-buffer.ts';
import { checkCrop } from './geometry.ts';

/** Shape of a tubelet, `[t, p, p]`: frames, then the side of the square twice. */
export type TubeletShape = readonly [numFrames: number, rows: number, columns: number];

/** The rectangle of larger frames from which a clip is cut; its size is that of the clip. Pixels. */
export interface FrameWindow {
  readonly frameWidth: number;
  readonly frameHeight: number;
  readonly left: number;
  readonly top: number;
}

/** Bytes, or colours as the network sees them. */
export type Pixels = Uint8Array | Float32Array;

/** Where {@link cutTubelets} reads and writes, if not from a clip of just that size to fresh memory. */
export interface CutOptions<Kind extends Pixels> {
  /** Filled and returned; must have just the length of the result. */
  readonly out?: Kind;
  /** Then `clip` is `[T, frameHeight, frameWidth, 3]`, and the crop costs no copy of its own. */
  readonly window?: FrameWindow;
}

interface Walk {
  readonly shape: ClipShape;
  readonly tubelet: TubeletShape;
  readonly window: FrameWindow;
  readonly isCut: boolean;
}

/**
 * Gives the shape of a cut clip, `[N, P]`: N = T/t · H/p · W/p tokens of P = t · p · p · 3 bytes.
 *
 * @throws {RangeError} if the tubelets do not fill the clip exactly
 */
export function tokenShape(
  shape: ClipShape,
  tubelet: TubeletShape,
): [numTokens: number, tokenBytes: number] {
  const [slots, rows, columns] = gridOf(shape, tubelet);
  return [slots * rows * columns, tubelet[0] * tubelet[1] * tubelet[2] * 3];
}

/**
 * Cuts a clip into tubelets. Shapes: `clip` uint8 or float32 `[T, H, W, 3]`, result `[N, P]` of the same kind, see
 * {@link tokenShape}. The result is fresh memory unless `out` is given; `out` must not share memory with `clip`.
 *
 * @throws {RangeError} if the tubelets do not fill the clip exactly, or a buffer or the window has the wrong size
 */
export function cutTubelets<Kind extends Pixels>(
  clip: Kind,
  shape: ClipShape,
  tubelet: TubeletShape,
  options: CutOptions<Kind> = {},
): Kind {
  const [numTokens, tokenLength] = tokenShape(shape, tubelet);
  const [numFrames, height, width] = shape;
  const window = options.window ?? { frameWidth: width, frameHeight: height, left: 0, top: 0 };
  checkWindow(window, shape);
  checkLength('clip', clip, numFrames * window.frameHeight * window.frameWidth * 3);
  const out = options.out ?? freshLike(clip, numTokens * tokenLength);
  checkLength('out', out, numTokens * tokenLength);
  copyStrips(clip, out, { shape, tubelet, window, isCut: true });
  return out;
}

/**
 * Puts a cut clip together again: the inverse of {@link cutTubelets}.
 * Shapes: `tokens` uint8 or float32 `[N, P]`, result `[T, H, W, 3]` of the same kind; fresh memory unless `out` is given.
 *
 * @throws {RangeError} if the tubelets do not fill the clip exactly, or a buffer has the wrong length
 */
export function joinTubelets<Kind extends Pixels>(
  tokens: Kind,
  shape: ClipShape,
  tubelet: TubeletShape,
  out: Kind = freshLike(tokens, tokens.length),
): Kind {
  const [numTokens, tokenLength] = tokenShape(shape, tubelet);
  checkLength('tokens', tokens, numTokens * tokenLength);
  checkLength('out', out, numTokens * tokenLength);
  const window = { frameWidth: shape[2], frameHeight: shape[1], left: 0, top: 0 };
  copyStrips(tokens, out, { shape, tubelet, window, isCut: false });
  return out;
}

/**
 * Walks the pixels in memory order and moves them strip by strip; a strip is one row of pixels of one tubelet. Sixteen bytes
 * at a time through `DataView`: strips start at any byte, and for 48-byte strips this took 0.8 ms per 16 × 224 × 224 clip
 * where `set(subarray)` took 2.5 ms, a loop over bytes 3.5 ms, and 64-bit integers 5.4 ms (Node 20.20, AMD EPYC, in cache).
 */
function copyStrips(source: Pixels, target: Pixels, walk: Walk): void {
  const { shape, tubelet, window, isCut } = walk;
  const [numFrames, height] = shape;
  const [t, p] = tubelet;
  const [, gridRows, gridColumns] = gridOf(shape, tubelet);
  const pixelBytes = 3 * source.BYTES_PER_ELEMENT;
  const stripBytes = p * pixelBytes;
  const tokenBytes = t * p * stripBytes;
  const from = new DataView(source.buffer, source.byteOffset, source.byteLength);
  const to = new DataView(target.buffer, target.byteOffset, target.byteLength);
  const fromStep = isCut ? stripBytes : tokenBytes;
  const toStep = isCut ? tokenBytes : stripBytes;
  for (let frame = 0; frame < numFrames; frame++) {
    for (let row = 0; row < height; row++) {
      const line = frame * window.frameHeight + window.top + row;
      const pixelAt = (line * window.frameWidth + window.left) * pixelBytes;
      const token = (Math.floor(frame / t) * gridRows + Math.floor(row / p)) * gridColumns;
      const tokenAt = token * tokenBytes + ((frame % t) * p + (row % p)) * stripBytes;
      let a = isCut ? pixelAt : tokenAt;
      let b = isCut ? tokenAt : pixelAt;
      for (let column = 0; column < gridColumns; column++) {
        let i = 0;
        for (; i + 16 <= stripBytes; i += 16) {
          to.setInt32(b + i, from.getInt32(a + i, true), true);
          to.setInt32(b + i + 4, from.getInt32(a + i + 4, true), true);
          to.setInt32(b + i + 8, from.getInt32(a + i + 8, true), true);
          to.setInt32(b + i + 12, from.getInt32(a + i + 12, true), true);
        }
        for (; i < stripBytes; i++) to.setUint8(b + i, from.getUint8(a + i));
        a += fromStep;
        b += toStep;
      }
    }
  }
}

function freshLike<Kind extends Pixels>(like: Kind, length: number): Kind {
  return (like instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length)) as Kind;
}

/** Tubelets along time, rows and columns. */
function gridOf(
  [numFrames, height, width, channels]: ClipShape,
  [t, rows, columns]: TubeletShape,
): [slots: number, rows: number, columns: number] {
  checkInteger('shape[3]', channels, { min: 3, max: 3 });
  checkInteger('tubelet[2]', columns, { min: rows, max: rows });
  return [
    divide('shape[0]', numFrames, t),
    divide('shape[1]', height, rows),
    divide('shape[2]', width, columns),
  ];
}

function divide(name: string, side: number, part: number): number {
  checkInteger('tubelet', part, { min: 1 });
  checkInteger(name, side, { min: 1 });
  if (side % part !== 0) {
    throw new RangeError(`"${name}" must be a multiple of the tubelet's ${part} (got ${side}).`);
  }
  return side / part;
}

function checkWindow(window: FrameWindow, [, height, width]: ClipShape): void {
  const { frameWidth, frameHeight, left, top } = window;
  checkInteger('frameWidth', frameWidth, { min: width });
  checkInteger('frameHeight', frameHeight, { min: height });
  checkCrop({ left, top, width, height }, frameWidth, frameHeight);
}
