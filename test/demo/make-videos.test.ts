import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { openVideo } from '../../lib/decode/open-video.ts';
import { makeDemoVideos, motionClasses } from '../../lib/demo/index.ts';
import { openSource } from '../../lib/source/index.ts';
import { hashFiles } from '../helpers/folder-state.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';

test('the same options keep what is there, other options make it anew, files of others stay', async (t) => {
  const folder = join(await temporaryFolder(t), 'videos');
  t.is(await makeDemoVideos(folder, { perClass: 2, seconds: 1 }), 20);
  const grow = join(folder, 'grow');
  const first = await hashFiles(grow);
  const { mtimeMs } = await stat(join(grow, '0000.mp4'));
  await rm(join(grow, '0001.avi'));
  await makeDemoVideos(folder, { perClass: 2, seconds: 1 });
  t.deepEqual(await hashFiles(grow), first);
  t.is((await stat(join(grow, '0000.mp4'))).mtimeMs, mtimeMs);
  await writeFile(join(grow, 'mine.mp4'), 'mine');
  await makeDemoVideos(folder, { perClass: 1, seconds: 1, seed: 1 });
  t.deepEqual((await readdir(grow)).toSorted(), ['0000.mp4', 'mine.mp4']);
  t.not((await hashFiles(grow))['0000.mp4'], first['0000.mp4']);
  await using source = await openSource(folder);
  t.is(source.numVideos, motionClasses.length + 1);
});

test('sets whose numbers do not meet share no video; plain ones are square', async (t) => {
  const folder = await temporaryFolder(t);
  const plain = { perClass: 1, seconds: 1, isPlain: true } as const;
  await makeDemoVideos(join(folder, 'a'), { ...plain, perClass: 2 });
  await makeDemoVideos(join(folder, 'b'), { ...plain, firstIndex: 1 });
  t.deepEqual(await readdir(join(folder, 'b', 'grow')), ['0001.avi']);
  const [both, second] = await Promise.all(
    ['a', 'b'].map((name) => hashFiles(join(folder, name, 'grow'))),
  );
  t.deepEqual(Object.keys(both!).toSorted(), ['0000.mp4', '0001.avi']);
  t.is(both!['0001.avi'], second!['0001.avi']);
  t.not(both!['0000.mp4'], both!['0001.avi']);
  using video = openVideo(join(folder, 'a', 'grow', '0000.mp4'));
  t.like(video.info, { width: 64, height: 64 });
});

test('the same options give the same bytes, however often', async (t) => {
  const folder = await temporaryFolder(t);
  const sets: (readonly unknown[])[] = [];
  for (const name of ['a', 'b', 'c', 'd']) {
    await makeDemoVideos(join(folder, name), { perClass: 1, isPlain: true });
    const hashes = motionClasses.map((motion) => hashFiles(join(folder, name, motion)));
    sets.push(await Promise.all(hashes));
  }
  for (const other of sets.slice(1)) t.deepEqual(other, sets[0]);
});

for (const [title, files] of [
  ['a class of others', { 'grow/holiday.mp4': 'mine' }],
  ['a demo.json that says nothing', { 'demo.json': '{}' }],
] as const) {
  test(`a folder with ${title} is refused and left alone`, async (t) => {
    const folder = await temporaryFolder(t);
    await mkdir(join(folder, 'grow'));
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const before = (await readdir(folder, { recursive: true })).toSorted();
    await t.throwsAsync(makeDemoVideos(folder, { perClass: 1 }), { code: 'TUBE_OUT_NOT_EMPTY' });
    t.deepEqual((await readdir(folder, { recursive: true })).toSorted(), before);
  });
}
