/** Exported networks, run by ONNX Runtime here and in Python, give what `features` and `evaluate` give. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import runtime from 'onnxruntime-node';
import { findWeights } from '../../lib/train/checkpoint.ts';
import { evaluate } from '../../lib/train/evaluate.ts';
import { exportNetwork } from '../../lib/train/export-network.ts';
import { writeFeatures } from '../../lib/train/features.ts';
import { finetune } from '../../lib/train/finetune.ts';
import { pretrain } from '../../lib/train/pretrain.ts';
import { probe } from '../../lib/train/probe.ts';
import { CLASSES, clipPixels } from '../helpers/make-clips.ts';
import type { ClipsForm } from '../helpers/make-clips.ts';
import { runPython, testWithPython } from '../helpers/python.ts';
import { readTensors } from '../helpers/safetensors.ts';
import { smallFinetune, smallPretrain, smallProbe, smallShards } from '../helpers/small-run.ts';

const ONCE = { resume: false, overwrite: false, workers: 1 };
/** Clips that need no scaling, so that a test can make them itself. */
const FORM: ClipsForm = { layout: 'raw', shape: [4, 16, 16, 3], sizes: [7, 5] };
const NUM_CLIPS = 12;
const ONE_VIEW = { segments: 1, crops: 1 };

/** All clips, float32 `[12, 4, 16, 16, 3]`, 0 … 255. */
function allClips(): Float32Array {
  return Float32Array.from(
    Array.from({ length: NUM_CLIPS }, (_, i) => [...clipPixels('train', i, FORM.shape)]).flat(),
  );
}

async function runFile(file: string, name: string): Promise<readonly number[]> {
  const session = await runtime.InferenceSession.create(file);
  const clips = new runtime.Tensor('float32', allClips(), [NUM_CLIPS, ...FORM.shape]);
  const outputs = await session.run({ clips });
  await session.release();
  return Array.from(outputs[name]!.data as Float32Array);
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - (b[i] ?? Number.NaN))));
}

test('encoders give features, classifiers name the same classes', async (t) => {
  const { folder, shards } = await smallShards(t, FORM);
  const at = (name: string): string => join(folder, name);
  const short = ['train.epochs=2'];
  await pretrain(shards, { ...ONCE, out: at('pre'), recipe: smallPretrain(...short) });
  const from = await findWeights(at('pre'), 'last');
  await finetune(shards, { ...ONCE, out: at('tuned'), recipe: smallFinetune(...short), from });
  await probe(shards, { ...ONCE, out: at('probe'), recipe: smallProbe(...short), from });

  for (const run of ['pre', 'tuned', 'probe']) {
    const [out, reference] = [at(`${run}-encoder.onnx`), at(`${run}.safetensors`)];
    const exported = await exportNetwork(at(run), { out, part: 'encoder', batchSize: NUM_CLIPS });
    t.deepEqual(exported.clips, [NUM_CLIPS, 4, 16, 16, 3]);
    t.deepEqual(exported.output, { name: 'features', shape: [NUM_CLIPS, 24] });
    await writeFeatures(at(run), shards, { out: reference, workers: 1 });
    const wanted = readTensors(reference)['features']!.data;
    const got = await runFile(out, 'features');
    t.is(got.length, NUM_CLIPS * 24);
    t.true(largestDifference(got, wanted) < 2e-5, `${run}: ${largestDifference(got, wanted)}`);
  }
  for (const run of ['tuned', 'probe']) {
    const out = at(`${run}.onnx`);
    const options = { out, part: 'classifier', batchSize: NUM_CLIPS } as const;
    t.deepEqual((await exportNetwork(at(run), options)).classes, [...CLASSES]);
    const scores = await runFile(out, 'scores');
    const confusion = CLASSES.map(() => CLASSES.map(() => 0));
    for (let clip = 0; clip < NUM_CLIPS; clip++) {
      const own = scores.slice(clip * CLASSES.length, (clip + 1) * CLASSES.length);
      confusion[clip % CLASSES.length]![own.indexOf(Math.max(...own))]! += 1;
    }
    const record = await evaluate(at(run), shards, { views: ONE_VIEW, workers: 1 });
    t.deepEqual(record.confusion, confusion, run);
  }
  await t.throwsAsync(exportNetwork(at('pre'), { out: at('no.onnx'), part: 'classifier' }), {
    instanceOf: RangeError,
    message: /must have classes/,
  });
  const missing = { out: join(folder, 'missing', 'x.onnx'), part: 'encoder' } as const;
  await t.throwsAsync(exportNetwork(at('pre'), missing), { code: 'TUBE_OUT_NOT_WRITABLE' });
});

const SCRIPT = `
import json, sys, numpy, onnx, onnxruntime
onnx.checker.check_model(sys.argv[1], full_check=True)
session = onnxruntime.InferenceSession(sys.argv[1], providers=['CPUExecutionProvider'])
clips = numpy.fromfile(sys.argv[2], dtype=numpy.uint8).reshape(1, 4, 16, 16, 3)
print(json.dumps(session.run(['features'], {'clips': clips.astype(numpy.float32)})[0].tolist()))
`;

testWithPython('Python finds the file sound and runs it', ['onnx', 'onnxruntime'], async (t) => {
  const { folder, shards } = await smallShards(t, FORM);
  const [run, out, reference] = ['pre', 'encoder.onnx', 'features'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  const recipe = smallPretrain('train.epochs=1', 'train.warmupEpochs=0');
  await pretrain(shards, { ...ONCE, out: run, recipe });
  await exportNetwork(run, { out, part: 'encoder' });
  const bytes = join(folder, 'clip.bin');
  await writeFile(bytes, clipPixels('train', 3, FORM.shape));
  const { code, stdout, stderr } = await runPython(['-c', SCRIPT, out, bytes]);
  t.is(code, 0, stderr);
  const [got = []] = JSON.parse(stdout) as number[][];
  await writeFeatures(run, shards, { out: reference, workers: 1 });
  const wanted = readTensors(reference)['features']!.data.slice(3 * 24, 4 * 24);
  t.is(got.length, 24);
  t.true(largestDifference(got, wanted) < 2e-5);
});
