import test from 'ava';
import {
  MODEL_SIZES,
  classifierShapes,
  countParameters,
  dropPathRates,
  positionTable,
  pretrainShapes,
  tokenTargets,
} from '../../lib/model/index.ts';
import { IMAGENET_COLOURS } from '../../lib/sample/index.ts';
import { tf } from '../../lib/ops/index.ts';
import { testGoldenCases, worstExcess } from '../helpers/golden-cases.ts';
import { clipTokens } from '../helpers/golden-model.ts';
import { readGoldenTensor } from '../helpers/safetensors.ts';

const CLIP = { numFrames: 16, size: 224, tubelet: [2, 16, 16] } as const;

testGoldenCases('position tables', /^b1_posembed/, (t, golden) => {
  for (const [name, { shape, data }] of Object.entries(golden.tensors())) {
    const table = positionTable(shape[0]!, shape[1]!);
    t.true(worstExcess(table, data, golden.facts['tolerance']) <= 0, name);
  }
});

testGoldenCases('position tables of full size', /^b2_posembed/, (t, golden) => {
  const { tables, tolerance } = golden.facts;
  const tensors = golden.tensors();
  for (const [name, facts] of Object.entries(tables as Record<string, Record<string, never>>)) {
    const [numTokens, width] = facts['shape']! as [number, number];
    const table = positionTable(numTokens, width);
    const rows = (facts['rows']! as number[]).flatMap((row) =>
      Array.from(table.subarray(row * width, (row + 1) * width)),
    );
    t.true(worstExcess(rows, tensors[`${name}.rows`]!.data, tolerance.rows) <= 0, name);
    const sums = Array.from({ length: width }, (_, column) => {
      let sum = 0;
      for (let token = 0; token < numTokens; token++) sum += table[token * width + column]!;
      return sum;
    });
    const golds = tensors[`${name}.column_sums`]!.data;
    t.true(worstExcess(sums, golds, tolerance.column_sums) <= 0, name);
    const whole = sums.reduce((a, b) => a + b, 0);
    t.true(Math.abs(whole - facts['sum']!) <= tolerance.sum.atol, name);
  }
});

testGoldenCases('rates of drop path', /^d3_drop_path/, (t, golden) => {
  for (const { rate, depth, values } of golden.facts['rows']) {
    t.true(worstExcess(dropPathRates(rate, depth), values, golden.facts['tolerance']) <= 0);
  }
});

testGoldenCases('names, order and shapes of ViT-B', /^e4_vit_b/, (t, golden) => {
  const { pretrain, finetune, counts } = golden.facts;
  const listed = (rows: readonly { official: string; shape: number[] }[]): unknown =>
    rows.map(({ official, shape }) => [official, shape]);
  const own = pretrainShapes({ ...CLIP, ...MODEL_SIZES.B });
  t.deepEqual(Object.entries(own), listed(pretrain));
  const classifier = classifierShapes({ ...CLIP, ...MODEL_SIZES.B, numClasses: 400 });
  t.deepEqual(Object.entries(classifier), listed(finetune));
  t.is(countParameters(own), counts.pretrain);
  t.is(countParameters(classifier), counts.finetune_400);
});

for (const { size, pretrain, finetune } of [
  { size: 'S', pretrain: 24_029_376, finetune: 22_033_936 },
  { size: 'B', pretrain: 94_210_944, finetune: 86_534_800 },
  { size: 'L', pretrain: 342_996_992, finetune: 304_270_736 },
  { size: 'H', pretrain: 692_487_296, finetune: 632_119_440 },
] as const) {
  test(`${size} has the parameters of the paper`, (t) => {
    const config = { ...CLIP, ...MODEL_SIZES[size], numClasses: 400 };
    t.is(countParameters(pretrainShapes(config)), pretrain);
    t.is(countParameters(classifierShapes(config)), finetune);
  });
}

test('golden a2: targets in tensor operations', async (t) => {
  const input = await readGoldenTensor('a2_targets.safetensors', 'input');
  const tokens = clipTokens(input, {
    size: 24,
    numFrames: 4,
    tubelet: [2, 8, 8],
    encoder: { width: 1, depth: 1, numHeads: 1 },
  });
  const pixels = tokenTargets(tokens, { ...IMAGENET_COLOURS, isNormalised: false }).dataSync();
  const raw = await readGoldenTensor('a2_cubes_patch8.safetensors', 'cubes_raw');
  t.true(worstExcess(pixels, raw.data, { atol: 2e-6 }) <= 0);
  const normal = tokenTargets(tokens, IMAGENET_COLOURS).dataSync();
  const golden = await readGoldenTensor('a2_targets.safetensors', 'cubes_normalised');
  t.true(worstExcess(normal, golden.data, { atol: 2e-5 }) <= 0);
});

test('golden a4: a tubelet of one colour stays near 0', (t) => {
  const one = Float32Array.from({ length: 384 }, (_, i) => (i % 3 === 0 ? 1.1 : -0.3));
  const target = tokenTargets(tf.tensor3d(one, [1, 1, 384]), IMAGENET_COLOURS).dataSync();
  t.true(target.every((value) => Math.abs(value) <= 0.2));
});
