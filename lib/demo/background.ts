/**
 * Still textures to move over, and grain that never repeats, so that codecs have work to do and no two frames are equal.
 *
 * The texture is value noise in three octaves between two colours, stretched in a drawn direction.
 */

import type { Rng } from '../core/index.ts';
import type { Color } from './shapes.ts';

/** Cells of the coarsest octave along the short side; each further octave doubles them and halves its weight. */
const COARSEST_CELLS = [2, 3, 4] as const;
const NUM_OCTAVES = 3;
/** Grain is one of 2^16 values from -GRAIN to GRAIN, more often small. */
const GRAIN = 4;
const GRAIN_TABLE_LENGTH = 2 ** 16;

/** Paints a texture from `dark` to `light`: `[H, W, 3]` uint8 RGB. */
export function paintBackground(
  rng: Rng,
  size: { readonly width: number; readonly height: number },
  [dark, light]: readonly [dark: Color, light: Color],
): Uint8ClampedArray {
  const { width, height } = size;
  const coarsest = COARSEST_CELLS[rng.integer(0, COARSEST_CELLS.length)] ?? 3;
  const stretch = 2 ** (rng.uniform() * 2 - 1);
  const levels = new Float32Array(width * height);
  for (let octave = 0; octave < NUM_OCTAVES; octave++) {
    const cell = Math.min(width, height) / (coarsest * 2 ** octave);
    addOctave(rng, levels, { width, cellX: cell * stretch, cellY: cell / stretch }, 0.5 ** octave);
  }
  const pixels = new Uint8ClampedArray(width * height * 3);
  const most = 2 - 0.5 ** (NUM_OCTAVES - 1);
  for (let pixel = 0; pixel < levels.length; pixel++) {
    const mix = (levels[pixel] ?? 0) / most;
    for (let channel = 0; channel < 3; channel++) {
      const from = dark[channel] ?? 0;
      pixels[pixel * 3 + channel] = from + ((light[channel] ?? 0) - from) * mix;
    }
  }
  return pixels;
}

interface Grid {
  readonly width: number;
  readonly cellX: number;
  readonly cellY: number;
}

/** Adds smoothly interpolated lattice noise from 0 to `weight`. */
function addOctave(rng: Rng, levels: Float32Array, grid: Grid, weight: number): void {
  const { width, cellX, cellY } = grid;
  const height = levels.length / width;
  const columns = Math.floor(width / cellX) + 2;
  const rows = Math.floor(height / cellY) + 2;
  const lattice = Float32Array.from({ length: columns * rows }, () => rng.uniform() * weight);
  for (let y = 0; y < height; y++) {
    const row = Math.floor(y / cellY);
    const v = smooth(y / cellY - row);
    for (let x = 0; x < width; x++) {
      const column = Math.floor(x / cellX);
      const u = smooth(x / cellX - column);
      const at = row * columns + column;
      const above = blend(lattice[at] ?? 0, lattice[at + 1] ?? 0, u);
      const below = blend(lattice[at + columns] ?? 0, lattice[at + columns + 1] ?? 0, u);
      const level = levels[y * width + x] ?? 0;
      levels[y * width + x] = level + blend(above, below, v);
    }
  }
}

/** Makes the table of grain that {@link addGrain} reads. */
export function makeGrain(rng: Rng): Int8Array {
  return Int8Array.from({ length: GRAIN_TABLE_LENGTH }, () =>
    Math.round((rng.uniform() + rng.uniform() - 1) * GRAIN),
  );
}

/** Adds grain to a frame in place; another `start` gives another grain. */
export function addGrain(frame: Uint8ClampedArray, grain: Int8Array, start: number): void {
  for (let at = 0; at < frame.length; at++) {
    frame[at] = (frame[at] ?? 0) + (grain[(start + at) & (GRAIN_TABLE_LENGTH - 1)] ?? 0);
  }
}

function smooth(t: number): number {
  return t * t * (3 - 2 * t);
}

function blend(from: number, to: number, t: number): number {
  return from + (to - from) * t;
}
