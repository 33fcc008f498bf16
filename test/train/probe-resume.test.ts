/** Probes that are killed (kill -9) and go on. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { findWeights } from '../../lib/train/checkpoint.ts';
import { pretrain } from '../../lib/train/pretrain.ts';
import { probe } from '../../lib/train/probe.ts';
import type { ProbeSummary } from '../../lib/train/probe.ts';
import { damageClips } from '../helpers/make-clips.ts';
import { smallPretrain, smallProbe, smallShards } from '../helpers/small-run.ts';

const ONCE = { resume: false, overwrite: false, workers: 1 };

/** All files of a run but the timing, as text. */
async function filesOf(run: string): Promise<Record<string, string>> {
  const names = await readdir(run, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile() && entry.name !== 'timing.jsonl');
  const contents = await Promise.all(
    files.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [path.slice(run.length), (await readFile(path)).toString('base64')] as const;
    }),
  );
  return Object.fromEntries(contents.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

async function killAt(stage: string, number: number, ...places: string[]): Promise<void> {
  const script = fileURLToPath(new URL('../helpers/probe-child.js', import.meta.url));
  const args = [script, ...places, stage, String(number)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
  if (signal !== 'SIGKILL') throw new Error('the probe ended before it was killed');
}

test('a probe that was killed goes on bit for bit, and keeps its features', async (t) => {
  const { folder, shards } = await smallShards(t);
  const at = (name: string): string => join(folder, name);
  const pre = smallPretrain('train.epochs=1', 'train.warmupEpochs=0');
  await pretrain(shards, { ...ONCE, out: at('pre'), recipe: pre });
  const from = await findWeights(at('pre'), 'last');
  await probe(shards, { ...ONCE, out: at('whole'), recipe: smallProbe(), from });
  const whole = await filesOf(at('whole'));
  t.true('/features.safetensors' in whole);

  await killAt('features', 20, shards, from, at('early'));
  t.deepEqual(await readdir(at('early')), ['config.json']);
  await killAt('head', 31, shards, from, at('late'));
  t.true((await readdir(at('late'))).includes('features.safetensors'));
  t.false((await readdir(at('late'))).includes('checkpoints'));

  const goOn = async (out: string, weights = from): Promise<[ProbeSummary, string[]]> => {
    const reported: string[] = [];
    const summary = await probe(shards, {
      ...ONCE,
      out,
      recipe: smallProbe(),
      from: weights,
      resume: true,
      onProgress: ({ stage, done }) => void reported.push(`${stage} ${done}`),
    });
    return [summary, reported];
  };
  const [, all] = await goOn(at('early'));
  t.is(all[0], 'features 1');
  t.deepEqual(await filesOf(at('early')), whole);

  // Pixels that can no longer be read show that nothing looks at them.
  await damageClips(shards, [0, 3, 7]);
  const [summary, rest] = await goOn(at('late'));
  t.is(rest[0], 'head 31');
  t.is(rest.length, 30);
  t.like(summary, { numClips: 24, numSteps: 60 });
  t.deepEqual(await filesOf(at('late')), whole);
  const [again, none] = await goOn(at('late'));
  t.deepEqual(again, summary);
  t.deepEqual(none, []);
});

test('features of other weights or shards are noticed', async (t) => {
  const { folder, shards } = await smallShards(t);
  const at = (name: string): string => join(folder, name);
  for (const seed of [0, 1]) {
    const recipe = smallPretrain('train.epochs=1', 'train.warmupEpochs=0', `train.seed=${seed}`);
    await pretrain(shards, { ...ONCE, out: at(`pre-${seed}`), recipe });
  }
  const [from, other] = await Promise.all(
    ['pre-0', 'pre-1'].map((name) => findWeights(at(name), 'last')),
  );
  const options = { ...ONCE, out: at('probe'), recipe: smallProbe(), from: from! };
  await probe(shards, options);
  const differ = { code: 'TUBE_OPTIONS_DIFFER' };
  const resumed = { ...options, resume: true };
  const weights = await t.throwsAsync(probe(shards, { ...resumed, from: other! }), differ);
  t.regex(weights.message, /other weights/);
  await rm(shards, { recursive: true });
  const more = await smallShards(t, { layout: 'raw', shape: [6, 20, 30, 3], sizes: [8, 5] });
  t.regex((await t.throwsAsync(probe(more.shards, resumed), differ)).message, /other shards/);
});
