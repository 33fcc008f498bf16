/** Is a dataset whole: every hash, every index entry, every sample, every picture. */

import { openDataset, verifyDataset } from '../shard/index.ts';
import type { Defect } from '../shard/index.ts';
import { sampleImages } from './sample-images.ts';

/** How to verify a dataset. */
export interface VerifyDatasetOptions {
  readonly signal?: AbortSignal;
  /** Called after every sample. */
  readonly onProgress?: (progress: {
    readonly samplesDone: number;
    readonly samplesTotal: number;
  }) => void;
  /** Called as soon as a defect is found. */
  readonly onDefect?: (defect: Defect) => void;
}

/** What verifying has found. */
export interface VerifyReport {
  readonly shards: number;
  readonly samples: number;
  /** Frames that were decoded. */
  readonly frames: number;
  readonly defects: readonly Defect[];
}

/** Defects listed in a report; a ruined disk can have millions. */
const MAX_DEFECTS = 10_000;

/**
 * Checks everything about a dataset and decodes every frame of it. Damage is reported, not thrown.
 *
 * @throws {TubeletError} TUBE_DATASET_NOT_FOUND, TUBE_DATASET_DAMAGED, TUBE_VERSION_UNSUPPORTED of `dataset.json`
 */
export async function verify(
  folder: string,
  { signal, onProgress, onDefect }: VerifyDatasetOptions = {},
): Promise<VerifyReport> {
  if (/^https?:/i.test(folder)) {
    throw new RangeError(
      `"folder" must be a local folder; copy the dataset first (got ${folder}).`,
    );
  }
  await using dataset = await openDataset(folder);
  const samplesTotal = dataset.numSamples;
  let samplesDone = 0;
  let frames = 0;
  const defects: Defect[] = [];
  const found = verifyDataset(folder, {
    checkSample: async (sample) => {
      frames += (await sampleImages(sample)).length;
      samplesDone++;
      onProgress?.({ samplesDone, samplesTotal });
    },
    ...(signal === undefined ? {} : { signal }),
  });
  for await (const defect of found) {
    if (defects.length < MAX_DEFECTS) defects.push(defect);
    onDefect?.(defect);
  }
  return { shards: dataset.info.shards.length, samples: samplesTotal, frames, defects };
}
