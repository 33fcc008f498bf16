/** Features: what a trained encoder makes of each clip, for use elsewhere. */

import type { LoaderSource } from '../load/index.ts';
import { weightsInMemory, writeSafetensors } from '../weights/index.ts';
import type { EvaluateOptions } from './evaluate.ts';
import { openNetwork } from './open-network.ts';
import { openViews } from './open-views.ts';
import { readRunConfig } from './run-folder.ts';
import { scoreClips } from './scorer.ts';

/** What was written. */
export interface FeaturesSummary {
  readonly numClips: number;
  readonly width: number;
  /** Keys of clips that could not be read; they have no row. */
  readonly missing: readonly string[];
}

/**
 * Writes the features of all clips of a dataset to a safetensors file: `features` `[clips, width]`, `labels`, `segments` and `crops`
 * `[clips]`, and the keys as JSON in its metadata. Default: one view of each video.
 *
 * @throws {TubeletError} TUBE_RUN_NOT_FOUND, TUBE_RUN_DAMAGED, TUBE_DISK_FULL, TUBE_OUT_NOT_WRITABLE, what loading, weights and the
 * engine throw
 */
export async function writeFeatures(
  run: string,
  source: LoaderSource,
  options: EvaluateOptions & { readonly out: string },
): Promise<FeaturesSummary> {
  const { out, views, which = 'best', batchSize = 16 } = options;
  const { engine, workers, signal, onProgress } = options;
  const { recipe, model } = await readRunConfig(run);
  const rows: Float32Array[] = [];
  const facts = { labels: [] as number[], segments: [] as number[], crops: [] as number[] };
  const keys: string[] = [];
  const missing: string[] = [];
  await using program = await openNetwork(run, model, {
    output: 'features',
    which,
    batchSize,
    engine,
  });
  const { loader } = await openViews(source, {
    clip: recipe.data,
    own: { segments: 1, crops: 1 },
    asked: views,
    batchSize,
    workers,
    signal,
  });
  await using _closing = loader;
  let done = 0;
  for await (const clip of scoreClips(program, loader, model.config)) {
    onProgress?.(++done, loader.info.numSamples);
    if (clip.numbers === null) {
      missing.push(clip.key);
      continue;
    }
    rows.push(clip.numbers);
    keys.push(clip.key);
    facts.labels.push(clip.label);
    facts.segments.push(clip.segment);
    facts.crops.push(clip.crop);
  }
  const { width } = model.config.encoder;
  const features = new Float32Array(rows.length * width);
  for (const [i, row] of rows.entries()) features.set(row, i * width);
  const lists = Object.entries(facts).map(
    ([name, values]) => [name, { shape: [rows.length], data: Int32Array.from(values) }] as const,
  );
  const tensors = [
    ['features', { shape: [rows.length, width], data: features }] as const,
    ...lists,
  ];
  const metadata = { keys: JSON.stringify(keys), run };
  await writeSafetensors(out, weightsInMemory(tensors), { metadata });
  return { numClips: rows.length, width, missing };
}
