import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { helpOf } from '../../bin/flags.ts';
import { convertCommand } from '../../bin/convert.ts';
import { demoCommand } from '../../bin/demo.ts';
import { inspectCommand } from '../../bin/inspect.ts';
import { pipeCommand } from '../../bin/pipe.ts';
import { planCommand } from '../../bin/plan.ts';
import { verifyCommand } from '../../bin/verify.ts';
import { runCli, startCli } from '../helpers/cli.ts';
import { writeGreyFolder } from '../helpers/grey-videos.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';
import { projectRoot } from '../helpers/videos.ts';

/** Flags that the issue promises. */
const PROMISED =
  'out name split list root layout codec quality stride fps short-side max-seconds frames size clips tubelet ' +
  'videos-per-shard seed no-shuffle workers timeout strict max-failures overwrite dry-run json retry quiet';

test.serial('the help of convert lists every promised flag', async (t) => {
  const { code, stdout, stderr } = await runCli('convert', '--help');
  t.is(code, 0);
  t.is(stderr, '');
  for (const flag of PROMISED.split(' ')) t.regex(stdout, new RegExp(`^  --${flag}( |$)`, 'm'));
});

const COMMANDS = [
  convertCommand,
  inspectCommand,
  verifyCommand,
  planCommand,
  pipeCommand,
  demoCommand,
];

for (const command of COMMANDS) {
  test.serial(`the help of ${command.name} lists every flag that it takes`, async (t) => {
    const help = await runCli(command.name, '--help');
    t.is(help.code, 0);
    t.is(help.stdout, helpOf(command));
    for (const { name } of command.flags)
      t.regex(help.stdout, new RegExp(`^  --${name}( |$)`, 'm'));
    t.is((await runCli('help', command.name)).stdout, help.stdout);
    t.is((await runCli(command.name, '-h', '--nonsense')).stdout, help.stdout);
  });
}

test.serial('--version tells that of the package', async (t) => {
  const text = await readFile(join(projectRoot(), 'package.json'), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  for (const flag of ['--version', '-v', 'version']) {
    t.like(await runCli(flag), { code: 0, stdout: `tubelet ${version}\n`, stderr: '' });
  }
});

test.serial('--help lists the commands; no command at all is wrong use', async (t) => {
  const { code, stdout } = await runCli('--help');
  t.is(code, 0);
  for (const { name } of COMMANDS) t.regex(stdout, new RegExp(`^  ${name} `, 'm'));
  t.like(await runCli(), { code: 2, stdout });
});

/** Wrong command lines, and what the message must name. */
const WRONG: readonly (readonly [args: readonly string[], named: string])[] = [
  [['convertt'], 'convertt'],
  [['convert'], 'SOURCE'],
  [['convert', 'videos'], '--out'],
  [['convert', 'a', 'b', '--out', 'x'], '"b"'],
  [['convert', 'a', '--out', 'x', '--nope'], '--nope'],
  [['convert', 'a', '--out'], '--out'],
  [['convert', 'a', '--out', 'x', '--stride', 'two'], '--stride'],
  [['convert', 'a', '--out', 'x', '--stride', '0'], '--stride'],
  [['convert', 'a', '--out', 'x', '--stride', '2', '--fps', '2'], '--fps'],
  [['convert', 'a', '--out', 'x', '--short-side', '-1'], '--short-side'],
  [['convert', 'a', '--out', 'x', '--short-side=-1'], '--short-side'],
  [['convert', 'a', '--out', 'x', '--timeout', '0'], '--timeout'],
  [['convert', 'a', '--out', 'x', '--worker-memory', '1'], '--worker-memory'],
  [['convert', 'a', '--out', 'x', '--layout', 'cubes'], '--layout'],
  [['convert', 'a', '--out', 'x', '--clips', 'many'], '--clips'],
  [['convert', 'a', '--out', 'x', '--layout', 'tubelets', '--tubelet', '2x16'], '--tubelet'],
  [['convert', 'a', '--out', 'x', '--layout', 'tubelets', '--tubelet', '3x16x16'], '--tubelet'],
  [['convert', 'a', '--out', 'x', '--tubelet', '2x16x16'], '--tubelet'],
  [['convert', 'a', '--out', 'x', '--retry', 'all'], '--retry'],
  [['convert', 'a', '--out', 'x', '--max-failures', 'few'], '--max-failures'],
  [['convert', 'a', '--out', 'x', '--strict', '--max-failures', '3'], '--strict'],
  [['inspect'], 'DIR'],
  [['inspect', 'a', 'b'], '"b"'],
  [['inspect', 'a', '--key', 'k'], '--out'],
  [['inspect', 'a', '--rows', '3'], '--out'],
  [['inspect', 'a', '--keys', '--rows', '3'], '--keys'],
  [['verify'], 'DIR'],
  [['demo', '--videos', '0'], '--videos'],
  [['demo', '--videos', '3'], '--videos'],
];

for (const [args, named] of WRONG) {
  test.serial(`tubelet ${args.join(' ')} is wrong use of ${named}`, async (t) => {
    const { code, stdout, stderr } = await runCli(...args);
    t.is(code, 2, stderr);
    t.is(stdout, '');
    t.true(stderr.includes(named), stderr);
    t.false(stderr.includes('    at '), stderr);
  });
}

for (const args of [
  ['inspect', 'nothing-here'],
  ['verify', 'nothing-here', '--json'],
  ['convert', 'nothing-here', '--out', 'x'],
]) {
  test.serial(`tubelet ${args.join(' ')} fails with code, place and hint`, async (t) => {
    const { code, stdout, stderr } = await runCli(...args);
    t.is(code, 1);
    if (args.includes('--json'))
      t.regex(stdout, /^{"error":{"code":"TUBE_DATASET_NOT_FOUND".*}\n$/);
    else t.is(stdout, '');
    t.regex(stderr, /^TUBE_(DATASET|SOURCE)_NOT_FOUND: .*nothing-here.*\n[A-Z].*\.?\n$/);
    t.regex((await runCli(...args, '--verbose')).stderr, /\n {4}at /);
  });
}

test.serial('a reader of stdout that goes away early is no error', async (t) => {
  const folder = await temporaryFolder(t);
  const [videos, out] = [join(folder, 'videos'), join(folder, 'out')];
  await writeGreyFolder(videos, 4);
  await runCli('convert', videos, '--out', out, '--short-side', '16');
  for (const args of [
    ['inspect', out, '--json'],
    ['inspect', out, '--keys'],
    ['convert', '--help'],
    ['verify', out],
  ]) {
    const running = startCli(args);
    running.child.stdout?.destroy();
    t.like(await running.ended, { code: 0, stderr: '' });
  }
});

test.serial('a reader of progress that goes away early stops no work', async (t) => {
  const out = join(await temporaryFolder(t), 'demo');
  const running = startCli(['demo', '--videos', '1', '--no-train', '--out', out]);
  running.child.stderr?.destroy();
  const { code, stdout } = await running.ended;
  t.is(code, 0);
  t.regex(stdout, /all sound/);
});
