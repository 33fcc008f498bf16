/** Reading whole datasets in tests. */

import { openDataset } from '../../lib/shard/index.ts';
import type { Sample } from '../../lib/shard/index.ts';
import { sampleImages } from '../../lib/study/index.ts';
import { meanOf } from './grey-videos.ts';

/** All samples of a dataset in order of their keys; reading decodes and checks each. */
export async function allSamples(folder: string): Promise<Sample[]> {
  await using dataset = await openDataset(folder);
  const samples: Sample[] = [];
  for await (const sample of dataset.samples()) samples.push(sample);
  return samples.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Mean level of every stored frame of a sample. */
export async function frameMeans(sample: Sample): Promise<number[]> {
  return (await sampleImages(sample)).map(({ data }) => meanOf(data));
}
