import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { convert, openDataset } from '../../lib/index.ts';
import { writeGreyVideo } from '../helpers/grey-videos.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';

test('spans count with their own length, not with that of the file', async (t) => {
  const folder = await temporaryFolder(t);
  await writeGreyVideo(join(folder, 'v.mp4'), { frames: 50, fps: 25 });
  const list = join(folder, 'list.csv');
  await writeFile(list, 'path,start,end\nv.mp4,0,0.5\nv.mp4,1,5\n');
  const out = join(folder, 'out');
  await convert(list, { out, stride: 5, shortSide: 16 });
  await using dataset = await openDataset(out);
  t.is(dataset.info.totals.seconds, 0.5 + 1); // the second span is cut off by the end of the video
  t.is((await dataset.read(0)).source.seconds, 2);
});

test('the summary says what the source held besides videos', async (t) => {
  const folder = await temporaryFolder(t);
  const source = join(folder, 'source');
  await writeGreyVideo(join(folder, 'v.mp4'), { frames: 5 });
  await mkdir(source);
  await rename(join(folder, 'v.mp4'), join(source, 'v.mp4'));
  await writeFile(join(source, 'notes.txt'), 'x');
  await writeFile(join(source, '.hidden'), 'x');
  const { notes, videos } = await convert(source, { out: join(folder, 'out'), shortSide: 16 });
  t.is(videos, 1);
  t.deepEqual(notes.skippedByExtension, { '.txt': 1 });
  t.is(notes.hidden, 1);
});

test('a failure says what happened before the details', async (t) => {
  const folder = await temporaryFolder(t);
  await writeGreyVideo(join(folder, 'v.mp4'), { frames: 10, fps: 10 });
  const list = join(folder, 'list.csv');
  await writeFile(list, 'path,start,end\nv.mp4,5,6\n');
  const out = join(folder, 'out');
  const { failures } = await convert(list, { out, shortSide: 16 });
  t.deepEqual(failures, { TUBE_EMPTY_SPAN: 1 });
  const [line = ''] = (await readFile(join(out, 'failures.jsonl'), 'utf8')).split('\n');
  t.regex(
    (JSON.parse(line) as { message: string }).message,
    /^the wanted span of the video holds no frame; /,
  );
});
