/** The samples of one shard in a few flat arrays: about 50 bytes and a key each, where objects would take 300. */

import type { Sidecar, SidecarSample } from './sidecar.ts';

/** A sidecar's samples in little memory. */
export interface ShardIndex {
  readonly length: number;
  /** The sample at a position inside the shard. */
  at(position: number): SidecarSample;
}

/** Packs the samples of a sidecar. */
export function packShardIndex({ samples }: Sidecar): ShardIndex {
  const keys = samples.map(({ key }) => key).join('');
  const keyEnds = new Uint32Array(samples.length);
  const offsets = Float64Array.from(samples, ({ offset }) => offset);
  const bytes = Uint32Array.from(samples, (sample) => sample.bytes);
  const crcs = Uint32Array.from(samples, ({ crc32 }) => crc32);
  const labels = Float64Array.from(samples, ({ label }) => label ?? NaN);
  const frames = Uint32Array.from(samples, (sample) => sample.frames);
  let end = 0;
  for (const [i, { key }] of samples.entries()) keyEnds[i] = end += key.length;
  return {
    length: samples.length,
    at(position) {
      const label = labels[position] ?? NaN;
      return {
        key: keys.slice(keyEnds[position - 1] ?? 0, keyEnds[position]),
        offset: offsets[position] ?? 0,
        bytes: bytes[position] ?? 0,
        crc32: crcs[position] ?? 0,
        label: Number.isNaN(label) ? null : label,
        frames: frames[position] ?? 0,
      };
    },
  };
}
