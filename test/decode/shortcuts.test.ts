/** What the reader leaves out or jumps over must not show: the same numbers, times and bytes as plain counting gives. */

import test from 'ava';
import { emptyTally } from '../../lib/decode/decoder.ts';
import { dropFrames, seekFrames } from '../../lib/decode/decode-frames.ts';
import { scanFrames } from '../../lib/decode/frame-index.ts';
import { openVideo } from '../../lib/decode/open-video.ts';
import type { FrameChooser, ReadOptions } from '../../lib/decode/index.ts';
import { fixturePath } from '../helpers/fixtures.ts';
import { readAsText, smallSize } from '../helpers/read-frames.ts';
import { drain } from '../helpers/scan.ts';
import { filesOfSet, testVideos, videoPath } from '../helpers/videos.ts';
import type { Videos } from '../helpers/videos.ts';

/** Longer files would take long to count. */
const MAX_FRAMES = 1000;

function everyNth(stride: number, offset = 0): () => FrameChooser {
  return () => (frameIndex) => (frameIndex % stride === offset ? 'take' : 'skip');
}

function isDroppable({ facts }: Videos, path: string): boolean {
  const codec = facts[path]?.container?.codec;
  const { frames } = facts[path]!;
  return (codec === 'h264' || codec === 'hevc') && frames > 0 && frames <= MAX_FRAMES;
}

/** Frames and report with and without short cuts, as one comparable object each. */
async function readBothWays(file: string, options: ReadOptions): Promise<[unknown, unknown]> {
  const fast = await readAsText(file, options);
  const counted = await readAsText(file, { ...options, method: 'count' });
  return [fast, counted];
}

for (const set of ['variety', 'classics', 'aslgestures', 'damaged', 'broken']) {
  testVideos(`stride 4 by dropping is stride 4 by counting: ${set}`, async (t, videos) => {
    for (const path of filesOfSet(videos, set).filter((name) => isDroppable(videos, name))) {
      const options = { createChooser: everyNth(4), chooseSize: smallSize };
      t.deepEqual(...(await readBothWays(videoPath(videos, path), options)), path);
    }
  });
}

testVideos('stride 4 at full size: the same bytes, wagon', async (t, videos) => {
  for (const path of filesOfSet(videos, 'wagon')
    .slice(0, 240)
    .filter((_, i) => i % 20 === 0)) {
    const options = { createChooser: everyNth(4) };
    t.deepEqual(...(await readBothWays(videoPath(videos, path), options)), path);
  }
});

testVideos(
  'a strange choice is the same by dropping: runs, last frame, stop',
  async (t, videos) => {
    const file = videoPath(videos, 'classics/scenes/bikes.mp4');
    const choosers: Record<string, FrameChooser> = {
      runs: (i) => (i % 50 < 3 ? 'take' : 'skip'),
      last: (i) => (i === 249 ? 'take' : 'skip'),
      stop: (i) => (i > 100 ? 'stop' : i % 7 === 5 ? 'take' : 'skip'),
      times: (_, pts, first) => (pts - first > 3 ? 'take' : 'skip'),
    };
    for (const [name, chooser] of Object.entries(choosers)) {
      const options = { createChooser: () => chooser, chooseSize: smallSize };
      t.deepEqual(...(await readBothWays(file, options)), name);
    }
  },
);

testVideos('packets are really left out', async (t, videos) => {
  for (const [path, most] of [
    ['classics/scenes/bikes.mp4', 0.8],
    ['aslgestures/walk/walk.mkv', 0.6],
    ['variety/long/sync_test.mkv', 0.7],
  ] as const) {
    using video = openVideo(videoPath(videos, path));
    const { frames } = videos.facts[path]!;
    const tally = emptyTally();
    let sent = 0;
    const { decoder } = video;
    const send = decoder.sendPacketSync.bind(decoder);
    decoder.sendPacketSync = (packet) => {
      sent++;
      return send(packet);
    };
    for (const _ of dropFrames(video, everyNth(4)(), tally)) continue;
    t.is(tally.numFrames, frames, path);
    t.true(sent > 0 && sent < most * frames, `${path}: ${sent} of ${frames}`);
  }
});

