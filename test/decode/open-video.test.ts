/** What cannot be read is refused with a code, and odd names are no hindrance. */

import { execFileSync } from 'node:child_process';
import { chmod, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { TubeletError } from '../../lib/core/index.ts';
import { VideoReader } from '../../lib/decode/index.ts';
import type { ReadOptions } from '../../lib/decode/index.ts';
import { GREY_SIZE, makeGreyVideo } from '../helpers/grey-video.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';
import { testVideos, videoPath } from '../helpers/videos.ts';

async function countFrames(file: string | Buffer, options: ReadOptions = {}): Promise<number> {
  let count = 0;
  for await (const frame of new VideoReader(file, options).frames())
    count += frame.data.length && 1;
  return count;
}

async function codeOf(file: string | Buffer, options: ReadOptions = {}): Promise<string> {
  try {
    return `${await countFrames(file, options)} frames`;
  } catch (error) {
    return error instanceof TubeletError ? error.code : `uncoded: ${String(error)}`;
  }
}

test('missing files', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'file'), 'x');
  await symlink('loop', join(folder, 'loop'));
  await symlink('nowhere', join(folder, 'dangling'));
  for (const name of ['missing.mp4', 'file/inside.mp4', 'loop', 'dangling', 'no folder/a.mp4']) {
    t.is(await codeOf(join(folder, name)), 'TUBE_FILE_NOT_FOUND', name);
    t.is(await codeOf(Buffer.from(join(folder, name))), 'TUBE_FILE_NOT_FOUND', name);
  }
});

test('a file that may not be read', async (t) => {
  if (process.getuid?.() === 0 || process.platform === 'win32') {
    t.pass('root reads everything');
    return;
  }
  const file = await makeGreyVideo(await temporaryFolder(t));
  await chmod(file, 0);
  t.is(await codeOf(file), 'TUBE_FILE_UNREADABLE');
});

test('things that are no video', async (t) => {
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, 'folder.mp4'));
  const contents = {
    'empty.mp4': '',
    'text.mp4': 'just a few words\n'.repeat(100),
    'zeros.mp4': Buffer.alloc(5000),
    'page.mkv': '<!doctype html><title>404</title>',
    'picture.png': Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'),
  };
  for (const [name, content] of Object.entries(contents)) {
    await writeFile(join(folder, name), content);
  }
  for (const name of ['folder.mp4', ...Object.keys(contents)]) {
    t.is(await codeOf(join(folder, name)), 'TUBE_NOT_VIDEO', name);
  }
  t.is(await codeOf('/dev/null'), 'TUBE_NOT_VIDEO');
});

test('a pipe without a writer does not block', async (t) => {
  if (process.platform === 'win32') {
    t.pass('no pipes in folders there');
    return;
  }
  const folder = await temporaryFolder(t);
  execFileSync('mkfifo', [join(folder, 'pipe.mp4')]);
  await symlink('pipe.mp4', join(folder, 'link.mp4'));
  t.is(await codeOf(join(folder, 'pipe.mp4')), 'TUBE_NOT_VIDEO');
  t.is(await codeOf(Buffer.from(join(folder, 'link.mp4'))), 'TUBE_NOT_VIDEO');
});

test('a script or playlist does not open other files', async (t) => {
  const folder = await temporaryFolder(t);
  const video = await makeGreyVideo(folder);
  t.is(await codeOf(video), '5 frames');
  const scripts = {
    'concat.mp4': `ffconcat version 1.0\nfile ${video}\n`,
    'list.m3u8': `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n${video}\n#EXT-X-ENDLIST\n`,
    'list.mp4': `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n${video}\n#EXT-X-ENDLIST\n`,
    'manifest.mpd': `<?xml version="1.0"?><MPD><BaseURL>file://${video}</BaseURL></MPD>`,
    'session.sdp': 'v=0\nm=video 5004 RTP/AVP 96\nc=IN IP4 127.0.0.1\n',
  };
  for (const [name, text] of Object.entries(scripts)) {
    await writeFile(join(folder, name), text);
    t.is(await codeOf(join(folder, name)), 'TUBE_NOT_VIDEO', name);
  }
});

test('addresses are names of files that do not exist', async (t) => {
  for (const name of ['http://localhost:1/a.mp4', 'file:/etc/hostname', 'concat:a.mp4|b.mp4']) {
    t.is(await codeOf(name), 'TUBE_FILE_NOT_FOUND', name);
  }
});

test('more pixels than allowed', async (t) => {
  const file = await makeGreyVideo(await temporaryFolder(t));
  const pixels = GREY_SIZE.width * GREY_SIZE.height;
  t.is(await codeOf(file, { maxPixels: pixels }), '5 frames');
  t.is(await codeOf(file, { maxPixels: pixels - 1 }), 'TUBE_FRAME_TOO_LARGE');
  const wide = { chooseSize: () => ({ width: 65_501, height: 1 }) };
  t.is(await codeOf(file, wide), 'TUBE_FRAME_TOO_LARGE');
});

