import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { runCli, runJson } from '../helpers/cli.ts';
import { writeGreyFolder } from '../helpers/grey-videos.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';

const KEYS =
  'videos clips frames shards bytes failures seconds videosPerSecond framesPerSecond warnings notes isComplete hasTooManyFailures';

test.serial('--json prints one object with the promised keys and nothing on stderr', async (t) => {
  const folder = await temporaryFolder(t);
  const [videos, out] = [join(folder, 'videos'), join(folder, 'out')];
  await writeGreyFolder(videos, 9);
  await writeFile(join(videos, 'odd', 'bad.mp4'), 'bad');
  const flags = ['--out', out, '--short-side', '16', '--videos-per-shard', '4'];
  const { code, stdout, stderr } = await runCli(
    'convert',
    videos,
    ...flags,
    '--max-failures',
    '1',
    '--json',
  );
  t.is(code, 0);
  t.is(stderr, '');
  t.is(stdout.split('\n').length, 2);
  const summary = JSON.parse(stdout) as Record<string, number>;
  t.is(Object.keys(summary).join(' '), KEYS);
  t.like(summary, { videos: 9, clips: 9, frames: 9 * 5, shards: 3, isComplete: true });
  t.deepEqual(summary['failures'] as unknown, { TUBE_NOT_VIDEO: 1 });
  const { bytes, seconds, videosPerSecond, framesPerSecond } = summary;
  t.true(bytes! > 3 * 1024 && seconds! > 0 && videosPerSecond! > 0 && framesPerSecond! > 0);
});

test.serial('the summary for people has the counts; a rerun had nothing to do', async (t) => {
  const folder = await temporaryFolder(t);
  const [videos, out] = [join(folder, 'videos'), join(folder, 'out')];
  await writeGreyFolder(videos, 4);
  const args = ['convert', videos, '--out', out, '--short-side', '16'];
  const first = await runCli(...args);
  t.is(first.code, 0);
  t.regex(first.stderr, /^(convert: .*\n)*$/); // A slow machine sees progress.

  for (const line of [
    /videos +4\n/,
    /samples +4\n/,
    /frames +20\n/,
    /shards +1\n/,
    /failed +0\n/,
  ]) {
    t.regex(first.stdout, line);
  }
  t.regex((await runCli(...args)).stdout, /nothing to do/);
});

test.serial('a dry run prints the plan, for people and machines, and writes nothing', async (t) => {
  const folder = await temporaryFolder(t);
  const [videos, out] = [join(folder, 'videos'), join(folder, 'out')];
  await writeGreyFolder(videos, 4);
  await writeFile(join(videos, 'readme.txt'), '');
  const args = ['convert', videos, '--out', out, '--dry-run', '--videos-per-shard', '3'];
  const { code, stdout } = await runCli(...args);
  t.is(code, 0);
  t.regex(
    stdout,
    /nothing was written[^]*videos +4\n[^]*2: even, odd\n[^]*shards +2, 0 of them finished[^]*1 \.txt/,
  );
  t.like(await runJson(...args), { videos: 4, classes: ['even', 'odd'], shards: 2, shardsDone: 0 });
  t.deepEqual((await readdir(folder)).toSorted(), ['videos']);
});

test.serial('every flag reaches its option', async (t) => {
  const folder = await temporaryFolder(t);
  await writeGreyFolder(join(folder, 'videos'), 2);
  const list = join(folder, 'list.txt');
  await writeFile(list, 'even/00.mp4 0\nodd/01.mp4 1\n');
  const common = [
    'convert',
    '--list',
    list,
    '--root',
    join(folder, 'videos'),
    '--dry-run',
    '--out',
    'o',
  ];
  const frames =
    '--name n --split s --codec jpeg --quality 80 --fps 2.5 --short-side 0 --max-seconds 9.5 --videos-per-shard 7 --seed 3 --no-shuffle';
  const first = (await runJson(...common, ...frames.split(' ')))['plan'] as { content: unknown };
  t.deepEqual(first.content, {
    name: 'n',
    split: 's',
    video: {
      layout: 'frames',
      codec: 'jpeg',
      quality: 80,
      stride: null,
      fps: 2.5,
      shortSide: 0,
      maxSeconds: 9.5,
    },
    videosPerShard: 7,
    seed: 3,
    shuffle: false,
  });
  const tubelets =
    '--layout tubelets --stride 2 --frames 8 --size 64 --short-side 80 --clips all --tubelet 4x8x8 --short-video loop';
  const second = (await runJson(...common, ...tubelets.split(' ')))['plan'] as {
    content: { video: unknown };
  };
  t.deepEqual(second.content.video, {
    layout: 'tubelets',
    codec: 'raw',
    stride: 2,
    fps: null,
    shortSide: 80,
    frames: 8,
    size: 64,
    clips: 'all',
    tubelet: [4, 8, 8],
    shortVideo: 'loop',
  });
});
