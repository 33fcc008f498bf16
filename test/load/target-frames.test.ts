/** Targets of other frames than those of the clip, compared with batches that hold these frames as they are. */

import test from 'ava';
import { openLoader } from '../../lib/load/index.ts';
import type { Batch, BatchTensor, LoaderOptions } from '../../lib/load/index.ts';
import { centerPatches, makeTargets, targetLength } from '../../lib/sample/index.ts';
import { writeClips } from '../helpers/make-clips.ts';
import type { ClipsForm } from '../helpers/make-clips.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';

const SHARDS: ClipsForm = { layout: 'raw', shape: [16, 20, 24, 3], sizes: [3] };
const BASE: LoaderOptions = {
  batchSize: 3,
  seed: 5,
  shuffle: 'none',
  workers: 1,
  numFrames: 4,
  size: 16,
  tubelet: [2, 4, 4],
  stride: 4,
  frames: 'first',
  crop: 'multi-scale',
  flip: 0.5,
};
const MASK = { kind: 'random', ratio: 0.5 } as const;
const PATCH = 4 * 4 * 3;

async function firstBatch(
  folder: string,
  options: Partial<LoaderOptions>,
): Promise<Batch & { readonly of: (tensor: BatchTensor | undefined, clip: number) => number[] }> {
  await using loader = await openLoader(folder, { ...BASE, ...options });
  const batch = (await loader.next())!;
  const copy = structuredClone(batch);
  const of = (tensor: BatchTensor | undefined, clip: number): number[] => {
    const length = tensor!.data.length / 3;
    return Array.from(tensor!.data.slice(clip * length, (clip + 1) * length));
  };
  return { ...copy, of };
}

test('the patch of the middle frame at the place of each token', async (t) => {
  const folder = await temporaryFolder(t);
  await writeClips(folder, SHARDS);
  const masked = { mask: MASK, targetFrames: 'center', target: 'pixels', dtype: 'uint8' } as const;
  const batch = await firstBatch(folder, masked);
  const frames = await firstBatch(folder, { form: 'frames', dtype: 'uint8' });
  t.deepEqual(batch.target!.shape, [3, 16, PATCH]);
  for (let clip = 0; clip < 3; clip++) {
    const pixels = frames.of(frames.pixels, clip);
    const targets = batch.of(batch.target, clip);
    for (const [i, token] of batch.of(batch.maskedTokens, clip).entries()) {
      const [row, column] = [Math.floor((token % 16) / 4), token % 4];
      const patch = [0, 1, 2, 3].flatMap((y) => {
        const start = ((2 * 16 + row * 4 + y) * 16 + column * 4) * 3; // frame 2 of 4
        return pixels.slice(start, start + 12);
      });
      t.deepEqual(targets.slice(i * PATCH, (i + 1) * PATCH), patch);
    }
  }
});

test('normalised targets are so over the frames that are predicted', async (t) => {
  const folder = await temporaryFolder(t);
  await writeClips(folder, SHARDS);
  const tokens = await firstBatch(folder, { dtype: 'uint8' });
  const center = await firstBatch(folder, { mask: MASK, targetFrames: 'center' });
  const double = await firstBatch(folder, { mask: MASK, targetFrames: 'double' });
  const twice = await firstBatch(folder, {
    dtype: 'uint8',
    numFrames: 8,
    stride: 2,
    tubelet: [4, 4, 4],
  });
  const own = await firstBatch(folder, { mask: MASK });
  t.deepEqual(double.target!.shape, [3, 16, 4 * PATCH]);
  t.deepEqual(double.frameIndex, own.frameIndex);
  for (let clip = 0; clip < 3; clip++) {
    const places = own.of(own.maskedTokens, clip);
    const bytes = Uint8Array.from(tokens.of(tokens.pixels, clip));
    const patches = centerPatches(bytes, [4, 16, 16, 3], [2, 4, 4]);
    t.deepEqual(
      center.of(center.target, clip),
      Array.from(
        makeTargets(patches, { tokenBytes: PATCH, tokens: places.map((one) => one % 16) }),
      ),
    );
    const truth = Uint8Array.from(twice.of(twice.pixels, clip));
    t.deepEqual(
      double.of(double.target, clip),
      Array.from(makeTargets(truth, { tokenBytes: 4 * PATCH, tokens: places })),
    );
    for (const other of [center, double]) {
      t.deepEqual(other.of(other.visible, clip), own.of(own.visible, clip));
      t.deepEqual(other.of(other.maskedTokens, clip), places);
    }
  }
});

test('lengths of targets', (t) => {
  t.is(targetLength('own', [2, 16, 16]), 1536);
  t.is(targetLength('center', [2, 16, 16]), 768);
  t.is(targetLength('double', [2, 16, 16]), 3072);
});

test('twice as many frames need frames in between', async (t) => {
  const folder = await temporaryFolder(t);
  await writeClips(folder, SHARDS);
  const options = { ...BASE, mask: MASK, targetFrames: 'double' } as const;
  await t.throwsAsync(openLoader(folder, { ...options, stride: 3 }), {
    instanceOf: RangeError,
    message: /"stride" must be even/,
  });
  const finished = await temporaryFolder(t);
  await writeClips(finished, { layout: 'tubelets', shape: [4, 16, 16, 3], sizes: [3] });
  const { batchSize, seed } = BASE;
  const own = { batchSize, seed: seed!, workers: 1, mask: MASK };
  await t.throwsAsync(openLoader(finished, { ...own, targetFrames: 'double' }), {
    instanceOf: RangeError,
    message: /"targetFrames" double needs shards of layout frames/,
  });
  await using loader = await openLoader(finished, { ...own, targetFrames: 'center' });
  t.deepEqual((await loader.next())!.target!.shape, [3, 16, PATCH]);
});
