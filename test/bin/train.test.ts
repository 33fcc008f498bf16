import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { ablateCommand } from '../../bin/ablate.ts';
import { evaluateCommand, featuresCommand, reconstructCommand } from '../../bin/evaluate.ts';
import { exportCommand } from '../../bin/export.ts';
import { finetuneCommand, scratchCommand } from '../../bin/finetune.ts';
import { helpOf } from '../../bin/flags.ts';
import { pretrainCommand } from '../../bin/pretrain.ts';
import { probeCommand } from '../../bin/probe.ts';
import { decodeImage } from '../../lib/sample/index.ts';
import { runCli, runJson } from '../helpers/cli.ts';
import { TINY } from '../helpers/small-ablation.ts';
import { smallShards } from '../helpers/small-run.ts';

const SMALL = [
  'model.width=24',
  'model.depth=2',
  'model.heads=2',
  'data.numFrames=4',
  'data.size=16',
  'data.patch=4',
  'train.epochs=2',
  'train.batchSize=4',
  'train.warmupEpochs=1',
].flatMap((one) => ['--set', one]);
const DECODER = ['model.decoderWidth=12', 'model.decoderDepth=1', 'model.decoderHeads=2'].flatMap(
  (one) => ['--set', one],
);

test('the way of a user: pretrain, probe, finetune, scratch, evaluate, features', async (t) => {
  const { folder, shards } = await smallShards(t);
  const at = (name: string): string => join(folder, name);
  const pretrainArgs = ['pretrain', shards, '--out', at('pre'), ...SMALL, ...DECODER];
  const first = await runCli(...pretrainArgs);
  t.is(first.code, 0, first.stderr);
  t.regex(first.stdout, /6 steps, loss \d/);
  t.regex(first.stderr, /global batch +4 clips[^]*steps +6 \(3 per epoch\)[^]*tokens per clip +32/);
  t.is((await runCli(...pretrainArgs)).code, 1);
  t.like(await runJson(...pretrainArgs, '--resume'), { step: 6, out: at('pre') });

  const from = ['--from', at('pre')];
  const val = ['--val', shards];
  const probe = await runJson('probe', shards, ...from, ...val, '--out', at('probe'), ...SMALL);
  t.like(probe, { numClips: 24, evaluation: { numVideos: 12 } });
  const tuned = await runJson('finetune', shards, ...from, ...val, '--out', at('ft'), ...SMALL);
  t.like(tuned, { step: 6, evaluation: { numVideos: 12, views: { segments: 2, crops: 1 } } });
  const scratch = await runCli('scratch', shards, ...val, '--out', at('sc'), ...SMALL);
  t.is(scratch.code, 0, scratch.stderr);
  t.regex(scratch.stdout, /top-1 +\d+\.\d %[^]*left +4 /);
  const saved = JSON.parse(await readFile(join(at('ft'), 'evaluation.json'), 'utf8')) as object;
  t.deepEqual(saved, tuned['evaluation']);

  const views = ['--segments', '1', '--crops', '3'];
  const evaluation = await runJson('evaluate', at('ft'), shards, ...views);
  t.like(evaluation, { numVideos: 12, views: { segments: 1, crops: 3 } });
  const page = await readFile(join(at('pre'), 'report.html'), 'utf8');
  for (const word of ['Loss', 'Reconstructions', 'small-pretrain', 'data:image/png'])
    t.true(page.includes(word), word);
  t.regex(await readFile(join(at('ft'), 'report.html'), 'utf8'), /top-1/i);
  const png = at('reconstructed.png');
  const drawn = await runJson('reconstruct', at('pre'), shards, '--out', png, '--clips', '2');
  t.like(drawn, { out: png, usesTrueMeans: true });
  const sheet = await decodeImage(await readFile(png));
  t.true(sheet.height > 6 * 100 && sheet.width > 400);

  const out = at('features.safetensors');
  t.like(await runJson('features', at('pre'), shards, '--out', out), { numClips: 12, width: 24 });
  const file = at('classifier.onnx');
  t.like(await runJson('export', at('ft'), '--part', 'classifier', '--out', file), {
    file,
    clips: [1, 4, 16, 16, 3],
    classes: ['left', 'right', 'up'],
  });
});

