import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { ABLATIONS, findRecipe } from '../../lib/recipes/index.ts';
import { openDataset } from '../../lib/shard/index.ts';
import { drawSamples } from '../../lib/study/ablation/draw-samples.ts';
import { planAblation } from '../../lib/study/ablation/plan.ts';
import { ablationHtml, ablationMarkdown, reportAblation } from '../../lib/study/ablation/report.ts';
import { ablate } from '../../lib/study/index.ts';
import type { AblationProgress } from '../../lib/study/index.ts';
import { evaluate, readRunConfig } from '../../lib/train/index.ts';
import { openWeights } from '../../lib/weights/index.ts';
import { TINY, TINY_ABLATION } from '../helpers/small-ablation.ts';
import { smallShards } from '../helpers/small-run.ts';

const SIZES = { numPretrain: 12, numLabelled: 12, numVal: 12 };
const CHOICE = { recipe: TINY_ABLATION, changes: TINY };
const ONCE = { ...CHOICE, resume: false, overwrite: false, workers: 1 };

test('points with the same values share a run, whatever parts are wanted', (t) => {
  const { runs, parts } = planAblation(CHOICE, SIZES);
  t.deepEqual(
    runs.map(({ name }) => name),
    [
      'mask-tube-0.75',
      'mask-tube-0.5',
      'mask-frame-0.5',
      'videos-0',
      'videos-0.5',
      'target-pixels',
    ].map((name) => `${name}-seed-0`),
  );
  const standard = parts.flatMap(({ points }) => points.filter(({ isStandard }) => isStandard));
  t.deepEqual(
    standard.map(({ name, runs: own }) => [name, own[0]]),
    ['mask-tube-0.75', 'videos-1', 'target-normalised'].map((name) => [
      name,
      'mask-tube-0.75-seed-0',
    ]),
  );
  const some = planAblation({ ...CHOICE, only: ['target'], seeds: 2 }, SIZES);
  t.deepEqual(
    some.runs.map(({ name, pretrain, probe }) => [name, pretrain.train.seed, probe.train.seed]),
    [
      ['mask-tube-0.75-seed-0', 0, 0],
      ['mask-tube-0.75-seed-1', 1, 1],
      ['target-pixels-seed-0', 0, 0],
      ['target-pixels-seed-1', 1, 1],
    ],
  );
  const half = runs.find(({ name }) => name === 'videos-0.5-seed-0')!;
  t.deepEqual([half.numSamples, half.pretrain.data.epochSamples], [6, 12]);
  const none = runs.find(({ name }) => name === 'videos-0-seed-0')!;
  t.deepEqual([none.numSamples, none.pretrain.train.lr, none.pretrain.train.epochs], [null, 0, 1]);
});

test('values are set in all recipes that have them, or in the one that is named', (t) => {
  const { standard } = planAblation(
    {
      recipe: TINY_ABLATION,
      changes: ['model.width=48', 'probe.train.epochs=7', 'data.maskRatio=0.5'],
    },
    SIZES,
  );
  const { pretrain, probe, finetune } = standard;
  t.deepEqual([pretrain.model.width, probe.model.width, finetune.model.width], [48, 48, 48]);
  const whole = findRecipe('pretrain', TINY_ABLATION.pretrain).train.epochs;
  t.is(pretrain.train.epochs, Math.round(TINY_ABLATION.length * whole));
  t.is(probe.train.epochs, 7);
  t.is(finetune.train.epochs, findRecipe('finetune', TINY_ABLATION.finetune).train.epochs);
  t.is(pretrain.data.maskRatio, 0.5);
  for (const wrong of [
    { changes: ['data.nothing=1'] },
    { changes: ['probe.data.maskRatio=0.5'] },
    { only: ['colour'] },
    { seeds: 0 },
    { readouts: [] },
  ]) {
    t.throws(() => planAblation({ ...CHOICE, ...wrong }, SIZES), { instanceOf: RangeError });
  }
});

test('every ablation can be planned; its points have names of their own, and one is the standard', (t) => {
  for (const recipe of ABLATIONS) {
    const { parts, runs } = planAblation({ recipe }, { ...SIZES, numPretrain: 1000 });
    const names = parts.flatMap(({ points }) => points.map(({ name }) => name));
    t.is(new Set(names).size, names.length);
    t.true(parts.some(({ points }) => points.some(({ isStandard }) => isStandard)));
    for (const { gflops } of runs) t.true(gflops > 0);
  }
});

test('a drawn part holds samples of the whole, byte for byte, and smaller parts lie in larger ones', async (t) => {
  const { folder, shards } = await smallShards(t);
  const keysOf = async (count: number): Promise<string[]> => {
    const part = join(folder, `part-${count}`);
    await drawSamples(shards, { folder: part, count, signal: undefined });
    await using drawn = await openDataset(part);
    await using whole = await openDataset(shards);
    const keys: string[] = [];
    for await (const { key, label } of drawn.entries()) {
      const place = await whole.find(key);
      t.deepEqual(await drawn.readBytes(keys.length), await whole.readBytes(place));
      t.is(label, (await whole.entry(place)).label);
      keys.push(key);
    }
    return keys;
  };
  const [few, more] = [await keysOf(3), await keysOf(8)];
  t.deepEqual([few.length, more.length, new Set(more).size], [3, 8, 8]);
  t.true(few.every((key) => more.includes(key)));
});

