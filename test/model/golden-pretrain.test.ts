import {
  encodeVisible,
  predictMasked,
  pretrainLoss,
  pretrainShapes,
} from '../../lib/model/index.ts';
import { largestDifference, testGoldenCases, worstExcess } from '../helpers/golden-cases.ts';
import {
  pretrainBatch,
  pretrainConfigOf,
  toTensors,
  valueAndGradients,
} from '../helpers/golden-model.ts';

testGoldenCases('forward, loss and gradients', /^c.*_pretrain(?!.*_hf$)/, (t, golden) => {
  const { facts } = golden;
  const tolerance = facts['tolerance'];
  const config = pretrainConfigOf(facts['config']);
  const io = golden.tensors('io');
  const weights = golden.tensors('weights');
  const shapes = Object.entries(weights).map(([name, { shape }]) => [name, shape]);
  t.deepEqual(Object.fromEntries(shapes), pretrainShapes(config));
  const inputs = pretrainBatch(
    { input: io['input']!, bytes: io['clip_u8']!, mask: io['mask']! },
    config,
  );
  const parameters = toTensors(weights);
  const close = (name: string, actual: ArrayLike<number>): void => {
    const excess = worstExcess(actual, io[name]!.data, tolerance[name]);
    t.true(excess <= 0, `${name}: ${excess} too far`);
  };
  close('target', inputs.target.dataSync());
  close('encoder_out', encodeVisible(parameters, inputs, config).dataSync());
  close('pred', predictMasked(parameters, inputs, config).dataSync());
  const { value, gradients } = valueAndGradients(
    (own) => pretrainLoss(own, inputs, config),
    parameters,
  );
  close('loss', value.dataSync());
  let squares = 0;
  for (const [name, { data }] of Object.entries(golden.tensors('grads'))) {
    const own = gradients[name]!.dataSync();
    const { difference, largest } = largestDifference(own, data);
    const limit = tolerance.grads.atol_relative_to_tensor_max * largest + 1e-9;
    t.true(difference <= limit, `${name}: ${difference} > ${limit}`);
    for (const one of own) squares += one * one;
  }
  close('grad_norm', [Math.sqrt(squares)]);
});
