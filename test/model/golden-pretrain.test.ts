import {
  encodeVisible,
  predictMasked,
  pretrainLoss,
  pretrainShapes,
} from '../../lib/model/index.ts';
import type { PretrainInputs } from '../../lib/model/index.ts';
import { lossAndGradients } from '../../lib/train/optimizer/gradients.ts';
import { renameWeights, weightsInMemory } from '../../lib/weights/index.ts';
import type { WeightData } from '../../lib/weights/index.ts';
import { largestDifference, testGoldenCases, worstExcess } from '../helpers/golden-cases.ts';
import type { GoldenCase } from '../helpers/golden-cases.ts';
import { pretrainBatch, pretrainConfigOf, toTensors } from '../helpers/golden-model.ts';
import { ENGINES, gradientsAs, runOnce } from '../helpers/run-engine.ts';

/** Weights of a case under official names, whatever names they are stored under. */
async function officialWeights(golden: GoldenCase): Promise<Record<string, WeightData>> {
  const stored = weightsInMemory(Object.entries(golden.tensors('weights')));
  const isHf = stored.some(({ name }) => name.startsWith('videomae.'));
  const official = isHf
    ? renameWeights(stored, { kind: 'pretrain', from: 'hf', to: 'official' })
    : stored;
  const values = official.map(async (weight) => [weight.name, await weight.read()] as const);
  return Object.fromEntries(await Promise.all(values));
}

for (const engine of ENGINES) {
  testGoldenCases(
    `forward, loss and gradients on ${engine}`,
    /^c.*_pretrain/,
    async (t, golden) => {
      const source = golden.hasPart('io') ? golden : golden.named(golden.name.replace(/_hf$/, ''));
      const { tolerance } = source.facts;
      const config = pretrainConfigOf(golden.facts['config']);
      const io = source.tensors('io');
      const weights = await officialWeights(golden);
      const expected = pretrainShapes(config);
      t.deepEqual(new Set(Object.keys(weights)), new Set(Object.keys(expected)));
      for (const [name, { shape }] of Object.entries(weights)) t.deepEqual(shape, expected[name]!);
      const clips = { input: io['input']!, bytes: io['clip_u8']!, mask: io['mask']! };
      const inputs = { ...pretrainBatch(clips, config) };
      const results = await runOnce(
        engine,
        (own, parameters) => {
          const batch = own as never as PretrainInputs;
          const { loss, gradients } = lossAndGradients(
            (ownParameters) => pretrainLoss(ownParameters, batch, config),
            parameters,
          );
          return {
            loss,
            encoder_out: encodeVisible(parameters, batch, config),
            pred: predictMasked(parameters, batch, config),
            ...gradientsAs('grads.', gradients),
          };
        },
        { inputs, state: toTensors(weights) },
      );
      const close = (name: string, actual: ArrayLike<number>): void => {
        const excess = worstExcess(actual, io[name]!.data, tolerance[name]);
        t.true(excess <= 0, `${name}: ${excess} too far`);
      };
      close('target', inputs.target.dataSync());
      for (const name of ['encoder_out', 'pred', 'loss']) close(name, results[name]!);
      let squares = 0;
      for (const [name, { data }] of Object.entries(source.tensors('grads'))) {
        const own = results[`grads.${name}`]!;
        const { difference, largest } = largestDifference(own, data);
        const limit = tolerance.grads.atol_relative_to_tensor_max * largest + 1e-9;
        t.true(difference <= limit, `${name}: ${difference} > ${limit}`);
        for (const one of own) squares += one * one;
      }
      close('grad_norm', [Math.sqrt(squares)]);
    },
  );
}
