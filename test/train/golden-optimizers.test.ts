import { tf } from '../../lib/ops/index.ts';
import { adamwScalars, adamwStep } from '../../lib/train/optimizer/adamw.ts';
import { followParameters } from '../../lib/train/optimizer/gradients.ts';
import { parameterRules } from '../../lib/train/optimizer/parameter-groups.ts';
import { larsStep, sgdStep } from '../../lib/train/optimizer/sgd.ts';
import { classifierShapes, pretrainShapes, MODEL_SIZES } from '../../lib/model/index.ts';
import { cosineBetween, cosineSchedule, mocoMomentum, mocoRate } from '../../lib/train/schedule.ts';
import { testGoldenCases, worstExcess } from '../helpers/golden-cases.ts';
import type { NamedTensors } from '../../lib/train/tensors.ts';

testGoldenCases('AdamW and SGD on a vector', /^d2_optimiser_units/, (t, golden) => {
  const tensors = golden.tensors();
  const rows = (name: string): Float32Array[] => {
    const { data, shape } = tensors[name]!;
    const length = shape[1]!;
    return Array.from({ length: shape[0]! }, (_, i) =>
      (data as Float32Array).slice(i * length, (i + 1) * length),
    );
  };
  const gradients = rows('grads').map((row) => ({ p: tf.tensor1d(row) }));
  const rates = Array.from(tensors['lr']!.data);
  const start: NamedTensors = { p: tf.tensor1d(tensors['p0']!.data as Float32Array) };
  const zeros: NamedTensors = { p: tf.zeros([7]) };
  const check = (name: string, row: number, own: NamedTensors): void => {
    const excess = worstExcess(own['p']!.dataSync(), rows(name)[row]!, golden.facts['tolerance']);
    t.true(excess <= 0, `${name} step ${row}: ${excess}`);
  };
  for (const { name, beta2, weightDecay } of [
    { name: 'adamw_0.9_0.95_wd0.05', beta2: 0.95, weightDecay: 0.05 },
    { name: 'adamw_0.9_0.999_wd0', beta2: 0.999, weightDecay: 0 },
  ]) {
    const rules = { p: { lrScale: 1, decays: true, layer: -1 } };
    const options = { beta1: 0.9, beta2, rules };
    let state = { parameters: start, first: zeros, second: zeros };
    for (const [step, own] of gradients.entries()) {
      const { correction1, correction2 } = adamwScalars(step, options);
      const scalars = {
        lr: tf.scalar(rates[step]!),
        weightDecay: tf.scalar(weightDecay),
        correction1: tf.scalar(correction1),
        correction2: tf.scalar(correction2),
      };
      state = adamwStep(state, own, scalars, options);
      check(name, step, state.parameters);
    }
  }
  for (const { name, weightDecay, nesterov } of [
    { name: 'sgd_0.9_wd0', weightDecay: 0, nesterov: false },
    { name: 'sgd_0.9_wd0.1_nesterov', weightDecay: 0.1, nesterov: true },
  ]) {
    let state = { parameters: start, momentum: zeros };
    for (const [step, own] of gradients.entries()) {
      const lr = tf.scalar(rates[step]!);
      state = sgdStep(state, own, lr, { momentum: 0.9, weightDecay, nesterov });
      check(name, step, state.parameters);
    }
  }
});

testGoldenCases('LARS', /^i5_lars/, (t, golden) => {
  const { config, tolerance } = golden.facts;
  const tensors = golden.tensors();
  const rowOf = (name: string, row: number, shape: number[]): tf.Tensor => {
    const length = shape.reduce((a, b) => a * b, 1);
    return tf.tensor(tensors[name]!.data.slice(row * length, (row + 1) * length), shape);
  };
  const [weightShape, biasShape] = [[3, 5], [3]];
  let state = {
    parameters: { weight: rowOf('weight0', 0, weightShape), bias: rowOf('bias0', 0, biasShape) },
    momentum: { weight: tf.zeros(weightShape), bias: tf.zeros(biasShape) },
  } as { parameters: NamedTensors; momentum: NamedTensors };
  for (let step = 0; step < 4; step++) {
    const gradients = {
      weight: rowOf('grad_weight', step, weightShape),
      bias: rowOf('grad_bias', step, biasShape),
    };
    state = larsStep(state, gradients, tf.scalar(config.lr), {
      momentum: config.momentum,
      weightDecay: config.weight_decay,
      trust: config.trust_coefficient,
    });
    for (const [name, shape] of [
      ['weight', weightShape],
      ['bias', biasShape],
    ] as const) {
      const own = state.parameters[name]!.dataSync();
      t.true(worstExcess(own, rowOf(name, step, [...shape]).dataSync(), tolerance) <= 0, name);
    }
  }
});

