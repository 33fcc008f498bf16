import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { motionClasses } from '../../lib/demo/index.ts';
import { decodeImage } from '../../lib/sample/index.ts';
import { runCli, runJson } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';

test('demo makes videos, converts, verifies and draws them; a second run goes on from there', async (t) => {
  const out = join(await temporaryFolder(t), 'demo');
  const { code, stdout, stderr } = await runCli('demo', '--videos', '2', '--out', out);
  t.is(code, 0, stderr);
  t.deepEqual((await readdir(out)).toSorted(), ['contact-sheet.png', 'shards', 'videos']);
  for (const name of motionClasses) t.regex(stdout, new RegExp(`^  ${name} +2 +\\d+$`, 'm'));
  t.regex(stdout, /frames checked: all sound/);
  t.regex(stderr, /^1\. [^]*^2\. [^]*^3\. [^]*^4\. /m);
  const sheet = await decodeImage(await readFile(join(out, 'contact-sheet.png')));
  t.true(sheet.width > 480 && sheet.height > 500);
  const again = await runJson('demo', '--videos', '2', '--out', out);
  t.like(again, { videos: 20, clips: 20, shards: 1, failures: {}, defects: [], isComplete: true });
});

for (const name of ['shards', 'contact-sheet.png']) {
  test(`demo writes over no ${name} of others, not even at the second try`, async (t) => {
    const out = await temporaryFolder(t);
    const file = name === 'shards' ? join(out, name, 'plan.json') : join(out, name);
    if (name === 'shards') await mkdir(join(out, name));
    await writeFile(file, '{}');
    for (let k = 0; k < 2; k++) {
      const { code, stderr } = await runCli('demo', '--videos', '1', '--out', out);
      t.is(code, 1);
      t.regex(stderr, /^TUBE_OUT_NOT_EMPTY/);
    }
    t.deepEqual(await readdir(out), [name]);
    t.is(await readFile(file, 'utf8'), '{}');
  });
}
