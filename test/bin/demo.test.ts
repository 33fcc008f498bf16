import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { motionClasses } from '../../lib/demo/index.ts';
import { decodeImage } from '../../lib/sample/index.ts';
import { runCli, runJson } from '../helpers/cli.ts';
import { hashFiles } from '../helpers/folder-state.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';

const TINY = ['--videos', '4', '--held-out', '1'];

test('demo without training makes videos, converts, verifies and draws them; a second run goes on from there', async (t) => {
  const out = join(await temporaryFolder(t), 'demo');
  const { code, stdout, stderr } = await runCli('demo', ...TINY, '--no-train', '--out', out);
  t.is(code, 0, stderr);
  const made = ['contact-sheet.png', 'demo.json', 'shards', 'videos'];
  t.deepEqual((await readdir(out)).toSorted(), made);
  for (const name of motionClasses) t.regex(stdout, new RegExp(`^  ${name} +4 +\\d+$`, 'm'));
  t.regex(stdout, /frames checked: all sound/);
  t.regex(stderr, /^1\. [^]*^2\. [^]*^3\. [^]*^4\. /m);
  const sheet = await decodeImage(await readFile(join(out, 'contact-sheet.png')));
  t.true(sheet.width > 480 && sheet.height > 300);
  const again = await runJson('demo', ...TINY, '--no-train', '--out', out);
  const sound = { failures: {}, isComplete: true, shards: 1 };
  t.like(again, {
    training: null,
    defects: [],
    sets: {
      train: { ...sound, videos: 40, clips: 40 },
      'held-out': { ...sound, videos: 10, clips: 10 },
    },
  });
  await runJson('demo', ...TINY, '--no-train', '--seed', '1', '--out', out);
  t.deepEqual((await readdir(out)).toSorted(), made);
});

test('demo trains: a table of what came out, reports and reconstructions; a second run finds it done', async (t) => {
  const out = join(await temporaryFolder(t), 'demo');
  const flags = [...TINY, '--epochs', '1', '--out', out];
  const { code, stdout, stderr } = await runCli('demo', ...flags);
  t.is(code, 0, stderr);
  t.regex(stderr, /^5\. [^]*^6\. [^]*^7\. [^]*^8\. /m);
  t.regex(
    stdout,
    /^ +on 10 held-out videos +top-1\n +chance +10\.0 %\n +from scratch +\d+\.0 %\n/m,
  );
  t.regex(
    stdout,
    /^ +pre-trained, frozen, linear probe +\d+\.0 %\n +pre-trained, fine-tuned +\d+\.0 %$/m,
  );
  const runs = ['finetune', 'pretrain', 'probe', 'scratch'];
  t.deepEqual((await readdir(join(out, 'runs'))).toSorted(), runs);
  const before = await hashFiles(join(out, 'runs', 'finetune', 'checkpoints'));
  const { training } = await runJson('demo', ...flags);
  const { reports, reconstructions, ...values } = training as {
    reports: string[];
    reconstructions: string;
  };
  t.like(values, { chance: 0.1, numVideos: 10 });
  for (const report of reports) t.regex(await readFile(report, 'utf8'), /<svg/);
  t.true((await decodeImage(await readFile(reconstructions))).width > 200);
  t.deepEqual(await hashFiles(join(out, 'runs', 'finetune', 'checkpoints')), before);
});

for (const name of ['shards', 'contact-sheet.png', 'demo.json']) {
  test(`demo writes over no ${name} of others, not even at the second try`, async (t) => {
    const out = await temporaryFolder(t);
    const file = name === 'shards' ? join(out, name, 'plan.json') : join(out, name);
    if (name === 'shards') await mkdir(join(out, name));
    await writeFile(file, '{}');
    for (let k = 0; k < 2; k++) {
      const { code, stderr } = await runCli('demo', '--videos', '1', '--no-train', '--out', out);
      t.is(code, 1);
      t.regex(stderr, /^TUBE_OUT_NOT_EMPTY/);
    }
    t.deepEqual(await readdir(out), [name]);
    t.is(await readFile(file, 'utf8'), '{}');
  });
}