testGoldenCases('the momentum encoder follows', /^i4_moco_ema/, (t, golden) => {
  const tensors = golden.tensors();
  const named = (prefix: string): NamedTensors =>
    Object.fromEntries(
      [0, 1].map((i) => {
        const { data, shape } = tensors[`${prefix}_${i}`]!;
        return [`${i}`, tf.tensor(data, [...shape])];
      }),
    );
  for (const decay of [0.99, tf.scalar(0.99)]) {
    const after = followParameters(named('momentum_before'), named('base'), decay);
    for (const i of [0, 1]) {
      const gold = tensors[`momentum_after_${i}`]!.data;
      t.true(worstExcess(after[i]!.dataSync(), gold, golden.facts['tolerance']) <= 0);
    }
  }
});

const CLIP = { numFrames: 16, size: 224, tubelet: [2, 16, 16] } as const;

testGoldenCases(
  'which parameters decay, and how fast they learn',
  /^e3_param_groups/,
  (t, golden) => {
    const tables = golden.facts['tables'] as Record<string, Record<string, number & string>[]>;
    const sizes = { small: 'S', base: 'B', large: 'L', huge: 'H' } as const;
    for (const [table, rows] of Object.entries(tables)) {
      const [kind, word] = table.split('_') as [string, keyof typeof sizes];
      const config = { ...CLIP, ...MODEL_SIZES[sizes[word]] };
      const factor = Number(/0\.\d+$/.exec(table)?.[0] ?? 1);
      const isPretrain = kind === 'pretrain';
      const shapes = isPretrain
        ? pretrainShapes(config)
        : classifierShapes({ ...config, numClasses: 400 });
      const own = parameterRules(
        shapes,
        isPretrain ? null : { factor, depth: config.encoder.depth },
      );
      t.deepEqual(
        new Set(Object.keys(own)),
        new Set<string>(rows.map((row) => row['name']!)),
        table,
      );
      for (const row of rows) {
        const { lrScale, decays, layer } = own[row['name']!]!;
        t.true(Math.abs(lrScale / row['lr_scale']! - 1) <= 1e-12, row['name']);
        t.is(decays ? 0.05 : 0, row['weight_decay']!, row['name']);
        if (!isPretrain) t.is(layer, row['layer_id']!, row['name']);
      }
    }
  },
);

testGoldenCases('cosine with warm-up', /^f3_schedules/, (t, golden) => {
  for (const row of golden.facts['rows']) {
    const perEpoch = row.iters_per_epoch as number;
    const valueAt = cosineSchedule({
      base: row.base,
      final: row.final,
      numSteps: row.epochs * perEpoch,
      warmupSteps: row.warmup_steps ?? (row.warmup_epochs ?? 0) * perEpoch,
      start: row.start_warmup_value ?? 0,
    });
    const own = (row.values as number[]).map((_, step) => valueAt(step));
    t.true(worstExcess(own, row.values, { rtol: 1e-12, atol: 1e-18 }) <= 0, row.tensor);
  }
});

testGoldenCases('schedules of MoCo v3', /^i2_moco_schedules/, (t, golden) => {
  const limits = { rtol: 1e-12 };
  const tables = golden.facts['tables'] as Record<string, Record<string, number>>;
  for (const [name, table] of Object.entries(tables)) {
    const values = table['values'] as unknown as number[];
    const { epochs, iters_per_epoch: perEpoch } = table as {
      epochs: number;
      iters_per_epoch: number;
    };
    const own = values.map((_, step) => {
      if (name === 'linear_lr') return cosineBetween(table['init_lr']!, 0, step / epochs);
      const epoch = step / perEpoch;
      if (name.startsWith('momentum')) return mocoMomentum(table['base']!, epoch / epochs);
      return mocoRate(table['lr']!, { epoch, epochs, warmupEpochs: table['warmup_epochs']! });
    });
    t.true(worstExcess(own, values, limits) <= 0, name);
  }
});
