import { readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { VideoReader, writeVideo } from '../../lib/decode/index.ts';
import type { VideoCodec, VideoFrame } from '../../lib/decode/index.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';
import { meanDifference } from '../helpers/pixels.ts';

const WIDTH = 48;
const HEIGHT = 32;
const NUM_FRAMES = 23;

/** A grey ramp that moves one column a frame. */
function* ramps(numFrames = NUM_FRAMES): Generator<Uint8Array> {
  for (let frame = 0; frame < numFrames; frame++) {
    yield Uint8Array.from(
      { length: WIDTH * HEIGHT * 3 },
      (_, i) => 40 + ((Math.floor(i / 3) % WIDTH) + frame) * 2,
    );
  }
}

/** Breaks off after three frames. */
function* failing(): Generator<Uint8Array> {
  yield* ramps(3);
  throw new Error('no more');
}

function form(codec: VideoCodec, fps = 25): Parameters<typeof writeVideo>[2] {
  return { width: WIDTH, height: HEIGHT, fps, codec };
}

async function collect(file: string): Promise<VideoFrame[]> {
  const frames: VideoFrame[] = [];
  for await (const frame of new VideoReader(file).frames()) frames.push(frame);
  return frames;
}

for (const [name, codec, fps] of [
  ['a.mp4', 'h264', 25],
  ['a.mov', 'mpeg4', 30],
  ['a.avi', 'mpeg4', 12],
  ['a.avi', 'h264', 25],
  ['a.mkv', 'h264', 24],
  ['a.mkv', 'vp8', 50],
  ['a.webm', 'vp8', 10],
] as const) {
  test(`${name} with ${codec} at ${fps} fps holds the frames at their times, twice the same bytes`, async (t) => {
    const folder = await temporaryFolder(t);
    const file = join(folder, name);
    await writeVideo(file, ramps(), form(codec, fps));
    await writeVideo(join(folder, `again-${name}`), ramps(), form(codec, fps));
    t.deepEqual(await readFile(file), await readFile(join(folder, `again-${name}`)));
    const frames = await collect(file);
    t.is(frames.length, NUM_FRAMES);
    const sources = [...ramps()];
    for (const { frameIndex, ptsSeconds, width, height, data } of frames) {
      t.deepEqual([width, height], [WIDTH, HEIGHT]);
      const seconds = ptsSeconds - frames[0]!.ptsSeconds;
      t.true(Math.abs(seconds - frameIndex / fps) < 0.0011, `frame ${frameIndex} at ${seconds}`);
      t.true(meanDifference(data, sources[frameIndex]!) < 6, `frame ${frameIndex}`);
    }
  });
}

test('no frames make no video', async (t) => {
  const file = join(await temporaryFolder(t), 'a.mp4');
  await writeVideo(file, [], form('h264'));
  await t.throwsAsync(collect(file), { code: 'TUBE_NO_VIDEO_STREAM' });
});

for (const [what, changes] of [
  ['width', { width: 1 }],
  ['width', { width: 2.5 }],
  ['height', { height: 0 }],
  ['odd width', { width: 47 }],
  ['odd height', { height: 31 }],
  ['fps', { fps: 0 }],
  ['fps', { fps: 29.97 }],
  ['codec', { codec: 'av1' as VideoCodec }],
] as const) {
  test(`a wrong ${what} is the caller’s mistake: ${Object.values(changes).join()}`, async (t) => {
    const file = join(await temporaryFolder(t), 'a.mp4');
    const writing = writeVideo(file, ramps(), { ...form('h264'), ...changes });
    await t.throwsAsync(writing, { instanceOf: RangeError });
  });
}

test('a frame of the wrong size is the caller’s mistake', async (t) => {
  const file = join(await temporaryFolder(t), 'a.mp4');
  for (const length of [0, WIDTH * HEIGHT * 3 - 1, WIDTH * HEIGHT * 3 + 1]) {
    const writing = writeVideo(file, [new Uint8Array(length)], form('h264'));
    await t.throwsAsync(writing, { instanceOf: RangeError }, String(length));
  }
});

test('a container that cannot be chosen, or cannot hold the codec', async (t) => {
  const folder = await temporaryFolder(t);
  for (const [name, codec] of [
    ['a.unknown', 'h264'],
    ['a', 'h264'],
    ['a.webm', 'h264'],
  ] as const) {
    const writing = writeVideo(join(folder, name), ramps(), form(codec));
    await t.throwsAsync(writing, { code: 'TUBE_OUT_NOT_WRITABLE' }, name);
  }
});

test('a place that cannot be written', async (t) => {
  const folder = await temporaryFolder(t);
  const places = [join(folder, 'missing', 'a.mp4')];
  if (process.platform === 'linux') {
    await symlink('/dev/full', join(folder, 'full.avi'));
    places.push(join(folder, 'full.avi'), '/proc/a.mp4');
  }
  for (const place of places) {
    const code = place.includes('full') ? 'TUBE_DISK_FULL' : 'TUBE_OUT_NOT_WRITABLE';
    await t.throwsAsync(writeVideo(place, ramps(), form('mpeg4')), { code }, place);
  }
});

test('what the source of frames throws comes through, and the file is closed', async (t) => {
  const file = join(await temporaryFolder(t), 'a.mp4');
  await t.throwsAsync(writeVideo(file, failing(), form('h264')), { message: 'no more' });
});
