import { softTargets } from '../../lib/sample/index.ts';
import {
  applyHead,
  classifierFeatures,
  classifierShapes,
  classify,
  countTokens,
  crossEntropy,
} from '../../lib/model/index.ts';
import type { ParameterTensors } from '../../lib/model/index.ts';
import { tf } from '../../lib/model/tf.ts';
import { largestDifference, testGoldenCases, worstExcess } from '../helpers/golden-cases.ts';
import {
  classifierConfigOf,
  clipTokens,
  positions,
  toTensors,
  valueAndGradients,
} from '../helpers/golden-model.ts';

testGoldenCases('forward, losses and gradients', /^e.*_finetune/, (t, golden) => {
  const { facts } = golden;
  const { tolerance } = facts;
  const config = classifierConfigOf(facts['config']);
  const io = golden.tensors('io');
  const weights = golden.tensors('weights');
  const shapes = Object.entries(weights).map(([name, { shape }]) => [name, shape]);
  t.deepEqual(Object.fromEntries(shapes), classifierShapes(config));
  const parameters = toTensors(weights);
  const inputs = {
    tokens: clipTokens(io['input']!, config),
    positions: positions(countTokens(config), config.encoder.width),
  };
  const close = (name: string, actual: ArrayLike<number>, limits = tolerance[name]): void => {
    const excess = worstExcess(actual, io[name]!.data, limits);
    t.true(excess <= 0, `${name}: ${excess} too far`);
  };
  const closeGradient = (name: string, own: tf.Tensor, data: ArrayLike<number>): void => {
    const { difference, largest } = largestDifference(own.dataSync(), data);
    const limit = tolerance.grads.atol_relative_to_tensor_max * largest + 1e-9;
    t.true(difference <= limit, `${name}: ${difference} > ${limit}`);
  };
  const features = classifierFeatures(parameters, inputs, config);
  close('features', features.dataSync());
  close('logits', applyHead(parameters, features).dataSync());

  const labels = io['labels']!.data;
  const numClasses = config.numClasses;
  const smoothing = facts['label_smoothing'] as number;
  const tensorOf = (data: ArrayLike<number>): tf.Tensor2D =>
    tf.tensor2d(Float32Array.from(data), [labels.length, numClasses]);
  const mixed = softTargets(labels, { numClasses, smoothing, lambda: facts['mix_lambda'] });
  t.true(worstExcess(mixed, io['soft_target']!.data, { atol: 1e-6 }) <= 0);
  const targets = {
    loss_soft_target: tensorOf(io['soft_target']!.data),
    loss_label_smoothing: tensorOf(softTargets(labels, { numClasses, smoothing })),
    loss_cross_entropy: tensorOf(softTargets(labels, { numClasses, smoothing: 0 })),
  };
  const lossOf =
    (target: tf.Tensor2D) =>
    (own: ParameterTensors): tf.Scalar =>
      crossEntropy(classify(own, inputs, config), target);
  close(
    'loss_cross_entropy',
    lossOf(targets.loss_cross_entropy)(parameters).dataSync(),
    tolerance.losses,
  );
  const soft = valueAndGradients(lossOf(targets.loss_soft_target), parameters);
  close('loss_soft_target', soft.value.dataSync(), tolerance.losses);
  for (const [name, { data }] of Object.entries(golden.tensors('grads'))) {
    closeGradient(name, soft.gradients[name]!, data);
  }
  const smooth = valueAndGradients(lossOf(targets.loss_label_smoothing), parameters);
  close('loss_label_smoothing', smooth.value.dataSync(), tolerance.losses);
  const prefix = 'grad_label_smoothing.';
  for (const name of Object.keys(io).filter((own) => own.startsWith(prefix))) {
    closeGradient(name, smooth.gradients[name.slice(prefix.length)]!, io[name]!.data);
  }
});