/** Numbers and places of the frames that lie at or behind each of several targets. */
async function differencesOfSeeking(file: string): Promise<string[]> {
  const all = await readAsText(file, { method: 'count', chooseSize: smallSize });
  const times = all.frames.map((line) => Number(line.split(' ')[1]));
  const differences: string[] = [];
  for (const part of [0.2, 0.6, 0.97]) {
    const target = Math.floor(part * times.length);
    const seconds = times[target]! - times[0]!;
    const first = times.findIndex((time) => time - times[0]! >= seconds);
    const byIndex = await readFrom(file, { frameIndex: target }, (i) => i >= target);
    const byTime = await readFrom(file, { seconds }, (_, pts, start) => pts - start >= seconds);
    for (const [kind, got, start] of [
      ['frame', byIndex, target],
      ['second', byTime, first],
    ] as const) {
      const expected = all.frames.slice(start, start + 5);
      if (got.join() !== expected.join()) differences.push(`${file}: ${kind} ${target}`);
    }
  }
  return differences;
}

/** Five frames from where `isReached` begins to hold. */
async function readFrom(
  file: string,
  notBefore: NonNullable<ReadOptions['notBefore']>,
  isReached: (...args: Parameters<FrameChooser>) => boolean,
): Promise<readonly string[]> {
  const createChooser = (): FrameChooser => {
    let taken = 0;
    return (...frame) => (!isReached(...frame) ? 'skip' : taken++ < 5 ? 'take' : 'stop');
  };
  const { frames } = await readAsText(file, { notBefore, createChooser, chooseSize: smallSize });
  return frames;
}

for (const set of ['variety', 'classics', 'gridlips', 'gmdcsa24']) {
  testVideos(`jumping finds the frames that counting finds: ${set}`, async (t, videos) => {
    const differences: string[] = [];
    for (const path of filesOfSet(videos, set)) {
      const { frames, keyframes } = videos.facts[path]!;
      if (frames < 30 || frames > MAX_FRAMES || keyframes < 2) continue;
      differences.push(...(await differencesOfSeeking(videoPath(videos, path))));
    }
    t.deepEqual(differences, []);
  });
}

testVideos('jumps are really made', async (t, videos) => {
  for (const [path, target, keyFrame] of [
    ['classics/scenes/bikes.mp4', 175, 137],
    ['variety/streams/file_with_data_streams.mp4', 216, 216],
    ['variety/long/sync_test.mkv', 1300, 1250],
    ['gridlips/bin/bbaf2n.mpg', 50, 48],
  ] as const) {
    using video = openVideo(videoPath(videos, path));
    const index = drain(scanFrames(video))!;
    const seen: number[] = [];
    const choose: FrameChooser = (i) => (seen.push(i) > 20 ? 'stop' : 'skip');
    drain(seekFrames(video, choose, emptyTally(), { index, target }));
    t.is(seen[0], keyFrame, path);
  }
});

testVideos('a jump beyond the end finds an empty span, not an empty video', async (t, videos) => {
  const file = videoPath(videos, 'variety/streams/file_with_data_streams.mp4');
  for (const notBefore of [{ frameIndex: 5000 }, { seconds: 5000 }]) {
    await t.throwsAsync(readAsText(file, { notBefore, createChooser: everyNth(1, 1) }), {
      code: 'TUBE_EMPTY_SPAN',
    });
  }
});

for (const codec of ['hevc', 'h264']) {
  test(`${codec} that starts in the middle of a group: packets that become no frames have no numbers`, async (t) => {
    const file = fixturePath(`cut-start-${codec}.m2ts`);
    const { frames, report } = await readAsText(file, { method: 'count' });
    t.is(frames.length, 35);
    t.is(report.numFrames, 35);
    for (const offset of [0, 1, 2, 3]) {
      const options = { createChooser: everyNth(4, offset) };
      t.deepEqual(...(await readBothWays(file, options)), `offset ${offset}`);
    }
    t.deepEqual(await readFrom(file, { frameIndex: 30 }, (i) => i >= 30), frames.slice(30));
    using video = openVideo(file);
    t.is(drain(scanFrames(video)), null);
  });
}