/** Ends a process without a chance to do anything as soon as it says a line. */
async function killAt(line: string, shards: string, out: string): Promise<void> {
  const script = fileURLToPath(new URL('../helpers/ablate-child.js', import.meta.url));
  const child = spawn(process.execPath, [script, shards, out], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  for await (const said of createInterface({ input: child.stdout })) {
    if (said === line) child.kill('SIGKILL');
  }
  const [, signal] = (await exit) as [number | null, string | null];
  if (signal !== 'SIGKILL') throw new Error('the ablation ended before it was killed');
}

test('an ablation that was killed goes on, keeps what is done, and finds the same', async (t) => {
  const { folder, shards } = await smallShards(t);
  const data = { source: shards, val: shards };
  const [whole, killed] = [join(folder, 'whole'), join(folder, 'killed')];
  const estimates: number[] = [];
  const onEstimate = ({ numRuns }: { readonly numRuns: number }): void =>
    void estimates.push(numRuns);
  const report = await ablate({ ...ONCE, ...data, out: whole, onEstimate });
  await killAt('3 pretrain', shards, killed);
  t.deepEqual(
    await Promise.all(
      ['mask-tube-0.75-seed-0', 'mask-tube-0.5-seed-0', 'mask-frame-0.5-seed-0'].map(async (name) =>
        (await readdir(join(killed, 'runs', name))).includes('result.json'),
      ),
    ),
    [true, true, false],
  );
  const progress: AblationProgress[] = [];
  const again = await ablate({
    ...ONCE,
    ...data,
    out: killed,
    resume: true,
    onEstimate,
    onProgress: (one) => void progress.push(one),
  });
  t.deepEqual(again, report);
  for (const name of ['ablation.json', 'ablation.md', 'ablation.html', 'study.json'])
    t.is(
      await readFile(join(killed, name), 'utf8'),
      await readFile(join(whole, name), 'utf8'),
      name,
    );
  t.deepEqual(estimates, [6, 4]);
  t.false((await readdir(whole)).includes('timing'));
  t.is(progress[0]?.number, 3);
  t.true(progress[0]!.gflopsBefore > 0 && progress[0]!.gflopsDone > progress[0]!.gflopsBefore);
  t.true(progress.every(({ gflopsDone, gflopsTotal }) => gflopsDone <= gflopsTotal));

  // What stands in the table is what the runs in their folders say.
  t.true(report.isComplete);
  t.deepEqual([report.numClasses, report.numPretrain, report.numVal], [3, 12, 12]);
  const [mask, videos] = report.parts;
  const standard = mask!.points[0]!;
  t.deepEqual([standard.name, standard.isStandard, standard.numRuns], ['mask-tube-0.75', true, 1]);
  const run = join(whole, 'runs', 'mask-tube-0.75-seed-0');
  const { top1 } = await evaluate(join(run, 'probe'), shards);
  t.deepEqual(standard.top1, { probe: { mean: top1, low: top1, high: top1 } });
  t.deepEqual(videos!.points[2]!.top1, standard.top1);
  t.true(standard.loss!.mean > 0 && standard.loss!.mean < 3);
  t.is((await readRunConfig(join(run, 'pretrain'))).recipe.name, TINY_ABLATION.pretrain);
  t.false(
    (await readdir(join(run, 'pretrain', 'checkpoints', 'step-00000012'))).includes(
      'optimizer.safetensors',
    ),
  );
  t.is((await readRunConfig(join(whole, 'runs', 'videos-0.5-seed-0', 'pretrain'))).from, null);

  // None: the weights are those that were drawn, at any number of steps.
  const weightsAt = async (name: string): Promise<Float32Array> => {
    const path = join(whole, 'runs', name, 'pretrain', 'checkpoints');
    const [step = ''] = await readdir(path);
    await using file = await openWeights(join(path, step, 'weights.safetensors'));
    const weight = [...file.weights].find(
      (one) => one.name === 'encoder.blocks.0.attn.qkv.weight',
    )!;
    return Float32Array.from((await weight.read()).data);
  };
  const drawn = await weightsAt('videos-0-seed-0');
  const limit = Math.sqrt(6 / (24 + 72));
  t.true(drawn.every((value) => Math.abs(value) <= limit));
  t.notDeepEqual(drawn, await weightsAt('videos-0.5-seed-0'));

  await t.throwsAsync(ablate({ ...ONCE, ...data, out: whole }), { code: 'TUBE_RUN_EXISTS' });
  const changed = {
    ...ONCE,
    ...data,
    out: whole,
    resume: true,
    changes: [...TINY, 'probe.train.lr=1'],
  };
  const error = await t.throwsAsync(ablate(changed), { code: 'TUBE_OPTIONS_DIFFER' });
  t.regex(error.message, /probe of study\.json/);
  await t.throwsAsync(ablate({ ...ONCE, ...data, out: shards }), { code: 'TUBE_OUT_NOT_EMPTY' });
  const file = join(shards, 'dataset.json');
  const before = await readFile(file, 'utf8');
  await t.throwsAsync(ablate({ ...ONCE, ...data, out: file }), { code: 'TUBE_OUT_NOT_WRITABLE' });
  t.is(await readFile(file, 'utf8'), before);
});

test('an encoder can be judged by fine-tuning too, other parts asked for later, and an abort leaves what is done', async (t) => {
  const { folder, shards } = await smallShards(t);
  const out = join(folder, 'out');
  const common = {
    ...ONCE,
    source: shards,
    val: shards,
    out,
    readouts: ['finetune', 'probe'],
  } as const;
  const controller = new AbortController();
  const reason = new Error('enough');
  const stopped = ablate({
    ...common,
    only: ['target'],
    signal: controller.signal,
    onProgress: ({ number }) => number === 2 && controller.abort(reason),
  });
  t.is(await t.throwsAsync(stopped), reason);
  const half = JSON.parse(await readFile(join(out, 'ablation.json'), 'utf8')) as {
    parts: { points: object[] }[];
    isComplete: boolean;
  };
  t.false(half.isComplete);
  t.like(half.parts[0]?.points[1], { name: 'target-pixels', numRuns: 0, loss: null, top1: {} });
  t.regex(
    await readFile(join(out, 'ablation.md'), 'utf8'),
    /state: not all runs are done[^]*\| pixels \| - \| - \| - \|/,
  );
  const whole = await ablate({ ...common, only: ['target'], resume: true });
  t.true(whole.isComplete);
  for (const { top1 } of whole.parts[0]!.points)
    t.deepEqual(Object.keys(top1), ['finetune', 'probe']);
  const numbers: number[] = [];
  const more = await ablate({
    ...common,
    only: ['videos'],
    resume: true,
    onProgress: ({ number }) => void numbers.push(number),
  });
  t.deepEqual([...new Set(numbers)], [1, 2]);
  t.deepEqual(more.parts[0]!.points[2]!.top1, whole.parts[0]!.points[0]!.top1);
});

const FOUND = new Map([
  ['mask-tube-0.75-seed-0', { loss: 0.5, top1: { probe: 0.5 } }],
  ['mask-tube-0.75-seed-1', { loss: 0.7, top1: { probe: 0.7 } }],
  ['mask-tube-0.5-seed-0', { loss: 0.25, top1: { probe: 0.25 } }],
  ['mask-frame-0.5-seed-0', { loss: 0.125, top1: { probe: 0.125 } }],
  ['target-pixels-seed-0', { loss: 0.0625, top1: { probe: 0.375 } }],
]);

test('table and charts show every value in its place', (t) => {
  const plan = planAblation({ ...CHOICE, seeds: 2, only: ['mask', 'target'] }, SIZES);
  const report = reportAblation(plan, FOUND, { recipe: 'tiny', numClasses: 4, ...SIZES });
  t.false(report.isComplete);
  const text = ablationMarkdown(report);
  for (const line of [
    '| part that is masked | linear probe, top-1 | loss |',
    '| tube 0.75 * | 60.0 % (50.0 % to 70.0 %) | 0.6000 (0.5000 to 0.7000) |',
    '| frame 0.5 | 12.5 % (12.5 % to 12.5 %) | 0.1250 (0.1250 to 0.1250) |',
    '| pixels | 37.5 % (37.5 % to 37.5 %) | 0.0625 (0.0625 to 0.0625) |',
    '- by chance: 25.0 %',
  ]) {
    t.true(text.includes(`${line}\n`), line);
  }
  const html = ablationHtml(report, { pretrain: { train: { lr: 1 } } });
  const [maskChart = '', targetChart = ''] = Array.from(
    html.matchAll(/<svg[^]*?<\/svg>/g),
    ([svg]) => svg,
  );
  const pathsOf = (svg: string): string[] =>
    Array.from(svg.matchAll(/ d="([^"]*)"/g), ([, d = '']) => d);
  // The plot reaches from 48 to 426 and from 216 (0 %) up to 10 (100 %); the axis from 0.5 to 0.75.
  t.deepEqual(pathsOf(maskChart), [
    'M48.0 164.5L426.0 92.4',
    'M48.0 190.3',
    'M48.0 164.5L426.0 164.5',
  ]);
  t.true(maskChart.includes('<title>part that is masked 0.75: 60.0 %</title>'));
  t.true(maskChart.includes('>part that is masked</text>'));
  // Two names share the width: at a quarter and at three quarters of it.
  t.deepEqual(pathsOf(targetChart), ['M142.5 92.4', 'M331.5 138.8', 'M142.5 164.5L331.5 164.5']);
  t.regex(targetChart, /x="142\.5"[^>]*>normalised<\/text>[^]*x="331\.5"[^>]*>pixels<\/text>/);
  t.true(html.includes('<th scope="row">tube 0.75 *</th><td>60.0 % (50.0 % to 70.0 %)</td>'));
});
