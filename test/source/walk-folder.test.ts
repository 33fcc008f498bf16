import { execFileSync } from 'node:child_process';
import { readFile, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { openSource, videoFilePath } from '../../lib/source/index.ts';
import { isOtherKind } from '../../lib/source/file-kinds.ts';
import { createNotes } from '../../lib/source/video-ref.ts';
import { makeFolder, open } from './temp-folder.ts';

const isPosix = process.platform !== 'win32';

test('the first folder below the root is the class, order is that of names', async (t) => {
  const folder = await makeFolder(t, [
    'b/x.mp4',
    'b/a/deep/y.avi',
    'a b/z',
    'Ä/q.webm',
    'root.mkv',
  ]);
  const source = await open(t, folder);
  const videos = await source.read(0, 100);
  t.deepEqual(
    videos.map(({ path, label, className }) => [path, label, className]),
    [
      ['a b/z', 0, 'a b'],
      ['b/a/deep/y.avi', 1, 'b'],
      ['b/x.mp4', 1, 'b'],
      ['root.mkv', null, null],
      ['Ä/q.webm', 2, 'Ä'],
    ],
  );
  t.is(source.kind, 'folder');
  t.is(source.root, folder);
  t.is(source.numVideos, 5);
  t.deepEqual(source.classes, ['a b', 'b', 'Ä']);
  t.deepEqual(source.notes, createNotes());
});

test('a flat folder has no labels, folders without videos are no classes', async (t) => {
  const folder = await makeFolder(t, ['2.mp4', '10.mp4', 'texts/a.txt']);
  const source = await open(t, folder);
  t.deepEqual(
    (await source.read(0, 9)).map(({ path, label }) => [path, label]),
    [
      ['10.mp4', null],
      ['2.mp4', null],
    ],
  );
  t.deepEqual(source.classes, []);
});

test('class folders called by numbers are names', async (t) => {
  const source = await open(t, await makeFolder(t, ['7/a.mp4', '10/b.mp4']));
  const videos = await source.read(0, 2);
  t.deepEqual(
    videos.map(({ label, className }) => [label, className]),
    [
      [0, '10'],
      [1, '7'],
    ],
  );
});

test('content decides: only known other kinds and hidden files are left out, and counted', async (t) => {
  const folder = await makeFolder(t, [
    'a/1.ts',
    'a/2.gif',
    'a/3.unknown',
    'a/4',
    'a/5.MP4',
    'a/x.TXT',
    'a/y.txt',
    'a/z.srt',
    '.git/x.mp4',
    'a/._1.mp4',
    'labels.csv',
  ]);
  const source = await open(t, folder);
  t.is(source.numVideos, 5);
  t.deepEqual(source.notes, {
    ...createNotes(),
    skippedByExtension: { '.txt': 2, '.srt': 1, '.csv': 1 },
    hidden: 2,
  });
});

test('names without an extension that are no videos are skipped and counted', (t) => {
  const notes = createNotes();
  for (const name of ['README', 'Readme', 'LICENSE', 'COPYING', 'Makefile', 'CHANGELOG']) {
    t.true(isOtherKind(name, notes), name);
  }
  for (const name of ['checksums', 'SHA256SUMS']) t.true(isOtherKind(name, notes), name);
  for (const name of ['readme.mp4', 'video', 'v_Makefile']) t.false(isOtherKind(name, notes), name);
  t.deepEqual(notes.skippedByExtension, {
    readme: 2,
    license: 1,
    copying: 1,
    makefile: 1,
    changelog: 1,
    checksums: 1,
    sha256sums: 1,
  });
});

test('table of other kinds', (t) => {
  const notes = createNotes();
  for (const name of ['a.mp4', 'a.ts', 'a.mts', 'a.gif', 'a.apng', 'a.dat', 'txt', 'a.ogg']) {
    t.false(isOtherKind(name, notes), name);
  }
  for (const name of ['a.json', 'a.b.Png', 'a.tar.gz', 'a.safetensors']) {
    t.true(isOtherKind(name, notes), name);
  }
  t.deepEqual(notes.skippedByExtension, { '.json': 1, '.png': 1, '.gz': 1, '.safetensors': 1 });
});

if (isPosix) {
  test('links are followed, loops end, broken links stay visible', async (t) => {
    const folder = await makeFolder(t, ['a/1.mp4', 'z/2.mp4']);
    const outside = await makeFolder(t, ['3.mp4', 'sub/4.mp4']);
    await symlink('..', join(folder, 'a/loop'));
    await symlink(outside, join(folder, 'linked'));
    await symlink(outside, join(folder, 'linked-again'));
    await symlink('../z/2.mp4', join(folder, 'a/same.mp4'));
    await symlink('nowhere.mp4', join(folder, 'a/broken.mp4'));
    await symlink('nowhere.txt', join(folder, 'a/broken.txt'));
    await symlink('self', join(folder, 'a/self'));
    const source = await open(t, folder);
    t.deepEqual(
      (await source.read(0, 100)).map(({ path }) => path),
      [
        'a/1.mp4',
        'a/broken.mp4',
        'a/same.mp4',
        'a/self',
        'linked/3.mp4',
        'linked/sub/4.mp4',
        'z/2.mp4',
      ],
    );
    t.is(source.notes.revisitedFolders, 2);
    t.is(source.notes.brokenLinks, 2);
    t.deepEqual(source.notes.skippedByExtension, { '.txt': 1 });
    t.deepEqual(source.classes, ['a', 'linked', 'z']);
  });

  test('a link takes no videos away from the class in which they lie', async (t) => {
    const folder = await makeFolder(t, ['zz_real/1.mp4', 'zz_real/deep/2.mp4', '.store/5/3.mp4']);
    await symlink('zz_real', join(folder, 'aa_link'));
    await symlink('zz_real/deep', join(folder, 'bb_link'));
    await symlink('..', join(folder, 'cc_above'));
    await symlink('.store/5', join(folder, 'five'));
    await symlink(folder, `${folder}-link`);
    t.teardown(() => unlink(`${folder}-link`));
    for (const root of [folder, `${folder}-link`]) {
      const source = await open(t, root);
      t.deepEqual(
        (await source.read(0, 100)).map(({ path, className }) => [path, className]),
        [
          ['five/3.mp4', 'five'],
          ['zz_real/1.mp4', 'zz_real'],
          ['zz_real/deep/2.mp4', 'zz_real'],
        ],
      );
      t.is(source.notes.revisitedFolders, 3);
    }
  });

  test('a link from outside leads neither back into the root nor round in circles', async (t) => {
    const folder = await makeFolder(t, ['z/1.mp4']);
    const outside = await makeFolder(t, ['2.mp4']);
    await symlink(join(folder, 'z'), join(outside, 'back'));
    await symlink(outside, join(outside, 'self'));
    await symlink(outside, join(folder, 'a'));
    const source = await open(t, folder);
    t.deepEqual(
      (await source.read(0, 9)).map(({ path }) => path),
      ['a/2.mp4', 'z/1.mp4'],
    );
    t.is(source.notes.revisitedFolders, 2);
  });

  test('pipes are counted, not opened', async (t) => {
    const folder = await makeFolder(t, ['a.mp4']);
    execFileSync('mkfifo', [join(folder, 'pipe.mp4')]);
    await symlink('pipe.mp4', join(folder, 'to-pipe.mp4'));
    const source = await open(t, folder);
    t.is(source.numVideos, 1);
    t.is(source.notes.otherKinds, 2);
  });
}

if (process.platform === 'linux') {
  test('names that are not UTF-8 survive, sorted by bytes', async (t) => {
    const folder = await makeFolder(t, ['é/é.mp4']);
    const name = Buffer.concat([
      Buffer.from(`${folder}/é/`),
      Buffer.from('caf\xe9 \xff.mp4', 'latin1'),
    ]);
    await writeFile(name, 'content');
    const source = await open(t, folder);
    const videos = await source.read(0, 2);
    const paths = ['é/caf\udce9 \udcff.mp4', 'é/é.mp4'];
    t.deepEqual(
      videos.map(({ path }) => path),
      paths,
    );
    t.deepEqual(source.classes, ['é']);
    const [file = ''] = paths.map((path) => videoFilePath(source.root, path));
    t.is(await readFile(file, 'utf8'), 'content');
  });
}

test('a folder that is missing or empty has its code', async (t) => {
  const folder = await makeFolder(t, ['a/x.txt', '.hidden']);
  await t.throwsAsync(openSource(join(folder, 'none')), { code: 'TUBE_SOURCE_NOT_FOUND' });
  const error = await t.throwsAsync(openSource(folder), { code: 'TUBE_SOURCE_EMPTY' });
  t.like(error, { details: { path: folder, skipped: '.txt 1', hidden: 1 } });
});
