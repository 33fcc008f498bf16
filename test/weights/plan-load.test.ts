import test from 'ava';
import { planLoad } from '../../lib/weights/index.ts';
import type { ModelKind, Weight } from '../../lib/weights/index.ts';
import { readGoldenJson } from '../helpers/safetensors.ts';

type Rows = readonly { readonly official: string; readonly shape: readonly number[] }[];
const golden = (await readGoldenJson('e4_vit_b_names.json')) as Record<ModelKind, Rows>;

/** Weights without values: planning looks at names and shapes alone. */
function listed(rows: Rows): Weight[] {
  return rows.map(({ official, shape }) => ({
    name: official,
    dtype: 'F32',
    shape,
    read: () => Promise.reject(new Error('not needed')),
  }));
}

const pretrained = listed(golden.pretrain);
const classifier = listed(golden.finetune);
const names = (weights: readonly { readonly name: string }[]): string[] =>
  weights.map(({ name }) => name);

test('the encoder of a pre-trained ViT-B starts a classifier; the rest is named', (t) => {
  const { loaded, fresh, unused } = planLoad(pretrained, classifier, 'encoder');
  t.deepEqual(fresh, ['fc_norm.weight', 'fc_norm.bias', 'head.weight', 'head.bias']);
  t.deepEqual(
    names(loaded),
    names(classifier).filter((name) => !fresh.includes(name)),
  );
  t.is(loaded.length, 158);
  t.deepEqual(
    unused,
    names(pretrained).filter((name) => !/^encoder\.(patch_embed|blocks)\./.test(name)),
  );
  t.true(unused.includes('encoder_to_decoder.weight') && unused.includes('encoder.norm.bias'));
  t.is(loaded.length + unused.length, pretrained.length);
});

test('a classifier for other classes gives all but its head', (t) => {
  const ten = classifier.map((weight) =>
    weight.name.startsWith('head.') ? { ...weight, shape: [10, ...weight.shape.slice(1)] } : weight,
  );
  const { loaded, fresh, unused } = planLoad(classifier, ten, 'encoder');
  t.deepEqual(fresh, ['head.weight', 'head.bias']);
  t.deepEqual(unused, ['head.weight', 'head.bias']);
  t.is(loaded.length, 160);
});

test('a head without the normalisation that it was trained behind is left where it is', (t) => {
  const probed = classifier.filter(({ name }) => !name.startsWith('fc_norm.'));
  const { fresh, unused } = planLoad(probed, classifier, 'encoder');
  t.deepEqual(fresh, ['fc_norm.weight', 'fc_norm.bias', 'head.weight', 'head.bias']);
  t.deepEqual(unused, ['head.weight', 'head.bias']);
  t.deepEqual(planLoad(classifier, classifier, 'encoder').fresh, []);
  t.deepEqual(planLoad(probed, probed, 'encoder').fresh, [], 'a model without that normalisation');
});

test('weights with the prefix backbone are those of an encoder', (t) => {
  const backbone = classifier.map((weight) => ({ ...weight, name: `backbone.${weight.name}` }));
  t.is(planLoad(backbone, classifier, 'encoder').loaded.length, classifier.length);
});

test('exact: everything in its place, in the order of the model', (t) => {
  const plan = planLoad([...pretrained].reverse(), pretrained, 'exact');
  t.deepEqual(names(plan.loaded), names(pretrained));
  t.deepEqual([plan.fresh, plan.unused], [[], []]);
});

for (const [what, file, model, rule, named] of [
  ['exact: a missing weight', classifier.slice(1), classifier, 'exact', 'patch_embed.proj.weight'],
  ['exact: a weight too many', classifier, classifier.slice(1), 'exact', 'patch_embed.proj.weight'],
  [
    'exact: a head of another shape',
    classifier,
    classifier.map((weight) => ({ ...weight, shape: [...weight.shape, 1] })),
    'exact',
    'patch_embed.proj.weight',
  ],
  [
    'encoder: a block of another shape',
    pretrained,
    classifier.map((weight) => ({ ...weight, shape: [7] })),
    'encoder',
    'encoder.patch_embed.proj.weight',
  ],
  ['encoder: nothing that fits', pretrained.slice(-3), classifier, 'encoder', 'decoder.head.bias'],
] as const) {
  test(`${what} is refused by name`, (t) => {
    const error = t.throws(() => planLoad(file, model, rule), { code: 'TUBE_WEIGHTS_MISMATCH' });
    t.true(error.message.includes(named), error.message);
  });
}
