import test from 'ava';
import { classify, classifierShapes, countTokens, initialise } from '../../lib/model/index.ts';
import type { ClassifierConfig, ParameterTensors } from '../../lib/model/index.ts';
import { tf } from '../../lib/ops/index.ts';
import { worstExcess } from '../helpers/golden-cases.ts';
import { positions } from '../helpers/golden-model.ts';

const CONFIG: ClassifierConfig = {
  numFrames: 2,
  size: 8,
  tubelet: [2, 4, 4],
  encoder: { width: 12, depth: 2, numHeads: 2 },
  numClasses: 3,
};

function setUp(config: ClassifierConfig): {
  readonly parameters: ParameterTensors;
  readonly inputs: { readonly tokens: tf.Tensor3D; readonly positions: tf.Tensor2D };
} {
  const weights = initialise(classifierShapes(config), {
    seed: 2,
    rule: 'moco',
    branchScale: 0.5,
  });
  const parameters = Object.fromEntries(
    Object.entries(weights).map(([name, { shape, data }]) => [name, tf.tensor(data, [...shape])]),
  );
  const tokens = tf.tensor3d(
    Float32Array.from({ length: 2 * 4 * 96 }, (_, i) => Math.sin(i)),
    [2, 4, 96],
  );
  const table = positions(countTokens(config), config.encoder.width);
  return { parameters, inputs: { tokens, positions: table } };
}

/** The rows of the second block's branches removed from a network, as if it had one block. */
const SHORT: ClassifierConfig = { ...CONFIG, encoder: { ...CONFIG.encoder, depth: 1 } };

test('a clip whose draws are low loses its branches, the others are made larger', (t) => {
  const config = { ...CONFIG, dropPath: 0.5 };
  const { parameters, inputs } = setUp(config);
  const whole = classify(parameters, inputs, SHORT).arraySync();
  const draws = tf.tensor2d([
    [0, 0],
    [0, 0],
    [0.2, 0.7],
    [0.3, 0.9],
  ]);
  const dropped = classify(parameters, { ...inputs, draws }, config).arraySync();
  t.true(worstExcess(dropped[0]!, whole[0]!, { atol: 1e-6 }) <= 0);
  const doubled = {
    ...parameters,
    ...Object.fromEntries(
      ['attn.proj.weight', 'attn.proj.bias', 'mlp.fc2.weight', 'mlp.fc2.bias'].map((name) => [
        `blocks.1.${name}`,
        tf.mul(parameters[`blocks.1.${name}`]!, 2),
      ]),
    ),
  };
  const expected = classify(doubled, inputs, CONFIG).arraySync();
  t.true(worstExcess(dropped[1]!, expected[1]!, { atol: 1e-5 }) <= 0);
  t.deepEqual(
    classify(parameters, inputs, config).arraySync(),
    classify(parameters, inputs, CONFIG).arraySync(),
  );
});

test('learned scales multiply the branches', (t) => {
  const config = { ...CONFIG, branchScale: 0.5 };
  const { parameters, inputs } = setUp(config);
  const halved = Object.fromEntries(
    Object.entries(parameters).map(([name, tensor]) => [
      name,
      /attn\.proj|mlp\.fc2/.test(name) ? tf.mul(tensor, 0.5) : tensor,
    ]),
  );
  const scaled = Array.from(classify(parameters, inputs, config).dataSync());
  const expected = classify(halved, inputs, CONFIG).dataSync();
  t.true(worstExcess(scaled, expected, { atol: 1e-6 }) <= 0);
});

test('dropout before the head takes single features', (t) => {
  const config = { ...CONFIG, headDropout: 0.25 };
  const { parameters, inputs } = setUp(CONFIG);
  const only = 5;
  const headDraws = tf.tensor2d(
    Float32Array.from({ length: 24 }, (_, i) => (i % 12 === only ? 0.9 : 0.1)),
    [2, 12],
  );
  const { 'head.weight': weight, 'head.bias': bias } = parameters;
  const one = classify(parameters, { ...inputs, headDraws }, config).arraySync();
  const masked = tf.mul(
    weight!,
    tf.tensor1d(Array.from({ length: 12 }, (_, i) => (i === only ? 4 / 3 : 0))),
  );
  const expected = classify(
    { ...parameters, 'head.weight': masked, 'head.bias': bias! },
    inputs,
    CONFIG,
  ).arraySync();
  t.true(worstExcess(one.flat(), expected.flat(), { atol: 1e-6 }) <= 0);
});

test('a parameter that is missing is named', (t) => {
  const { parameters, inputs } = setUp(CONFIG);
  const { 'blocks.1.attn.q_bias': _gone, ...rest } = parameters;
  t.throws(() => classify(rest, inputs, CONFIG), {
    instanceOf: RangeError,
    message: /blocks\.1\.attn\.q_bias/,
  });
});
