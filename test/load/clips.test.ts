import test from 'ava';
import { createRng } from '../../lib/core/index.ts';
import { createSequence } from '../../lib/load/index.ts';
import type { Batch, BatchTensor, LoaderOptions } from '../../lib/load/index.ts';
import {
  cutTubelets,
  decodeImage,
  drawMask,
  makeTargets,
  mixBatch,
  normalisePixels,
  resizeClip,
  softTargets,
  splitTokens,
} from '../../lib/sample/index.ts';
import type { ClipShape, TubeletShape } from '../../lib/sample/index.ts';
import { hashClips, runLoader } from '../helpers/batches.ts';
import { CLASSES, clipPixels, makeClip, writeClips } from '../helpers/make-clips.ts';
import type { ClipsForm } from '../helpers/make-clips.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';
import { largestDifference } from '../helpers/random-clip.ts';

const SHAPE: ClipShape = [4, 16, 16, 3];
const TUBELET: TubeletShape = [2, 4, 4];
const TOKENS: ClipsForm = { layout: 'tubelets', shape: SHAPE, tubelet: TUBELET, sizes: [6] };
const FRAMES: ClipsForm = { layout: 'raw', shape: [6, 20, 30, 3], sizes: [6] };
/** Takes frames without drawing anything. */
const PLAIN = { numFrames: 4, size: 16, tubelet: TUBELET, frames: 'first', batchSize: 4 } as const;

/** The values of one clip of a tensor. */
function clipOf(
  { keys }: Batch,
  tensor: BatchTensor | undefined,
  i: number,
): Uint8Array | Int32Array | Float32Array {
  const length = tensor!.data.length / keys.length;
  return tensor!.data.slice(i * length, (i + 1) * length);
}

async function folderOf(
  t: Parameters<typeof temporaryFolder>[0],
  form: ClipsForm,
): Promise<string> {
  const folder = await temporaryFolder(t);
  await writeClips(folder, form);
  return folder;
}

test('colours are normalised, in either form, from either layout', async (t) => {
  const tokens = await folderOf(t, TOKENS);
  for (const form of ['tubelets', 'frames'] as const) {
    const { batches } = await runLoader(tokens, { batchSize: 3, shuffle: 'none', form });
    const bytes = await runLoader(tokens, { batchSize: 3, shuffle: 'none', form, dtype: 'uint8' });
    for (let i = 0; i < 6; i++) {
      const pixels = clipPixels('train', i, SHAPE);
      const wanted = form === 'frames' ? pixels : cutTubelets(pixels, SHAPE, TUBELET);
      const [number, place] = [Math.floor(i / 3), i % 3];
      t.deepEqual(clipOf(bytes.batches[number]!, bytes.batches[number]!.pixels, place), wanted);
      t.deepEqual(
        clipOf(batches[number]!, batches[number]!.pixels, place),
        normalisePixels(wanted),
      );
    }
  }
});

test('a masked batch holds visible and target tokens with their places', async (t) => {
  const mask = { kind: 'tube', ratio: 0.75 } as const;
  const cases: [ClipsForm, LoaderOptions][] = [
    [TOKENS, { batchSize: 2, seed: 4, shuffle: 'none', mask }],
    [TOKENS, { batchSize: 2, seed: 4, shuffle: 'none', mask, dtype: 'uint8', target: 'pixels' }],
    [TOKENS, { batchSize: 2, seed: 4, shuffle: 'none', mask, target: 'pixels', repeats: 2 }],
    [FRAMES, { ...PLAIN, seed: 4, shuffle: 'none', mask, dtype: 'uint8' }],
  ];
  for (const [form, options] of cases) {
    const { mask: _mask, target: _target, ...unmasked } = options;
    const folder = await folderOf(t, form);
    const { batches } = await runLoader(folder, options);
    const plain = await runLoader(folder, { ...unmasked, dtype: 'uint8' });
    for (const [number, batch] of batches.entries()) {
      t.is(batch.pixels, undefined);
      t.deepEqual(batch.visible!.shape, [batch.keys.length, 8, 96]);
      t.deepEqual(batch.target!.shape, [batch.keys.length, 24, 96]);
      for (let i = 0; i < batch.keys.length; i++) {
        const [visible, masked] = [
          clipOf(batch, batch.visibleTokens, i) as Int32Array,
          clipOf(batch, batch.maskedTokens, i) as Int32Array,
        ];
        const repeats = options.repeats ?? 1;
        const rng = createRng(4, 'clip-mask', '', 0, batch.samples[i]!, i % repeats);
        t.deepEqual(splitTokens(drawMask([2, 4, 4], mask, rng)), { visible, masked });
        const tokens = clipOf(
          plain.batches[number]!,
          plain.batches[number]!.pixels,
          i,
        ) as Uint8Array;
        const take = (list: Int32Array): Uint8Array =>
          Buffer.concat(Array.from(list, (token) => tokens.subarray(token * 96, (token + 1) * 96)));
        t.deepEqual(
          clipOf(batch, batch.visible, i),
          options.dtype === 'uint8'
            ? Uint8Array.from(take(visible))
            : normalisePixels(take(visible)),
        );
        const isNormalised = options.target !== 'pixels';
        t.deepEqual(
          clipOf(batch, batch.target, i),
          options.dtype === 'uint8' && !isNormalised
            ? Uint8Array.from(take(masked))
            : makeTargets(tokens, { tokenBytes: 96, tokens: masked, isNormalised }),
        );
      }
    }
  }
});

