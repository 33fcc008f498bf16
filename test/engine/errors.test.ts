/** What cannot be traced says so, with the operation and the line. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import * as tf from '@tensorflow/tfjs';
import { TubeletError, compile } from '../../lib/index.ts';
import type { ErrorCode } from '../../lib/index.ts';

type Named = Readonly<Record<string, tf.Tensor>>;

interface Row {
  readonly title: string;
  readonly code: ErrorCode;
  readonly operation: RegExp;
  /** Text of the line that must be named. */
  readonly line?: string;
  readonly fn: (inputs: Named) => Named;
}

const ROWS: Row[] = [
  {
    title: 'dataSync',
    code: 'TUBE_TRACE_READ',
    operation: /dataSync/u,
    line: 'x!.sum().dataSync()',
    fn: ({ x }) => ({ y: tf.scalar(x!.sum().dataSync()[0]!) }),
  },
  {
    title: 'arraySync',
    code: 'TUBE_TRACE_READ',
    operation: /arraySync/u,
    line: 'x!.arraySync()',
    fn: ({ x }) => ({ y: tf.tensor(x!.arraySync()) }),
  },
  {
    title: 'print',
    code: 'TUBE_TRACE_READ',
    operation: /print/u,
    line: 'x!.print()',
    fn: ({ x }) => {
      x!.print();
      return { y: x! };
    },
  },
  {
    title: 'a read that user code catches',
    code: 'TUBE_TRACE_READ',
    operation: /dataSync/u,
    fn: ({ x }) => {
      try {
        x!.dataSync();
      } catch {
        // Lost, but not for the trace.
      }
      return { y: x! };
    },
  },
  {
    title: 'unique',
    code: 'TUBE_TRACE_SHAPE',
    operation: /unique/iu,
    line: 'tf.unique(x!)',
    fn: ({ x }) => ({ y: tf.unique(x!).values }),
  },
  {
    title: 'randomUniform',
    code: 'TUBE_TRACE_RANDOM',
    operation: /randomUniform/u,
    line: 'tf.randomUniform([4])',
    fn: ({ x }) => ({ y: x!.add(tf.randomUniform([4])) }),
  },
  {
    title: 'randomNormal with a seed',
    code: 'TUBE_TRACE_RANDOM',
    operation: /randomNormal/u,
    fn: ({ x }) => ({ y: x!.add(tf.randomNormal([4], 0, 1, 'float32', 7)) }),
  },
  {
    title: 'dropout',
    code: 'TUBE_TRACE_RANDOM',
    operation: /dropout/u,
    line: 'tf.dropout(x!, 0.5, undefined, 3)',
    fn: ({ x }) => ({ y: tf.dropout(x!, 0.5, undefined, 3) }),
  },
  {
    title: 'Math.random',
    code: 'TUBE_TRACE_RANDOM',
    operation: /Math\.random/u,
    line: 'x!.mul(Math.random())',
    fn: ({ x }) => ({ y: x!.mul(Math.random()) }),
  },
  {
    title: 'multinomial',
    code: 'TUBE_TRACE_RANDOM',
    operation: /multinomial/iu,
    fn: ({ x }) => ({ y: tf.multinomial(x as tf.Tensor1D, 2, 7) }),
  },
  {
    title: 'an operation without a rule',
    code: 'TUBE_TRACE_KERNEL',
    operation: /maxPool/iu,
    line: 'tf.maxPool(',
    fn: ({ x }) => ({ y: tf.maxPool(x!.reshape<tf.Tensor4D>([1, 2, 2, 1]), 2, 1, 'valid') }),
  },
  {
    title: 'a convolution with overlap',
    code: 'TUBE_TRACE_KERNEL',
    operation: /conv2d/iu,
    fn: ({ x }) => ({
      y: tf.conv2d(x!.reshape<tf.Tensor4D>([1, 2, 2, 1]), tf.ones([2, 2, 1, 1]), 1, 'same'),
    }),
  },
  {
    title: 'complex numbers',
    code: 'TUBE_TRACE_KERNEL',
    operation: /complex/iu,
    fn: ({ x }) => ({ y: tf.complex(x!, x!) }),
  },
];

