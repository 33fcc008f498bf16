import test from 'ava';
import {
  MODEL_SIZES,
  classifierShapes,
  initialise,
  pretrainShapes,
} from '../../lib/model/index.ts';

const CLIP = { numFrames: 4, size: 32, tubelet: [2, 16, 16] } as const;
const SMALL = {
  ...CLIP,
  encoder: { width: 48, depth: 2, numHeads: 3 },
  decoder: { width: 24, depth: 1, numHeads: 2 },
};

function spread(data: Float32Array): { readonly largest: number; readonly deviation: number } {
  let largest = 0;
  let squares = 0;
  for (const value of data) {
    largest = Math.max(largest, Math.abs(value));
    squares += value * value;
  }
  return { largest, deviation: Math.sqrt(squares / data.length) };
}

test('pre-training starts from Xavier, with the exceptions of the released code', (t) => {
  const shapes = pretrainShapes(SMALL);
  const weights = initialise(shapes, { seed: 3, rule: 'pretrain' });
  t.deepEqual(Object.keys(weights), Object.keys(shapes));
  const bounds = {
    'encoder.blocks.1.attn.qkv.weight': Math.sqrt(6 / (48 + 144)),
    'encoder.blocks.0.mlp.fc1.weight': Math.sqrt(6 / (48 + 192)),
    'decoder.head.weight': Math.sqrt(6 / (24 + 1536)),
    'encoder_to_decoder.weight': 48 ** -0.5,
    'encoder.patch_embed.proj.weight': 1536 ** -0.5,
    'encoder.patch_embed.proj.bias': 1536 ** -0.5,
  };
  for (const [name, bound] of Object.entries(bounds)) {
    const { largest, deviation } = spread(weights[name]!.data);
    t.true(largest <= bound && largest > 0.9 * bound, name);
    t.true(Math.abs(deviation / (bound / Math.sqrt(3)) - 1) < 0.2, name);
  }
  t.true(spread(weights['mask_token']!.data).largest <= 0.02);
  t.true(weights['encoder.norm.weight']!.data.every((value) => value === 1));
  for (const name of ['attn.q_bias', 'attn.v_bias', 'norm1.bias', 'mlp.fc2.bias']) {
    t.true(
      weights[`encoder.blocks.0.${name}`]!.data.every((value) => value === 0),
      name,
    );
  }
});

test('fine-tuning starts from a normal of 0.02, the head from a thousandth of it', (t) => {
  const shapes = classifierShapes({ ...SMALL, numClasses: 40 });
  const weights = initialise(shapes, { seed: 3, rule: 'finetune', headScale: 0.001 });
  const { deviation } = spread(weights['blocks.1.mlp.fc2.weight']!.data);
  t.true(Math.abs(deviation / 0.02 - 1) < 0.05);
  t.true(Math.abs(spread(weights['head.weight']!.data).deviation / 2e-5 - 1) < 0.1);
  t.true(weights['head.bias']!.data.every((value) => value === 0));
  const moco = initialise(shapes, { seed: 3, rule: 'moco' });
  const bound = Math.sqrt(6 / 96); // queries, keys and values apart
  const { largest } = spread(moco['blocks.0.attn.qkv.weight']!.data);
  t.true(largest <= bound && largest > 0.9 * bound);
  t.true(moco['patch_embed.proj.bias']!.data.every((value) => value === 0));
});

test('a value depends on the seed and the name, and on nothing else', (t) => {
  const deep = { ...SMALL, encoder: { ...SMALL.encoder, depth: 3 } };
  const options = { seed: 5, rule: 'pretrain' } as const;
  const weights = initialise(pretrainShapes(SMALL), options);
  const others = initialise(pretrainShapes(deep), options);
  const name = 'encoder.blocks.1.attn.proj.weight';
  t.deepEqual(weights[name], others[name]!);
  t.deepEqual(initialise(pretrainShapes(SMALL), options), weights);
  const reseeded = initialise(pretrainShapes(SMALL), { ...options, seed: 6 });
  t.notDeepEqual(reseeded[name], weights[name]);
});

test('learned scales of branches start at one value', (t) => {
  const shapes = pretrainShapes({ ...SMALL, branchScale: 0.2 });
  const weights = initialise(shapes, { seed: 1, rule: 'pretrain', branchScale: 0.2 });
  t.true(weights['decoder.blocks.0.gamma_2']!.data.every((value) => value === Math.fround(0.2)));
  t.is(Object.keys(shapes).length, Object.keys(pretrainShapes(SMALL)).length + 6);
});

test('configurations that do not fit are refused', (t) => {
  for (const wrong of [
    { size: 40 },
    { numFrames: 3 },
    { tubelet: [2, 16, 8] },
    { encoder: { width: 50, depth: 2, numHeads: 3 } },
    { decoder: { width: 24, depth: 0, numHeads: 2 } },
    { dropPath: 1 },
    { branchScale: -1 },
    { targetLength: 0 },
  ] as const) {
    t.throws(() => pretrainShapes({ ...SMALL, ...wrong }), {
      instanceOf: RangeError,
    });
  }
  const base = { ...CLIP, ...MODEL_SIZES.Ti };
  t.throws(() => classifierShapes({ ...base, numClasses: 0 }), { instanceOf: RangeError });
  t.throws(() => classifierShapes({ ...base, numClasses: 2, headDropout: 1 }), {
    instanceOf: RangeError,
  });
});
