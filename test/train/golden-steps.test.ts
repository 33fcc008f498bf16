import type { ExecutionContext } from 'ava';
import { classify, countTokens, pretrainLoss } from '../../lib/model/index.ts';
import { crossEntropy, tf } from '../../lib/ops/index.ts';
import { adamwScalars } from '../../lib/train/optimizer/adamw.ts';
import { parameterRules } from '../../lib/train/optimizer/parameter-groups.ts';
import type { ParameterRules } from '../../lib/train/optimizer/parameter-groups.ts';
import { cosineSchedule } from '../../lib/train/schedule.ts';
import { createTrainStep, stateShapes } from '../../lib/train/train-step.ts';
import type { TrainStepOptions } from '../../lib/train/train-step.ts';
import type { NamedTensors } from '../../lib/train/tensors.ts';
import { compile } from '../../lib/engine/index.ts';
import type { EngineName } from '../../lib/engine/index.ts';
import { testGoldenCases, worstExcess } from '../helpers/golden-cases.ts';
import type { GoldenCase } from '../helpers/golden-cases.ts';
import {
  classifierConfigOf,
  clipTokens,
  positions,
  pretrainBatch,
  pretrainConfigOf,
  toTensors,
} from '../helpers/golden-model.ts';
import { ENGINES, specsOf } from '../helpers/run-engine.ts';
import type { Tensor } from '../helpers/safetensors.ts';

interface Trajectory {
  readonly golden: GoldenCase;
  readonly initial: Record<string, Tensor>;
  readonly lossOf: TrainStepOptions['lossOf'];
  readonly inputsOf: (step: number) => NamedTensors;
  readonly rules: ParameterRules;
}

/** Runs the steps of a case and compares loss, norm and rate of each, and the parameters at the end. */
async function follow(
  t: ExecutionContext,
  engine: EngineName,
  { golden, initial, lossOf, inputsOf, rules }: Trajectory,
): Promise<void> {
  const { facts } = golden;
  const { tolerance, optimizer } = facts;
  const io = golden.tensors('io');
  const { betas, eps: epsilon, weight_decay: weightDecay, clip_grad: clipNorm } = optimizer;
  const { base, final, epochs, iters_per_epoch: perEpoch, warmup_epochs } = optimizer.lr_schedule;
  const numSteps = epochs * perEpoch;
  const rateAt = cosineSchedule({ base, final, numSteps, warmupSteps: warmup_epochs * perEpoch });
  const options = { beta1: betas[0], beta2: betas[1], epsilon, rules, clipNorm, lossOf };
  const shapes = Object.fromEntries(
    Object.entries(initial).map(([name, { shape }]) => [name, shape]),
  );
  const state = stateShapes(shapes, options);
  const scalars = ['lr', 'weightDecay', 'correction1', 'correction2'];
  const inputs = {
    ...specsOf(inputsOf(0)),
    ...Object.fromEntries(scalars.map((name) => [name, { shape: [] }])),
  };
  await using program = await compile(createTrainStep(options).run, { inputs, state }, { engine });
  program.setState(toTensors(initial));
  const series: Record<string, number[]> = { loss: [], grad_norm: [], lr: [] };
  const count = io['loss']!.data.length;
  for (let i = 0; i < count; i++) {
    const { correction1, correction2 } = adamwScalars(i, options);
    const { loss, gradNorm } = await program.run({
      ...inputsOf(i),
      lr: [rateAt(i)],
      weightDecay: [weightDecay],
      correction1: [correction1],
      correction2: [correction2],
    });
    series['loss']!.push(loss![0]!);
    series['grad_norm']!.push(gradNorm![0]!);
    series['lr']!.push(rateAt(i));
  }
  const limits = { ...tolerance, lr: { rtol: 1e-6 } };
  for (const [name, own] of Object.entries(series)) {
    const excess = worstExcess(own, io[name]!.data, limits[name]);
    t.true(excess <= 0, `${name}: ${excess} too far: ${own.join(' ')}`);
  }
  compareParameters(t, golden, program.readState(), series['lr']!);
}