test('a mixed batch is the unmixed one, mixed by the plan that it names', async (t) => {
  const folder = await folderOf(t, { ...FRAMES, sizes: [15] });
  const mix = { mixupAlpha: 0.8, cutmixAlpha: 1, probability: 1, switchProbability: 0.5 };
  const kinds = new Set<string>();
  for (const form of ['frames', 'tubelets'] as const) {
    const options = { ...PLAIN, seed: 2, form };
    const plain = await runLoader(folder, options);
    const mixed = await runLoader(folder, { ...options, mix, smoothing: 0.1 });
    for (const [number, batch] of mixed.batches.entries()) {
      const wanted = plain.batches[number]!.pixels!.data as Float32Array;
      kinds.add(batch.mix!.kind);
      mixBatch(wanted, SHAPE, batch.mix!, form === 'tubelets' ? TUBELET : undefined);
      t.deepEqual(batch.pixels!.data, wanted);
      const { lambda } = batch.mix!;
      const soft = softTargets(batch.labels, {
        numClasses: CLASSES.length,
        smoothing: 0.1,
        lambda,
      });
      t.deepEqual(batch.softLabels!.data, soft);
    }
    t.is(mixed.batches.at(-1)!.keys.length, 3); // An odd one, whose middle clip stays as it is.
  }
  t.deepEqual([...kinds].toSorted(), ['cutmix', 'mixup']);
});

test('CutMix in tokens is CutMix in frames', (t) => {
  const rng = createRng(0, 'cutmix-forms');
  for (let round = 0; round < 30; round++) {
    const clips = Float32Array.from({ length: 2 * 4 * 16 * 16 * 3 }, () => rng.uniform());
    const [left, top] = [rng.integer(0, 16), rng.integer(0, 16)];
    const box = { left, top, width: rng.integer(0, 17 - left), height: rng.integer(0, 17 - top) };
    const mix = { kind: 'cutmix', lambda: 0.5, box } as const;
    const cut = (batch: Float32Array, i: number): Float32Array =>
      cutTubelets(batch.subarray(i * 3072, (i + 1) * 3072), SHAPE, TUBELET);
    const cutBoth = (batch: Float32Array): Float32Array =>
      Float32Array.of(...cut(batch, 0), ...cut(batch, 1));
    const tokens = cutBoth(clips);
    mixBatch(tokens, SHAPE, mix, TUBELET);
    mixBatch(clips, SHAPE, mix);
    t.deepEqual(tokens, cutBoth(clips));
  }
});

test('classes that know left from right are never mirrored', async (t) => {
  const folder = await folderOf(t, FRAMES);
  const options = { ...PLAIN, seed: 0, shuffle: 'none', form: 'frames', dtype: 'uint8' } as const;
  const plain = await runLoader(folder, options);
  const flipped = await runLoader(folder, { ...options, flip: 1, keepDirection: ['left'] });
  const [a, b] = [plain, flipped].map(({ batches }) => batches.flatMap(hashClips));
  for (const [i, clip] of a!.entries()) t.is(clip === b![i], i % CLASSES.length === 0);
});

