import test from 'ava';
import {
  MODEL_KINDS,
  detectNames,
  openWeights,
  readAllWeights,
  renameWeights,
  toHfNames,
  toOfficialName,
  weightsInMemory,
} from '../../lib/weights/index.ts';
import type { ModelKind, WeightData } from '../../lib/weights/index.ts';
import { readGoldenJson } from '../helpers/safetensors.ts';
import { projectFile } from '../helpers/project.ts';

interface NameRow {
  readonly official: string;
  readonly shape: readonly number[];
  readonly hf: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly rows?: readonly [number, number];
  }[];
}

const names = (await readGoldenJson('e4_vit_b_names.json')) as Record<ModelKind, NameRow[]> & {
  readonly counts: { readonly pretrain: number; readonly finetune_400: number };
};

function goldenWeights(name: string): Promise<Awaited<ReturnType<typeof openWeights>>> {
  return openWeights(projectFile('test', 'golden', name));
}

for (const kind of MODEL_KINDS) {
  test(`all ${names[kind].length} names of ViT-B for ${kind}, both ways`, (t) => {
    for (const { official, hf } of names[kind]) {
      t.deepEqual(
        toHfNames(kind, official),
        hf.map(({ name }) => name),
      );
      for (const [index, { name, rows, shape }] of hf.entries()) {
        t.deepEqual(toOfficialName(kind, name), {
          name: official,
          part: rows === undefined ? null : index,
        });
        if (rows !== undefined) t.is(rows[0], index * shape[0]!);
      }
    }
  });

  test(`renaming ViT-B for ${kind} gives the golden shapes`, (t) => {
    const rows = names[kind];
    const data = new Float32Array(0);
    // Shapes only: no values of that size are needed.
    const weights = rows.map(({ official, shape }) => ({
      name: official,
      dtype: 'F32',
      shape,
      read: () => Promise.resolve({ shape, data }),
    }));
    const hf = renameWeights(weights, { kind, from: 'official', to: 'hf' });
    t.deepEqual(
      hf.map(({ name, shape }) => ({ name, shape })),
      rows.flatMap((row) => row.hf.map(({ name, shape }) => ({ name, shape }))),
    );
    const back = renameWeights(hf, { kind, from: 'hf', to: 'official' });
    t.deepEqual(
      back.map(({ name, shape }) => ({ name, shape })),
      rows.map(({ official, shape }) => ({ name: official, shape })),
    );
  });
}

for (const [from, to] of [
  ['c1_pretrain', 'c1_pretrain_hf'],
  ['c1_pretrain_hf', 'c1_pretrain'],
] as const) {
  test(`${from} renamed is ${to}, value by value`, async (t) => {
    await using source = await goldenWeights(`${from}.weights.safetensors`);
    await using target = await goldenWeights(`${to}.weights.safetensors`);
    const kind = 'pretrain';
    const isHf = to === 'c1_pretrain_hf';
    const renamed = await readAllWeights(
      renameWeights(source.weights, {
        kind,
        from: isHf ? 'official' : 'hf',
        to: isHf ? 'hf' : 'official',
      }),
    );
    const expected = await readAllWeights(target.weights);
    t.is(renamed.size, isHf ? 55 : 49);
    t.deepEqual(Object.fromEntries(renamed), Object.fromEntries(expected));
  });
}

test('a file says by its names what it is', async (t) => {
  await using official = await goldenWeights('c1_pretrain.weights.safetensors');
  await using hf = await goldenWeights('c1_pretrain_hf.weights.safetensors');
  const namesOf = (weights: readonly { readonly name: string }[]): string[] =>
    weights.map(({ name }) => name);
  t.deepEqual(detectNames(namesOf(official.weights)), { style: 'official', kind: 'pretrain' });
  t.deepEqual(detectNames(namesOf(hf.weights)), { style: 'hf', kind: 'pretrain' });
  const { finetune } = names;
  t.deepEqual(detectNames(finetune.map((row) => row.official)), {
    style: 'official',
    kind: 'finetune',
  });
  t.deepEqual(detectNames(finetune.flatMap((row) => namesOf(row.hf))), {
    style: 'hf',
    kind: 'finetune',
  });
  t.is(detectNames(['layer1.0.conv1.weight', 'fc.weight']), null);
  t.is(detectNames([]), null);
});

const matrix: WeightData = { shape: [4, 2], data: new Float32Array(8) };
const ENCODER = 'videomae.encoder.layer.0.attention.attention';

for (const [what, weights, from] of [
  ['a weight without a counterpart', [['blocks.0.gamma_1', matrix]], 'official'],
  ['a weight of another model', [['bert.pooler.weight', matrix]], 'hf'],
  ['a fused matrix of four rows', [['blocks.0.attn.qkv.weight', matrix]], 'official'],
  ['queries without keys and values', [[`${ENCODER}.query.weight`, matrix]], 'hf'],
  [
    'values of another shape',
    [
      [`${ENCODER}.query.weight`, matrix],
      [`${ENCODER}.key.weight`, matrix],
      [`${ENCODER}.value.weight`, { shape: [2, 4], data: matrix.data }],
    ],
    'hf',
  ],
] as const) {
  test(`${what} is refused by name`, (t) => {
    const error = t.throws(
      () =>
        renameWeights(weightsInMemory(weights as readonly (readonly [string, WeightData])[]), {
          kind: 'finetune',
          from,
          to: from === 'hf' ? 'official' : 'hf',
        }),
      { code: 'TUBE_WEIGHTS_MISMATCH' },
    );
    t.regex(error.message, /gamma_1|bert|qkv/);
  });
}
