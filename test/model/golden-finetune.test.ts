import { softTargets } from '../../lib/sample/index.ts';
import {
  applyHead,
  classifierFeatures,
  classifierShapes,
  classify,
  countTokens,
} from '../../lib/model/index.ts';
import { crossEntropy, tf } from '../../lib/ops/index.ts';
import type { ClassifierInputs } from '../../lib/model/index.ts';
import { lossAndGradients } from '../../lib/train/optimizer/gradients.ts';
import { largestDifference, testGoldenCases, worstExcess } from '../helpers/golden-cases.ts';
import { classifierConfigOf, clipTokens, positions, toTensors } from '../helpers/golden-model.ts';
import { ENGINES, gradientsAs, runOnce } from '../helpers/run-engine.ts';

for (const engine of ENGINES) {
  testGoldenCases(
    `forward, losses and gradients on ${engine}`,
    /^e.*_finetune/,
    async (t, golden) => {
      const { facts } = golden;
      const { tolerance } = facts;
      const config = classifierConfigOf(facts['config']);
      const io = golden.tensors('io');
      const weights = golden.tensors('weights');
      const shapes = Object.entries(weights).map(([name, { shape }]) => [name, shape]);
      t.deepEqual(Object.fromEntries(shapes), classifierShapes(config));
      const { numClasses } = config;
      const labels = io['labels']!.data;
      const smoothing = facts['label_smoothing'] as number;
      const tensorOf = (data: ArrayLike<number>): tf.Tensor2D =>
        tf.tensor2d(Float32Array.from(data), [labels.length, numClasses]);
      const mixed = softTargets(labels, { numClasses, smoothing, lambda: facts['mix_lambda'] });
      t.true(worstExcess(mixed, io['soft_target']!.data, { atol: 1e-6 }) <= 0);
      const inputs = {
        tokens: clipTokens(io['input']!, config),
        positions: positions(countTokens(config), config.encoder.width),
        target_loss_soft_target: tensorOf(io['soft_target']!.data),
        target_loss_label_smoothing: tensorOf(softTargets(labels, { numClasses, smoothing })),
        target_loss_cross_entropy: tensorOf(softTargets(labels, { numClasses, smoothing: 0 })),
      };
      const results = await runOnce(
        engine,
        (own, parameters) => {
          const batch = own as never as ClassifierInputs;
          const features = classifierFeatures(parameters, batch, config);
          const logits = applyHead(parameters, features);
          const [soft, smooth] = ['loss_soft_target', 'loss_label_smoothing'].map((name) =>
            lossAndGradients(
              (ownParameters) =>
                crossEntropy(
                  classify(ownParameters, batch, config),
                  own[`target_${name}`] as tf.Tensor2D,
                ),
              parameters,
            ),
          );
          return {
            features,
            logits,
            loss_soft_target: soft!.loss,
            loss_label_smoothing: smooth!.loss,
            loss_cross_entropy: crossEntropy(
              logits,
              own['target_loss_cross_entropy'] as tf.Tensor2D,
            ),
            ...gradientsAs('grads.', soft!.gradients),
            ...gradientsAs('grad_label_smoothing.', smooth!.gradients),
          };
        },
        { inputs, state: toTensors(weights) },
      );
      const close = (name: string, limits = tolerance[name]): void => {
        const excess = worstExcess(results[name]!, io[name]!.data, limits);
        t.true(excess <= 0, `${name}: ${excess} too far`);
      };
      const closeGradient = (name: string, data: ArrayLike<number>): void => {
        const { difference, largest } = largestDifference(results[name]!, data);
        const limit = tolerance.grads.atol_relative_to_tensor_max * largest + 1e-9;
        t.true(difference <= limit, `${name}: ${difference} > ${limit}`);
      };
      close('features');
      close('logits');
      for (const kind of ['soft_target', 'label_smoothing', 'cross_entropy'])
        close(`loss_${kind}`, tolerance.losses);
      for (const [name, { data }] of Object.entries(golden.tensors('grads')))
        closeGradient(`grads.${name}`, data);
      for (const [name, { data }] of Object.entries(io))
        if (name.startsWith('grad_label_smoothing.')) closeGradient(name, data);
    },
  );
}