for (const { title, code, operation, line, fn } of ROWS) {
  test.serial(`${title} is ${code}`, async (t) => {
    const error = await t.throwsAsync<TubeletError>(compile(fn, { inputs: { x: [4] } }), {
      instanceOf: TubeletError,
    });
    t.is(error.code, code);
    const { details } = error;
    t.regex(String(details['operation']), operation);
    const { file, number } = placeOf(String(details['at']));
    t.regex(file, /errors\.test\.[jt]s$/u);
    if (line !== undefined) {
      const text = readFileSync(file, 'utf8').split('\n')[number - 1];
      t.true(text?.includes(line), `${String(details['at'])}: ${text ?? 'no such line'}`);
    }
    t.is(typeof Math.random(), 'number');
  });
}

function placeOf(at: string): { file: string; number: number } {
  const [, path = '', number = '0'] = /^(.*?):(\d+)(?::\d+)?$/u.exec(at) ?? [];
  return { file: path.startsWith('file:') ? fileURLToPath(path) : path, number: Number(number) };
}

test.serial(
  'values of a data-dependent shape are refused in asynchronous functions too',
  async (t) => {
    const fn = async ({ x }: Named): Promise<Named> => ({
      y: await tf.booleanMaskAsync(x!, x!.greater(0)),
    });
    const error = await t.throwsAsync(compile(fn as never, { inputs: { x: [4] } }));
    t.is((error as TubeletError).code, 'TUBE_TRACE_SHAPE');
  },
);

test.serial('a variable from outside may be read, not assigned to', async (t) => {
  const outside = tf.variable(tf.tensor1d([1, 2]));
  try {
    await using reader = await compile(({ x }) => ({ y: x!.add(outside) }), { inputs: { x: [2] } });
    t.deepEqual(await reader.run({ x: [10, 20] }), { y: Float32Array.of(11, 22) });
    const writing = compile(
      ({ x }) => {
        outside.assign(x as tf.Tensor1D);
        return { y: x! };
      },
      { inputs: { x: [2] } },
    );
    t.is((await t.throwsAsync<TubeletError>(writing)).code, 'TUBE_TRACE_ESCAPE');
    t.deepEqual([...outside.dataSync()], [1, 2]);
  } finally {
    outside.dispose();
  }
});

test.serial('a tensor of an earlier trace is refused', async (t) => {
  let kept: tf.Tensor | undefined;
  await using first = await compile(
    ({ x }) => {
      kept = tf.keep(x!.square());
      return { y: kept };
    },
    { inputs: { x: [2] } },
  );
  t.deepEqual(await first.run({ x: [2, 3] }), { y: Float32Array.of(4, 9) });
  const again = compile(({ x }) => ({ y: x!.add(kept!) }), { inputs: { x: [2] } });
  t.is((await t.throwsAsync<TubeletError>(again)).code, 'TUBE_TRACE_ESCAPE');
});

test.serial('a missing device or backend is TUBE_ENGINE_MISSING', async (t) => {
  const fn = ({ x }: Named): Named => ({ y: x! });
  const rows = [
    compile(fn, { inputs: { x: [2] } }, { engine: 'eager', backend: 'no-such-backend' }),
    compile(fn, { inputs: { x: [2] } }, { provider: 'cuda' }),
  ];
  for (const row of rows) {
    const error = await t.throwsAsync<TubeletError>(row);
    t.true(['TUBE_ENGINE_MISSING', 'TUBE_ENGINE_FAILED'].includes(error.code));
  }
});

test.serial('mistakes of the caller name option and value', async (t) => {
  const fn = ({ x }: Named): Named => ({ y: x! });
  const wrong = [
    compile(fn, { inputs: { x: [0] } }),
    compile(fn, { inputs: { x: [1.5] } }),
    compile(fn, { inputs: { 'x y': [1] } }),
    compile(fn, { inputs: { x: [1] }, state: { x: [1] } }),
    compile(fn, { inputs: { x: [1] } }, { engine: 'gpu' as never }),
  ];
  for (const one of wrong) await t.throwsAsync(one, { instanceOf: RangeError, message: /^"/u });
  const noRecord = [(): tf.Tensor => tf.scalar(1), () => ({ y: 3 }), () => undefined];
  for (const one of noRecord) {
    await t.throwsAsync(compile(one as never, {}), { instanceOf: TypeError, message: /^"fn"/u });
  }
});
