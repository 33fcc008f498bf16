/**
 * Operations of RandAugment that map each grey level of a channel to another one. All work in place on uint8 `[T, H, W, 3]`.
 *
 * Source: the definitions of Pillow's `ImageOps`, which VideoMAE's fine-tuning uses.
 */

import type { ClipShape } from './clip-buffer.ts';

/** One operation, applied to all frames in place. `argument` is in the operation's own unit; those without one ignore it. */
export type ClipOperation = (clip: Uint8Array, shape: ClipShape, argument: number) => void;

/** Writes to `table` what becomes of each level. */
type LevelRule = (histogram: Uint32Array, table: Uint8Array) => void;

type Three<T> = readonly [red: T, green: T, blue: T];

const LEVELS = 256;

/** Inverts all levels. */
export const invert: ClipOperation = (clip) => mapLevels(clip, (level) => 255 - level);

/** Keeps the highest `bits` bits, 0 … 8. */
export const posterize: ClipOperation = (clip, _shape, bits) =>
  mapLevels(clip, (level) => level & ~(2 ** (8 - bits) - 1));

/** Inverts levels of at least `threshold`, 0 … 256. */
export const solarize: ClipOperation = (clip, _shape, threshold) =>
  mapLevels(clip, (level) => (level < threshold ? level : 255 - level));

/** Adds `amount`, 0 … 255, to levels below 128, up to 255. */
export const solarizeAdd: ClipOperation = (clip, _shape, amount) =>
  mapLevels(clip, (level) => (level < 128 ? Math.min(255, level + amount) : level));

/** Stretches each channel of each frame to 0 … 255. */
export const autoContrast: ClipOperation = (clip, shape) => mapChannels(clip, shape, stretch);

/** Makes all levels of each channel of each frame about equally frequent. */
export const equalize: ClipOperation = (clip, shape) => mapChannels(clip, shape, flatten);

/** Replaces every byte by its entry in a table of 256. */
export function applyTable(bytes: Uint8Array, table: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) bytes[i] = table[bytes[i] ?? 0] ?? 0;
}

function mapLevels(clip: Uint8Array, levelOf: (level: number) => number): void {
  applyTable(
    clip,
    Uint8Array.from({ length: LEVELS }, (_, level) => levelOf(level)),
  );
}

function mapChannels(clip: Uint8Array, [, height, width]: ClipShape, rule: LevelRule): void {
  const frameBytes = height * width * 3;
  const histograms = three(() => new Uint32Array(LEVELS));
  const tables = three(() => new Uint8Array(LEVELS));
  for (let at = 0; at < clip.length; at += frameBytes) {
    const frame = clip.subarray(at, at + frameBytes);
    countLevels(frame, histograms);
    for (const channel of [0, 1, 2] as const) rule(histograms[channel], tables[channel]);
    applyTables(frame, tables);
  }
}

function three<T>(make: () => T): Three<T> {
  return [make(), make(), make()];
}

function countLevels(frame: Uint8Array, [reds, greens, blues]: Three<Uint32Array>): void {
  for (const histogram of [reds, greens, blues]) histogram.fill(0);
  for (let i = 0; i < frame.length; i += 3) {
    const red = frame[i] ?? 0;
    const green = frame[i + 1] ?? 0;
    const blue = frame[i + 2] ?? 0;
    reds[red] = (reds[red] ?? 0) + 1;
    greens[green] = (greens[green] ?? 0) + 1;
    blues[blue] = (blues[blue] ?? 0) + 1;
  }
}

function applyTables(frame: Uint8Array, [reds, greens, blues]: Three<Uint8Array>): void {
  for (let i = 0; i < frame.length; i += 3) {
    frame[i] = reds[frame[i] ?? 0] ?? 0;
    frame[i + 1] = greens[frame[i + 1] ?? 0] ?? 0;
    frame[i + 2] = blues[frame[i + 2] ?? 0] ?? 0;
  }
}

/** Lowest level to 0, highest to 255, cut to integers; a channel of one level stays. */
function stretch(histogram: Uint32Array, table: Uint8Array): void {
  const lowest = histogram.findIndex((count) => count > 0);
  const highest = histogram.findLastIndex((count) => count > 0);
  const scale = highest > lowest ? 255 / (highest - lowest) : 1;
  const offset = highest > lowest ? -lowest * scale : 0;
  for (let level = 0; level < LEVELS; level++) {
    table[level] = Math.min(255, Math.max(0, Math.trunc(level * scale + offset)));
  }
}

/** The cumulated histogram in steps of a 255th of the pixels, the highest level left out; stays where a step has no pixels. */
function flatten(histogram: Uint32Array, table: Uint8Array): void {
  const numPixels = histogram.reduce((sum, count) => sum + count, 0);
  const highest = histogram.findLast((count) => count > 0) ?? 0;
  const step = Math.floor((numPixels - highest) / 255);
  let below = Math.floor(step / 2);
  for (let level = 0; level < LEVELS; level++) {
    table[level] = step === 0 ? level : Math.min(255, Math.floor(below / step));
    below += histogram[level] ?? 0;
  }
}
