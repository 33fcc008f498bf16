import { contrastLoss, mocoLoss, runMocoHead } from '../../lib/model/index.ts';
import type { ContrastOptions, ParameterTensors } from '../../lib/model/index.ts';
import { tf } from '../../lib/ops/index.ts';
import { largestDifference, testGoldenCases, worstExcess } from '../helpers/golden-cases.ts';
import { toTensors, valueAndGradients } from '../helpers/golden-model.ts';

testGoldenCases('contrast of queries and keys', /^i1_moco_loss/, (t, golden) => {
  const { tolerance, rows, rank1 } = golden.facts;
  const tensors = golden.tensors();
  const { q1, q2, k1, k2, k1_other_rank, k2_other_rank } = toTensors(tensors) as Record<
    string,
    tf.Tensor2D
  >;
  const check = (
    name: string,
    keys: [tf.Tensor2D, tf.Tensor2D],
    options: ContrastOptions,
  ): void => {
    const { value, gradients } = valueAndGradients(
      (own) => mocoLoss([own['q1'] as tf.Tensor2D, own['q2'] as tf.Tensor2D], keys, options),
      { q1: q1!, q2: q2! },
    );
    const losses = [
      value,
      contrastLoss(q1!, keys[1], options),
      contrastLoss(q2!, keys[0], options),
    ].map((loss) => loss.dataSync()[0]!);
    const golds = tensors[`${name}.loss`]!.data;
    t.true(worstExcess(losses, golds, tolerance.loss) <= 0, `${name}: ${losses.join(' ')}`);
    for (const query of ['q1', 'q2']) {
      const gold = tensors[`${name}.grad_${query}`]!.data;
      t.true(worstExcess(gradients[query]!.dataSync(), gold, tolerance.grads) <= 0, name);
    }
  };
  for (const { temperature } of rows) check(`T${temperature}`, [k1!, k2!], { temperature });
  const all = [tf.concat([k1_other_rank!, k1!]), tf.concat([k2_other_rank!, k2!])] as const;
  const { temperature } = rank1;
  check('rank1', [all[0], all[1]], { temperature, firstKey: k1!.shape[0] });
});

testGoldenCases('projector and predictor', /^i3_moco_heads/, (t, golden) => {
  const { tolerance } = golden.facts;
  const tensors = golden.tensors();
  const all = toTensors(tensors);
  const below = (prefix: string): ParameterTensors =>
    Object.fromEntries(
      Object.entries(all).flatMap(([name, tensor]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), tensor] as const] : [],
      ),
    );
  const projector = below('projector.before.');
  const predictor = below('predictor.before.');
  const x = all['x'] as tf.Tensor2D;
  const train = { isTraining: true };
  const first = runMocoHead(projector, x, { numLayers: 3, ...train });
  const second = runMocoHead(predictor, first.output, { numLayers: 2, ...train });
  const close = (name: string, actual: tf.Tensor, limits: object): void => {
    t.true(worstExcess(actual.dataSync(), tensors[name]!.data, limits) <= 0, name);
  };
  close('projector_out', first.output, tolerance.outputs);
  close('predictor_out', second.output, tolerance.outputs);
  for (const [head, { statistics }] of [
    ['projector', first],
    ['predictor', second],
  ] as const) {
    for (const [name, own] of Object.entries(statistics)) {
      close(`${head}.after.${name}`, own, { ...tolerance.running, atol: 1e-7 });
    }
  }
  const trained = Object.fromEntries(
    [projector, predictor].flatMap((head, i) =>
      Object.entries(head)
        .filter(([name]) => !name.includes('running'))
        .map(([name, tensor]) => [`${i === 0 ? 'projector' : 'predictor'}.${name}`, tensor]),
    ),
  );
  const { gradients } = valueAndGradients((own) => {
    const only = (head: string): ParameterTensors =>
      Object.fromEntries(Object.entries(own).filter(([name]) => name.startsWith(head)));
    const run = (head: string, fixed: ParameterTensors, input: tf.Tensor2D, numLayers: number) =>
      runMocoHead(
        {
          ...fixed,
          ...Object.fromEntries(
            Object.entries(only(head)).map(([name, one]) => [name.slice(head.length + 1), one]),
          ),
        },
        input,
        { numLayers, ...train },
      ).output;
    const projected = run('projector', projector, x, 3);
    return tf.sum(tf.mul(run('predictor', predictor, projected, 2), all['upstream']!));
  }, trained);
  for (const [name, own] of Object.entries(gradients)) {
    const gold = tensors[name.replace('.', '.grad.')]!.data;
    const { difference, largest } = largestDifference(own.dataSync(), gold);
    const limit = tolerance.grads.atol_relative_to_tensor_max * largest + 1e-9;
    t.true(difference <= limit, `${name}: ${difference} > ${limit}`);
  }
  const after = (head: string): ParameterTensors => ({
    ...below(`${head}.before.`),
    ...below(`${head}.after.`),
  });
  const idle = { isTraining: false };
  const out = runMocoHead(
    after('predictor'),
    runMocoHead(after('projector'), x, { numLayers: 3, ...idle }).output,
    { numLayers: 2, ...idle },
  );
  close('predictor_out_eval', out.output, tolerance.outputs);
});