/** At most 0.1 % of the values may miss the tolerance, by up to twice the sum of the rates. */
function compareParameters(
  t: ExecutionContext,
  golden: GoldenCase,
  parameters: Readonly<Record<string, ArrayLike<number>>>,
  rates: readonly number[],
): void {
  const { atol } = golden.facts['tolerance'].final;
  const farthest = 2 * rates.reduce((sum, rate) => sum + rate, 0);
  let outliers = 0;
  let count = 0;
  for (const [name, { data }] of Object.entries(golden.tensors('final'))) {
    const own = parameters[name]!;
    for (const [i, value] of data.entries()) {
      const gap = Math.abs(own[i]! - value);
      if (!(gap <= farthest)) t.fail(`${name}[${i}] is ${gap} off`);
      if (gap > atol) outliers += 1;
    }
    count += data.length;
  }
  t.true(outliers <= count / 1000, `${outliers} of ${count} values are outliers`);
}

/** Part `index` along the first axis. */
function partOf({ shape, data }: Tensor, index: number): Tensor {
  const rest = shape.slice(1);
  const length = rest.reduce((a, b) => a * b, 1);
  return { shape: rest, data: data.slice(index * length, (index + 1) * length) };
}

for (const engine of ENGINES)
  testGoldenCases(`steps of pre-training on ${engine}`, /^d.*_steps/, async (t, golden) => {
    const config = pretrainConfigOf(golden.facts['config']);
    const io = golden.tensors('io');
    const initial = golden.tensors('initial');
    const shapes = Object.fromEntries(
      Object.entries(initial).map(([name, one]) => [name, one.shape]),
    );
    const numClips = io['clips_u8']!.shape[0]!;
    const rules = parameterRules(shapes);
    for (const [name, decay] of Object.entries(
      golden.facts['weight_decay_by_parameter'] as Record<string, number>,
    )) {
      t.is(rules[name]!.decays, decay > 0, name);
    }
    await follow(t, engine, {
      golden,
      initial,
      lossOf: (parameters, inputs) => pretrainLoss(parameters, inputs as never, config),
      inputsOf: (step) => ({
        ...pretrainBatch(
          {
            input: partOf(io['inputs']!, step % numClips),
            bytes: partOf(io['clips_u8']!, step % numClips),
            mask: partOf(io['masks']!, step),
          },
          config,
        ),
      }),
      rules,
    });
  });

for (const engine of ENGINES)
  testGoldenCases(`steps of fine-tuning on ${engine}`, /^f.*_steps/, async (t, golden) => {
    const { facts } = golden;
    const config = classifierConfigOf(facts['config']);
    const source = golden.hasPart('initial')
      ? golden
      : golden.sibling(/^f.*_steps$/, facts['seeds']);
    const io = source.tensors('io');
    const initial = source.tensors('initial');
    const shapes = Object.fromEntries(
      Object.entries(initial).map(([name, one]) => [name, one.shape]),
    );
    const factor = facts['optimizer'].layer_decay as number;
    const rules = parameterRules(shapes, { factor, depth: config.encoder.depth });
    for (const { name, layer_id, lr_scale, weight_decay } of facts['param_groups']) {
      t.deepEqual(rules[name], { lrScale: lr_scale, decays: weight_decay > 0, layer: layer_id });
    }
    const table = positions(countTokens(config), config.encoder.width);
    const numClips = io['inputs']!.shape[0]!;
    await follow(t, engine, {
      golden,
      initial,
      lossOf: (parameters, { tokens, positions: positionsOf, softLabels }) =>
        crossEntropy(
          classify(
            parameters,
            { tokens: tokens as tf.Tensor3D, positions: positionsOf as tf.Tensor2D },
            config,
          ),
          softLabels as tf.Tensor2D,
        ),
      inputsOf: (step) => {
        const labels = partOf(io['soft_targets']!, step % numClips);
        return {
          positions: table,
          tokens: clipTokens(partOf(io['inputs']!, step % numClips), config),
          softLabels: tf.tensor(labels.data, [...labels.shape]),
        };
      },
      rules,
    });
  });