test('an ablation from the command line: table, charts, and going on', async (t) => {
  const { folder, shards } = await smallShards(t);
  const out = join(folder, 'ablation');
  const sets = TINY.flatMap((one) => ['--set', one]);
  const args = ['ablate', shards, '--val', shards, '--out', out, '--only', 'target', ...sets];
  const first = await runCli(...args);
  t.is(first.code, 0, first.stderr);
  t.regex(first.stderr, /^2 runs, about \d+:\d\d$/m);
  t.regex(
    first.stdout,
    /Target +probe top-1 +loss\n +target-normalised \* +\d+\.\d % +\d\.\d{4}\n/,
  );
  t.is((await runCli(...args)).code, 1);
  const more = await runJson(...args, '--resume', '--only', 'target');
  t.like(more, { table: join(out, 'ablation.md'), isComplete: true, numVal: 12, seeds: 1 });
  t.deepEqual(JSON.parse(await readFile(join(out, 'ablation.json'), 'utf8')), unnamed(more));
  t.regex(
    await readFile(join(out, 'ablation.html'), 'utf8'),
    /<svg[^]*>normalised<\/text>[^]*>pixels<\/text>/,
  );
});

/** The report without the paths that the command adds. */
function unnamed({
  out: _out,
  table: _table,
  page: _page,
  ...report
}: Record<string, unknown>): unknown {
  return report;
}

for (const command of [
  pretrainCommand,
  probeCommand,
  finetuneCommand,
  scratchCommand,
  evaluateCommand,
  featuresCommand,
  reconstructCommand,
  exportCommand,
  ablateCommand,
]) {
  test(`the help of ${command.name} lists every flag that it takes`, async (t) => {
    const { code, stdout } = await runCli(command.name, '--help');
    t.is(code, 0);
    t.is(stdout, helpOf(command));
    for (const { name } of command.flags) t.regex(stdout, new RegExp(`^  --${name}( |$)`, 'm'));
  });
}

for (const [args, shown] of [
  [['pretrain'], /DIR is missing/],
  [['pretrain', 'x'], /--out RUN is missing/],
  [
    ['pretrain', 'x', '--out', 'y', '--recipe', 'k400-finetune'],
    /--recipe must be one of k400-pre/,
  ],
  [['pretrain', 'x', '--out', 'y', '--set', 'train.rate=1'], /--set names no value/],
  [['pretrain', 'x', '--out', 'y', '--engine', 'gpu'], /--engine must be one of onnx, eager/],
  [['ablate', 'x', '--out', 'y'], /--val DIR is missing/],
  [['ablate', '--val', 'x', '--out', 'y'], /--val needs DIR before it/],
  [['ablate', 'x', '--val', 'y'], /--out FOLDER is missing/],
  [
    ['ablate', 'x', '--val', 'y', '--out', 'z', '--recipe', 'no'],
    /--recipe must be one of small-ab/,
  ],
  [['finetune', 'x', '--out', 'y'], /--from RUN\|FILE is missing/],
  [['evaluate', 'x', 'y', '--crops', '3'], /--segments and --crops go together/],
  [['evaluate', 'x', 'y', '--weights', 'first'], /--weights must be one of best, last, average/],
  [['export', 'x', '--out', 'y'], /--part encoder\|classifier is missing/],
  [['export', 'x', '--out', 'y', '--part', 'head'], /--part must be one of encoder, classifier/],
] as const) {
  test(`${args.join(' ')}: wrong use`, async (t) => {
    const { code, stderr } = await runCli(...args);
    t.is(code, 2, stderr);
    t.regex(stderr, shown);
  });
}
