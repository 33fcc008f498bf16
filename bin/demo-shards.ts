/** Shards of the demo's videos, to train and to evaluate with: made where they are not there. */

import { join } from 'node:path';
import { convert, makeDemoVideos } from '../lib/index.ts';

const TRAIN = { perClass: 12, seed: 0 } as const;
const VAL = { perClass: 8, seed: 1 } as const;

/**
 * Makes both sets, or finds them.
 *
 * @throws {TubeletError} as {@link makeDemoVideos} and {@link convert}
 */
export async function demoShards(
  folder: string,
  { signal, isQuiet }: { readonly signal: AbortSignal; readonly isQuiet: boolean },
): Promise<{ readonly source: string; readonly val: string }> {
  const make = async (
    name: string,
    { perClass, seed }: { readonly perClass: number; readonly seed: number },
  ): Promise<string> => {
    const videos = join(folder, `${name}-videos`);
    const out = join(folder, `${name}-shards`);
    if (!isQuiet) process.stderr.write(`The demo's videos become shards in ${out}\n`);
    await makeDemoVideos(videos, { perClass, seed, signal });
    await convert(videos, { out, stride: 2, shortSide: 128, videosPerShard: 32, seed: 0, signal });
    return out;
  };
  return { source: await make('train', TRAIN), val: await make('val', VAL) };
}