test('no frame is wanted', async (t) => {
  const file = await makeGreyVideo(await temporaryFolder(t));
  for (const verdict of ['skip', 'stop'] as const) {
    t.is(await codeOf(file, { createChooser: () => () => verdict }), 'TUBE_EMPTY_SPAN', verdict);
  }
});

test('a size that makes no sense is the caller’s mistake', async (t) => {
  const file = await makeGreyVideo(await temporaryFolder(t));
  for (const width of [0, -1, 1.5, Number.NaN]) {
    const chooseSize = (): { width: number; height: number } => ({ width, height: 8 });
    await t.throwsAsync(countFrames(file, { chooseSize }), { instanceOf: RangeError });
  }
  const format = { kind: 'jpeg', quality: 0 } as const;
  await t.throwsAsync(countFrames(file, { format }), { instanceOf: RangeError });
});

testVideos('streams that cannot be decoded', async (t, videos) => {
  for (const [path, code] of [
    ['damaged/nodecode/sample_audio_only.mp4', 'TUBE_NO_VIDEO_STREAM'],
    ['broken/notvideo/audio_only.mp4', 'TUBE_NO_VIDEO_STREAM'],
    ['broken/headeronly/moovfirst.mp4', 'TUBE_NO_FRAMES'],
    ['broken/headeronly/ftyp.mp4', 'TUBE_NOT_VIDEO'],
    ['broken/notvideo/text.mp4', 'TUBE_NOT_VIDEO'],
    ['broken/truncated/moovlast_99.mp4', 'TUBE_NOT_VIDEO'],
    ['damaged/nodecode/video_init.mp4', 'TUBE_NO_FRAMES'],
  ] as const) {
    t.is(await codeOf(videoPath(videos, path)), code, path);
  }
});

const NAMES = [
  '-starts-with-dash.mp4',
  '--help.mp4',
  ' spaces  inside .mp4',
  'frame%03d.mp4',
  'colon: in name.mp4',
  'http:looks-like-one.mp4',
  'pipe:0.mp4',
  'a,b;c&d|e$(f)`g`.mp4',
  '[x]{y}*?.mp4',
  'quote\'"s.mp4',
  'back\\slash.mp4',
  '#hash?query=1.mp4',
  'new\nline.mp4',
  'für Ähnliches.mp4',
  '视频 🎬 ビデオ.mp4',
  `${'long'.repeat(60)}.mp4`,
];

for (const name of NAMES) {
  test(`name: ${JSON.stringify(name.slice(0, 40))}`, async (t) => {
    const folder = await temporaryFolder(t);
    const file = join(folder, name);
    await copyFile(await makeGreyVideo(folder, 'plain.mp4', 3), file);
    t.is(await codeOf(file), '3 frames');
    t.is(await codeOf(Buffer.from(file)), '3 frames');
    t.is(await codeOf(relative(process.cwd(), file)), '3 frames');
  });
}

/** Only where the working folder can be changed: in a process of its own, as AVA’s are. */
test.serial('relative names that look like options and addresses', async (t) => {
  const folder = await temporaryFolder(t);
  const video = await makeGreyVideo(folder, 'plain.mp4', 3);
  await inFolder(t, folder, async () => {
    for (const name of [
      '-i.mp4',
      'pipe:0',
      'http:x.mp4',
      'a:b.mp4',
      'concat:plain.mp4',
      '%d.mp4',
    ]) {
      await copyFile(video, name);
      t.is(await codeOf(name), '3 frames', name);
    }
  });
});

async function inFolder(
  t: ExecutionContext,
  folder: string,
  run: () => Promise<void>,
): Promise<void> {
  const before = process.cwd();
  t.teardown(() => process.chdir(before));
  process.chdir(folder);
  await run();
}

test('a name that is not UTF-8', async (t) => {
  if (process.platform !== 'linux') {
    t.pass('names are text there');
    return;
  }
  const folder = await temporaryFolder(t);
  const file = Buffer.concat([
    Buffer.from(`${folder}/caf`),
    Buffer.from([0xe9, 0xff]),
    Buffer.from('.mp4'),
  ]);
  await copyFile(await makeGreyVideo(folder, 'plain.mp4', 4), file);
  t.is(await codeOf(file), '4 frames');
  const jump = { notBefore: { frameIndex: 30 }, createChooser: () => () => 'take' as const };
  t.is(await codeOf(file, jump), '4 frames');
  const reader = new VideoReader(file);
  for await (const { width, height } of reader.frames()) t.deepEqual({ width, height }, GREY_SIZE);
  t.deepEqual(reader.report.warnings, []);
});
