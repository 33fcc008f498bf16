import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { pretrain } from '../../lib/train/pretrain.ts';
import { RESUMABLE, smallPretrain, smallShards } from '../helpers/small-run.ts';

const RECIPE = smallPretrain(...RESUMABLE);
const ONCE = { recipe: RECIPE, resume: false, overwrite: false, workers: 1 };

/** All files of the last checkpoint and the metrics, as bytes. */
async function lastOf(run: string): Promise<Record<string, string>> {
  const step = (await readdir(join(run, 'checkpoints'))).sort().at(-1)!;
  const folder = join(run, 'checkpoints', step);
  const files = (await readdir(folder)).map((name) => join(folder, name));
  const contents = await Promise.all(
    [...files, join(run, 'metrics.jsonl'), join(run, 'best.json')].map(async (path) => [
      path.slice(run.length),
      (await readFile(path)).toString('base64'),
    ]),
  );
  return Object.fromEntries(contents) as Record<string, string>;
}

/** Starts a run in a process of its own and kills it as soon as it says that a step is done. */
async function killAt(step: number, shards: string, out: string): Promise<void> {
  const script = fileURLToPath(new URL('../helpers/pretrain-child.js', import.meta.url));
  const child = spawn(process.execPath, [script, shards, out], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === `step ${step}`) child.kill('SIGKILL');
  }
  const [, signal] = (await exit) as [number | null, string | null];
  if (signal !== 'SIGKILL') throw new Error('the run ended before it was killed');
}

test('a run that was killed goes on bit for bit', async (t) => {
  const { folder, shards } = await smallShards(t);
  const whole = join(folder, 'whole');
  const killed = join(folder, 'killed');
  await pretrain(shards, { ...ONCE, out: whole });
  await killAt(4, shards, killed);
  const left = await readdir(join(killed, 'checkpoints'));
  t.true(
    left.some((name) => /^step-\d+$/.test(name)),
    left.join(' '),
  );
  t.false(left.includes('step-00000009'));
  const summary = await pretrain(shards, { ...ONCE, out: killed, resume: true });
  t.is(summary.step, 9);
  t.deepEqual(await lastOf(killed), await lastOf(whole));
});

for (const [form, recipe] of Object.entries({
  'with all that a step may have': RECIPE,
  'with micro steps alone': smallPretrain('train.accumulate=2'),
})) {
  test(`an abort leaves a checkpoint, from which a run ${form} goes on bit for bit`, async (t) => {
    const { folder, shards } = await smallShards(t);
    const whole = join(folder, 'whole');
    const stopped = join(folder, 'stopped');
    const options = { ...ONCE, recipe };
    await pretrain(shards, { ...options, out: whole });
    const controller = new AbortController();
    const reason = new Error('enough');
    const run = pretrain(shards, {
      ...options,
      out: stopped,
      signal: controller.signal,
      onProgress: ({ step }) => step === 3 && controller.abort(reason),
    });
    t.is(await t.throwsAsync(run), reason);
    t.true((await readdir(join(stopped, 'checkpoints'))).includes('step-00000003'));
    await pretrain(shards, { ...options, out: stopped, resume: true });
    t.deepEqual(await lastOf(stopped), await lastOf(whole));
  });
}

test('a run is not gone on with by accident, nor with another recipe', async (t) => {
  const { folder, shards } = await smallShards(t);
  const out = join(folder, 'run');
  const signal = AbortSignal.abort(new Error('at once'));
  await t.throwsAsync(pretrain(shards, { ...ONCE, out, signal }), { message: 'at once' });
  await t.throwsAsync(pretrain(shards, { ...ONCE, out }), { code: 'TUBE_RUN_EXISTS' });
  const recipe = smallPretrain(...RESUMABLE, 'train.lr=0.1');
  const error = await t.throwsAsync(pretrain(shards, { ...ONCE, out, recipe, resume: true }), {
    code: 'TUBE_OPTIONS_DIFFER',
  });
  t.regex(error.message, /recipe\.train\.lr was 0\.06, now 0\.1/);
  await t.throwsAsync(pretrain(shards, { ...ONCE, out: shards }), { code: 'TUBE_OUT_NOT_EMPTY' });
});
