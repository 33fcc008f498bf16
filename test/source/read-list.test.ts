import { writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import test from 'ava';
import { openSource } from '../../lib/source/index.ts';
import { makeFolder, open, readListText } from './temp-folder.ts';

type Row = readonly [path: string, label: number | null, className: string | null];

interface LabelCase {
  readonly title: string;
  readonly name?: string;
  readonly text: string | Buffer;
  readonly rows: readonly Row[];
  readonly classes?: readonly string[];
}

const cases: readonly LabelCase[] = [
  {
    title: 'CSV with header, names',
    text: 'Path,Label\nx/b.mp4,run\nx/a.mp4,"jump, high"\n',
    rows: [
      ['x/b.mp4', 1, 'run'],
      ['x/a.mp4', 0, 'jump, high'],
    ],
    classes: ['jump, high', 'run'],
  },
  {
    title:
      'CSV: byte order mark, CRLF, comments, blank lines, blanks around fields, quotes, no last line end',
    text: '\ufeff# made by hand\r\n\r\nfile , label\r\n"a, ""b"".mp4", 3 \r\n  \r\n,,\r\nc.mp4,',
    rows: [
      ['a, "b".mp4', 3, null],
      ['c.mp4', null, null],
    ],
  },
  {
    title: 'CSV without header: label may be empty',
    text: 'a.mp4,3\nb.mp4,\nc.mp4\nd.mp4,-1\n',
    rows: [
      ['a.mp4', 3, null],
      ['b.mp4', null, null],
      ['c.mp4', null, null],
      ['d.mp4', -1, null],
    ],
  },
  {
    title: 'CSV with mixed line ends and a quoted line end',
    text: 'path,label\na.mp4,x\r\n"b\nc.mp4",y\rd.mp4,x\n',
    rows: [
      ['a.mp4', 0, 'x'],
      ['b\nc.mp4', 1, 'y'],
      ['d.mp4', 0, 'x'],
    ],
    classes: ['x', 'y'],
  },
  {
    title: 'CSV with one column and quotes',
    name: 'list.csv',
    text: 'video\na b.mp4\n"c, d.mp4"\n',
    rows: [
      ['a b.mp4', null, null],
      ['c, d.mp4', null, null],
    ],
  },
  {
    title: 'TSV',
    text: 'label\tvideo_path\nsit down\ta b, c.mp4\nstand\td.mp4\n',
    rows: [
      ['a b, c.mp4', 0, 'sit down'],
      ['d.mp4', 1, 'stand'],
    ],
    classes: ['sit down', 'stand'],
  },
  {
    title: 'UTF-16, as spreadsheets write it',
    text: Buffer.from('\ufeffpath\tclass\né.mp4\tü\n', 'utf16le'),
    rows: [['é.mp4', 0, 'ü']],
    classes: ['ü'],
  },
  {
    title: 'path and label after a blank, the form of VideoMAE, in a file called .csv',
    name: 'train.csv',
    text: '/data/k400/my clip, 1.mp4 12\nb.mp4 0\nc d.mp4\n',
    rows: [
      ['/data/k400/my clip, 1.mp4', 12, null],
      ['b.mp4', 0, null],
      ['c d.mp4', null, null],
    ],
  },
  {
    title: 'path and name after a blank, with header',
    text: 'path label\nUCF/v_Apply g01.avi ApplyEye\nb.avi Zoom\n',
    rows: [
      ['UCF/v_Apply g01.avi', 0, 'ApplyEye'],
      ['b.avi', 1, 'Zoom'],
    ],
    classes: ['ApplyEye', 'Zoom'],
  },
  {
    title: 'one path a line',
    text: '# all of them\r\n./a//b c.mp4\r\n../up, and away.mp4\r\nfolder/no extension\r\n',
    rows: [
      ['a/b c.mp4', null, null],
      ['../up, and away.mp4', null, null],
      ['folder/no extension', null, null],
    ],
  },
  {
    title: 'JSON lines',
    text: '{"video":"a.mp4","label":3,"extra":[1]}\n\n{"label":null,"video":"b.mp4"}\n{"video":"c.mp4"}\n',
    rows: [
      ['a.mp4', 3, null],
      ['b.mp4', null, null],
      ['c.mp4', null, null],
    ],
  },
  {
    title: 'only a class column: names',
    text: 'name,gloss\na.mp4,b\nb.mp4,a\n',
    rows: [
      ['a.mp4', 1, 'b'],
      ['b.mp4', 0, 'a'],
    ],
    classes: ['a', 'b'],
  },
  {
    title: 'ids and names as given, in any order of rows',
    text: 'path,label,class\na.mp4,1,zebra\nb.mp4,0,yak\nc.mp4,1,\nd.mp4,,\n',
    rows: [
      ['a.mp4', 1, 'zebra'],
      ['b.mp4', 0, 'yak'],
      ['c.mp4', 1, null],
      ['d.mp4', null, null],
    ],
    classes: ['yak', 'zebra'],
  },
  {
    title: 'names in the label column, ids in label_id',
    text: 'path,label,label_id\na.mp4,zebra,0\nb.mp4,yak,1\n',
    rows: [
      ['a.mp4', 0, 'zebra'],
      ['b.mp4', 1, 'yak'],
    ],
    classes: ['zebra', 'yak'],
  },
  {
    title: 'ids with gaps have no table of names',
    text: 'path,label,class\na.mp4,7,x\n',
    rows: [['a.mp4', 7, 'x']],
  },
  {
    title: 'integers written as floats',
    text: 'path,label\na.mp4,3.0\nb.mp4,\n',
    rows: [
      ['a.mp4', 3, null],
      ['b.mp4', null, null],
    ],
  },
  {
    title: 'one word among integers makes all of them names',
    text: 'path,label\na.mp4,10\nb.mp4,9\nc.mp4,x\n',
    rows: [
      ['a.mp4', 0, '10'],
      ['b.mp4', 1, '9'],
      ['c.mp4', 2, 'x'],
    ],
    classes: ['10', '9', 'x'],
  },
  {
    title: 'names are sorted by UTF-8 bytes, not by UTF-16',
    text: 'path,label\na.mp4,\u{1f600}\nb.mp4,\uff21\nc.mp4,é\nd.mp4,z\n',
    rows: [
      ['a.mp4', 3, '\u{1f600}'],
      ['b.mp4', 2, '\uff21'],
      ['c.mp4', 1, 'é'],
      ['d.mp4', 0, 'z'],
    ],
    classes: ['z', 'é', '\uff21', '\u{1f600}'],
  },
  {
    title: 'paths and names that are not UTF-8, or end in a byte that looks like a blank',
    text: Buffer.concat([
      Buffer.from('path,label\ncaf\xe9.mp4,\xff\n', 'latin1'),
      Buffer.from('(voilà,/à\n'),
    ]),
    rows: [
      ['caf\udce9.mp4', 1, '\udcff'],
      ['(voilà', 0, '/à'],
    ],
    classes: ['/à', '\udcff'],
  },
];

for (const { title, name, text, rows, classes = [] } of cases) {
  test(title, async (t) => {
    const { source, videos } = await readListText(t, text, name === undefined ? {} : { name });
    t.deepEqual(
      videos.map(({ path, label, className }): Row => [path, label, className]),
      [...rows],
    );
    t.deepEqual(source.classes, [...classes]);
    t.is(source.kind, 'list');
  });
}

for (const [title, text, spans] of [
  [
    'spans by name',
    'path,T_Start,end_sec,split\na.mp4,0.5,2,train\na.mp4,2,,val\nb.mp4,,3e0,\n',
    [
      [0.5, 2, 'train'],
      [2, null, 'val'],
      [null, 3, null],
    ],
  ],
  ['four columns without header', 'a.mp4,walk,1,2\n', [[1, 2, null]]],
  ['three columns without header', 'a.mp4,walk,val\n', [[null, null, 'val']]],
  ['five columns without header', 'a.mp4,walk,1,2,val\n', [[1, 2, 'val']]],
  ['numbers in JSON', '{"path":"a.mp4","start":1.25,"end":"2","set":"x"}\n', [[1.25, 2, 'x']]],
] as const) {
  test(title, async (t) => {
    const { videos } = await readListText(t, text);
    t.deepEqual(
      videos.map(({ startSeconds, endSeconds, split }) => [startSeconds, endSeconds, split]),
      structuredClone<unknown>(spans) as unknown[],
    );
    t.is(new Set(videos.map(({ id }) => id)).size, videos.length);
  });
}

for (const [title, text, line] of [
  ['no path in a row', 'path,label\na.mp4,1\n,2\n', 3],
  ['path is only dots', './\n', 1],
  ['start is no number', 'path,start\n# x\na.mp4,abc\n', 3],
  ['start is no decimal number', 'path,start\na.mp4,0x10\n', 2],
  ['start is not finite', '{"path":"a.mp4","start":1e999}\n', 1],
  ['negative start', 'path,start\na.mp4,-1\n', 2],
  ['end before start', 'path,start,end\na.mp4,2,2\n', 2],
  ['end at zero', 'path,end\na.mp4,0\n', 2],
  ['quote not closed', 'path,label\na.mp4,"x\nb.mp4,y\n', 3],
  ['quote inside a field', 'path,label\na.mp4,x"y\n', 2],
  ['more fields than columns', 'path,label\na.mp4,x\nb, c.mp4,y\n', 3],
  ['no path column', 'label,youtube_id,time_start\nx,y,1\n', 1],
  ['too many columns without header', 'a.mp4,1,2,3,x,y\n', 1],
  ['header that blanks cannot part', 'path start end\na.mp4 1 2\n', 1],
  ['broken JSON', '{"path":"a.mp4"}\n\n{"path":\n', 3],
  ['JSON that is no object', '{"path":"a.mp4"}\n["b.mp4"]\n', 2],
  ['JSON label of another type', '{"path":"a.mp4","label":["x"]}\n', 1],
  ['JSON object without path', '{"label":"x"}\n', 1],
  ['surrogate that stands for no byte', '{"path":"a\\ud800.mp4"}\n', 1],
  ['zero byte in JSON', '{"path":"a\\u0000.mp4"}\n', 1],
  ['zero byte', 'a.mp4\0\n', 1],
  ['address', 'https://example.org/a.mp4\n', 1],
  ['endless line', `a.mp4\n${'x'.repeat(3_000_000)}\n`, 2],
] as const) {
  test(`bad row: ${title}`, async (t) => {
    const folder = await makeFolder(t, { list: text });
    const list = join(folder, 'list');
    const error = await t.throwsAsync(openSource(list), { code: 'TUBE_LIST_SYNTAX' });
    t.like(error, { details: { list, line } });
  });
}

test('the same row twice is kept once', async (t) => {
  const { source, videos } = await readListText(
    t,
    'path,label,start\na.mp4,x,1\n./a.mp4,x,1.0\na.mp4,x,2\na.mp4,x,\n',
  );
  t.deepEqual(
    videos.map(({ startSeconds }) => startSeconds),
    [1, 2, null],
  );
  t.is(source.notes.duplicates, 1);
});

for (const [title, text, details] of [
  [
    'labels',
    'path,label\nb.mp4,x\na.mp4,x\na//b.mp4,y\na/b.mp4,x\n',
    { path: 'a/b.mp4', line: 5, firstLine: 4 },
  ],
  [
    'splits',
    'path,label,split\na.mp4,x,train\na.mp4,x,val\n',
    { path: 'a.mp4', line: 3, firstLine: 2 },
  ],
  ['names for one id', 'path,label,class\na.mp4,1,x\nb.mp4,1,y\n', { line: 3 }],
  ['ids for one name', 'path,label,class\na.mp4,1,x\nb.mp4,2,x\n', { line: 3 }],
] as const) {
  test(`conflict: two ${title}`, async (t) => {
    const folder = await makeFolder(t, { list: text });
    const error = await t.throwsAsync(openSource(join(folder, 'list')), {
      code: 'TUBE_LIST_CONFLICT',
    });
    t.like(error, { details });
  });
}

test('a split is chosen, class ids stay those of the whole list', async (t) => {
  const text = 'path,label,split\na.mp4,x,train\na.mp4,z,val\nb.mp4,y,val\nc.mp4,y,\n';
  const { source, videos } = await readListText(t, text, { split: 'val' });
  t.deepEqual(
    videos.map(({ path, label, split }) => [path, label, split]),
    [
      ['a.mp4', 2, 'val'],
      ['b.mp4', 1, 'val'],
    ],
  );
  t.deepEqual(source.classes, ['x', 'y', 'z']);
  t.is(source.notes.otherSplits, 2);
});

test('without a split column nothing is filtered, with one nothing may be left', async (t) => {
  const { videos } = await readListText(t, 'a.mp4 1\n', { split: 'val' });
  t.is(videos.length, 1);
  const error = await t.throwsAsync(readListText(t, 'path,set\na,x\n', { split: 'val' }), {
    code: 'TUBE_SOURCE_EMPTY',
  });
  t.like(error, { details: { split: 'val', otherSplits: 1 } });
});

test('relative paths start at the root, the folder, or the folder of the list', async (t) => {
  const folder = await makeFolder(t, { 'lists/all.txt': 'a.mp4\n', 'videos/a.mp4': '' });
  const list = join(folder, 'lists/all.txt');
  const videos = join(folder, 'videos');
  t.is((await open(t, list)).root, join(folder, 'lists'));
  t.is((await open(t, list, { root: videos })).root, videos);
  t.is((await open(t, videos, { list })).root, videos);
  t.is((await open(t, videos, { list, root: folder })).root, folder);
});

test('absolute paths below the root are relative, wherever the data lies; others stay', async (t) => {
  const fingerprints: string[] = [];
  for (let k = 0; k < 2; k++) {
    const folder = await makeFolder(t);
    const text = `${folder}/a//b.mp4 1\n${folder}/c.mp4 2\na/b.mp4 1\n`;
    await writeFile(join(folder, 'list'), text);
    const source = await open(t, join(folder, 'list'));
    const videos = await source.read(0, 9);
    t.deepEqual(
      videos.map(({ path }) => path),
      ['a/b.mp4', 'c.mp4'],
    );
    t.is(source.notes.duplicates, 1);
    fingerprints.push(source.fingerprint, videos[0]!.id);
    const other = await open(t, join(folder, 'list'), { root: await makeFolder(t) });
    t.is((await other.read(0, 1))[0]!.path, `${folder}/a/b.mp4`);
    const above = await open(t, join(folder, 'list'), { root: dirname(folder) });
    t.is((await above.read(0, 1))[0]!.path, `${basename(folder)}/a/b.mp4`);
  }
  t.deepEqual(fingerprints.slice(0, 2), fingerprints.slice(2));
});

test('an absolute path conflicts with the relative one of the same file', async (t) => {
  const folder = await makeFolder(t);
  await writeFile(join(folder, 'list'), `a.mp4 1\n${folder}/a.mp4 2\n`);
  await t.throwsAsync(openSource(join(folder, 'list')), { code: 'TUBE_LIST_CONFLICT' });
});

test('options that would be ignored are refused by name', async (t) => {
  const folder = await makeFolder(t, { list: 'a.mp4\n', other: 'b.mp4\n', 'a.mp4': '' });
  const list = join(folder, 'list');
  for (const [name, path, options] of [
    ['root', folder, { root: folder }],
    ['form', folder, { form: 'csv' }],
    ['list', join(folder, 'other'), { list }],
  ] as const) {
    const error = await t.throwsAsync(openSource(path, options), { instanceOf: RangeError });
    t.true(error.message.startsWith(`"${name}"`), error.message);
  }
  t.is((await open(t, list, { list })).numVideos, 1);
});

test('the form can be given', async (t) => {
  const { videos } = await readListText(t, 'a.mp4,3\n', { form: 'lines' });
  t.deepEqual(
    videos.map(({ path }) => path),
    ['a.mp4,3'],
  );
  await t.throwsAsync(readListText(t, 'a.mp4\n', { form: 'xml' as 'csv' }), {
    instanceOf: RangeError,
  });
});

test('a list that is missing, a folder, or empty has its code', async (t) => {
  const folder = await makeFolder(t, { empty: '', comments: '# nothing\n\n' });
  for (const list of ['none', '.']) {
    await t.throwsAsync(openSource(folder, { list: join(folder, list) }), {
      code: 'TUBE_SOURCE_NOT_FOUND',
    });
  }
  for (const list of ['empty', 'comments']) {
    await t.throwsAsync(openSource(join(folder, list)), { code: 'TUBE_SOURCE_EMPTY' });
  }
  await t.throwsAsync(openSource(join(folder, 'empty'), { root: join(folder, 'none') }), {
    code: 'TUBE_SOURCE_NOT_FOUND',
  });
});
