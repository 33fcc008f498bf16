/** What all formats write of a batch in the same way. */

import type { Batch, BatchTensor } from './batch.ts';

/** A tensor and its name. */
export interface NamedTensor {
  readonly name: 'pixels' | 'visible' | 'target' | 'visibleTokens' | 'maskedTokens' | 'softLabels';
  readonly tensor: BatchTensor;
}

/** What the model sees stands last, since it is the largest where nothing is masked. */
const ORDER = [
  'softLabels',
  'visibleTokens',
  'maskedTokens',
  'target',
  'visible',
  'pixels',
] as const satisfies readonly NamedTensor['name'][];

/** Lists the tensors that a batch has; the last is `pixels`, or with a mask `visible`. */
export function listTensors(batch: Batch): readonly NamedTensor[] {
  return ORDER.flatMap((name) => {
    const tensor = batch[name];
    return tensor === undefined ? [] : [{ name, tensor }];
  });
}

/** The bytes of a tensor where they are; all systems that tubelet runs on have the lowest byte first. */
export function bytesOf({ data }: BatchTensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Which frames each clip has, `[B, T]`; -1 for those of clips that are missing. */
export function listFrames({ frameIndex }: Batch): readonly (readonly number[])[] {
  const numFrames = Math.max(0, ...frameIndex.map(({ length }) => length));
  return frameIndex.map((own) => Array.from({ length: numFrames }, (_, i) => own[i] ?? -1));
}