test('switching one choice off leaves the others as they are', async (t) => {
  const folder = await folderOf(t, FRAMES);
  const options = { ...PLAIN, frames: 'dense-exact', crop: 'random', seed: 6 } as const;
  const runs = await Promise.all(
    [{}, { flip: 1 }, { erasing: 1 }, { crop: 'center' } as const].map((change) =>
      runLoader(folder, { ...options, ...change }),
    ),
  );
  const [first, ...others] = runs.map(({ batches }) =>
    batches.map(({ keys, frameIndex }) => ({ keys, frameIndex })),
  );
  for (const other of others) t.deepEqual(other, first);
});

test('JPEG frames are cut and scaled as the pictures decoded whole', async (t) => {
  const form: ClipsForm = { layout: 'jpeg', shape: [5, 33, 47, 3], sizes: [4] };
  const folder = await folderOf(t, form);
  const options = { ...PLAIN, seed: 0, shuffle: 'none', form: 'frames', dtype: 'uint8' } as const;
  const { batches } = await runLoader(folder, options);
  const reference = await runLoader(folder, {
    ...options,
    crop: 'multi-scale',
    resize: 'reference',
  });
  const decoder = await runLoader(folder, { ...options, crop: 'multi-scale' });
  for (let i = 0; i < 4; i++) {
    const sample = await makeClip(form, i);
    const pictures = await Promise.all(
      (sample.data as readonly Uint8Array[]).slice(0, 4).map((bytes) => decodeImage(bytes)),
    );
    const whole = Buffer.concat(pictures.map(({ data }) => data));
    // The short side becomes 16, the long one 22, of which the middle is taken.
    const size = { width: 22, height: 16 };
    const scaled = resizeClip(whole, [4, 33, 47, 3], { size });
    const wanted = [0, 1, 2, 3].flatMap((frame) =>
      Array.from({ length: 16 }, (_, row) => {
        const at = ((frame * 16 + row) * 22 + 3) * 3;
        return [...scaled.subarray(at, at + 48)];
      }).flat(),
    );
    t.true(largestDifference(clipOf(batches[0]!, batches[0]!.pixels, i), wanted) <= 2);
    const [a, b] = [reference, decoder].map((run) =>
      clipOf(run.batches[0]!, run.batches[0]!.pixels, i),
    );
    t.true(largestDifference(a!, b!) <= 2);
  }
});

test('a picture that is damaged under a right checksum is a bad sample', async (t) => {
  const folder = await temporaryFolder(t);
  const form: ClipsForm = { layout: 'jpeg', shape: [5, 33, 47, 3], sizes: [3] };
  await writeClips(folder, form, (sample) => {
    if (sample.key !== 'train-clip-00001' || sample.codec !== 'jpeg') return sample;
    return { ...sample, data: sample.data.map((bytes) => bytes.subarray(0, bytes.length / 2)) };
  });
  const options = { ...PLAIN, seed: 0, shuffle: 'none', dtype: 'uint8' } as const;
  const error = await t.throwsAsync(runLoader(folder, options), { code: 'TUBE_SAMPLE_DAMAGED' });
  t.true(error.message.includes('train-clip-00001'));
  const { report } = await runLoader(folder, { ...options, onError: 'missing' });
  t.deepEqual(report.missing, { TUBE_SAMPLE_DAMAGED: 1 });
});

test('window shuffling reads shards in stretches and gives every sample once', async (t) => {
  const folder = await folderOf(t, { ...TOKENS, sizes: [5, 7, 4, 6] });
  const options = {
    batchSize: 4,
    seed: 8,
    shuffle: 'window',
    windowShards: 2,
    windowSamples: 4,
  } as const;
  const { batches } = await runLoader(folder, options);
  const samples = batches.flatMap((batch) => batch.samples);
  t.deepEqual(
    samples.toSorted((a, b) => a - b),
    Array.from({ length: 22 }, (_, i) => i),
  );
  const { batchSize: _size, ...order } = options;
  const sequence = createSequence({ datasets: [{ shardSamples: [5, 7, 4, 6] }], ...order });
  t.deepEqual(
    samples,
    Array.from({ length: 22 }, (_, i) => sequence.at(0, i).sample),
  );
});
