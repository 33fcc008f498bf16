import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { convert, planConvert } from '../../lib/convert/index.ts';
import { hashFiles } from '../helpers/folder-state.ts';
import { writeGreyFolder } from '../helpers/grey-videos.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';

const SMALL = { videosPerShard: 2, shortSide: 16, workers: 2 } as const;

for (const strange of ['thesis.txt', 'train-000000.tar', 'dataset.json']) {
  test(`a folder that holds ${strange} and no plan is refused and kept`, async (t) => {
    const folder = await temporaryFolder(t);
    const videos = join(folder, 'videos');
    const out = join(folder, 'out');
    await writeGreyFolder(videos, 2);
    await mkdir(out);
    await writeFile(join(out, strange), 'mine');
    for (const overwrite of [false, true]) {
      for (const act of [convert, planConvert]) {
        const error = await t.throwsAsync(act(videos, { ...SMALL, out, overwrite }), {
          code: 'TUBE_OUT_NOT_EMPTY',
        });
        t.true(error.message.includes(strange));
      }
    }
    t.deepEqual(await readdir(out), [strange]);
    t.is(await readFile(join(out, strange), 'utf8'), 'mine');
  });
}

test('overwriting starts anew and leaves files of others alone', async (t) => {
  const folder = await temporaryFolder(t);
  const videos = join(folder, 'videos');
  const out = join(folder, 'out');
  await writeGreyFolder(videos, 6);
  await convert(videos, { ...SMALL, out, name: 'old' });
  const others = ['notes.txt', 'holiday-000001.json', 'holiday-000001.tar', 'old-new.tar', 'x.tmp'];
  for (const name of others) await writeFile(join(out, name), name);
  const summary = await convert(videos, { ...SMALL, out, videosPerShard: 4, overwrite: true });
  t.is(summary.shards, 2);
  t.deepEqual((await readdir(out)).toSorted(), [
    'dataset.json',
    'failures.jsonl',
    'holiday-000001.json',
    'holiday-000001.tar',
    'notes.txt',
    'old-new.tar',
    'plan.json',
    'train-000000.json',
    'train-000000.tar',
    'train-000001.json',
    'train-000001.tar',
    'x.tmp',
  ]);
  for (const name of others) t.is(await readFile(join(out, name), 'utf8'), name);
});

test('overwriting with a damaged plan takes no old shard for a new one', async (t) => {
  const folder = await temporaryFolder(t);
  const videos = join(folder, 'videos');
  await writeGreyFolder(videos, 6);
  const wanted = join(folder, 'wanted');
  await convert(videos, { ...SMALL, out: wanted, stride: 1 });
  const out = join(folder, 'out');
  await convert(videos, { ...SMALL, out });
  for (const damaged of ['{"content":', '', 'null', '7']) {
    await writeFile(join(out, 'plan.json'), damaged);
    for (const act of [convert, planConvert]) {
      const error = await t.throwsAsync(act(videos, { ...SMALL, out }), {
        code: 'TUBE_PLAN_DAMAGED',
      });
      t.true(error.message.includes(join(out, 'plan.json')));
    }
    await convert(videos, { ...SMALL, out, stride: 1, overwrite: true });
    t.deepEqual(await hashFiles(out), await hashFiles(wanted));
  }
});

test('what killed runs left behind is swept away', async (t) => {
  const folder = await temporaryFolder(t);
  const videos = join(folder, 'videos');
  const out = join(folder, 'out');
  await writeGreyFolder(videos, 4);
  await mkdir(out);
  await writeFile(join(out, '.tubelet.lock'), '');
  await writeFile(join(out, 'plan.json.tmp'), '{');
  await convert(videos, { ...SMALL, out });
  const state = await hashFiles(out);
  await mkdir(join(out, '.work'));
  await writeFile(join(out, '.work', '0.spool'), 'pixels');
  const left = ['plan.json.tmp', 'dataset.json.tmp', 'failures.jsonl.tmp'];
  for (const name of [...left, 'train-000001.tar.tmp', 'train-000000.json.tmp']) {
    await writeFile(join(out, name), 'part');
  }
  await convert(videos, { ...SMALL, out });
  t.deepEqual(await hashFiles(out), state);
});

for (const out of ['file/below', '/proc/tubelet-out']) {
  test(`the output folder ${out} cannot be written`, async (t) => {
    const folder = await temporaryFolder(t);
    const videos = join(folder, 'videos');
    await writeGreyFolder(videos, 2);
    await writeFile(join(folder, 'file'), '');
    const path = out.startsWith('/') ? out : join(folder, out);
    await t.throwsAsync(convert(videos, { ...SMALL, out: path }), {
      code: 'TUBE_OUT_NOT_WRITABLE',
    });
  });
}
