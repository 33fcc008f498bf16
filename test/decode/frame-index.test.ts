import test from 'ava';
import { AV_NOPTS_VALUE, AV_PKT_FLAG_CORRUPT, AV_PKT_FLAG_DISCARD } from 'node-av/constants';
import { findFrame, scanFrames } from '../../lib/decode/frame-index.ts';
import { listFrameTimes } from '../../lib/decode/index.ts';
import { fakeVideo } from '../helpers/fake-video.ts';
import type { FakePacket } from '../helpers/fake-video.ts';
import { fixturePath } from '../helpers/fixtures.ts';
import { readAsText } from '../helpers/read-frames.ts';
import { drain } from '../helpers/scan.ts';
import { testVideos, videoPath } from '../helpers/videos.ts';

function scan(packets: readonly FakePacket[]): ReturnType<typeof drain<unknown>> {
  return drain(scanFrames(fakeVideo(packets)));
}

test('frames stand in the order of presentation, key frames with both times', (t) => {
  const index = scan([
    { pts: 0n, dts: -2n, isKey: true },
    { pts: 3n, dts: -1n },
    { pts: 1n, dts: 0n },
    { pts: 2n, dts: 1n },
    { pts: 6n, dts: 2n, isKey: true },
    { pts: 4n, dts: 3n },
  ]);
  t.deepEqual(index, {
    pts: [0n, 1n, 2n, 3n, 4n, 6n],
    keyFrames: [
      { frameIndex: 0, pts: 0n, dts: -2n },
      { frameIndex: 5, pts: 6n, dts: 2n },
    ],
  });
});

test('hidden and empty packets are no frames', (t) => {
  const index = scan([
    { pts: -2n, dts: -2n, flags: AV_PKT_FLAG_DISCARD, isKey: true },
    { pts: -1n, dts: -1n, flags: AV_PKT_FLAG_DISCARD },
    { pts: 0n, dts: 0n },
    { pts: 1n, dts: 1n, size: 0 },
    { pts: 2n, dts: 2n },
  ]);
  t.deepEqual(index, { pts: [0n, 2n], keyFrames: [] });
});

for (const [name, packets] of [
  [
    'a missing time',
    [
      { pts: 0n, dts: 0n },
      { pts: AV_NOPTS_VALUE, dts: 1n },
    ],
  ],
  [
    'a time that comes twice',
    [
      { pts: 0n, dts: 0n },
      { pts: 0n, dts: 1n },
    ],
  ],
  [
    'a start in the middle',
    [
      { pts: 2n, dts: 0n, isKey: true },
      { pts: 1n, dts: 1n },
    ],
  ],
  [
    'a damaged packet',
    [
      { pts: 0n, dts: 0n },
      { pts: 1n, dts: 1n, flags: AV_PKT_FLAG_CORRUPT },
    ],
  ],
] as const) {
  test(`no index: ${name}`, (t) => t.is(scan(packets), null));
}

test('a long scan stops now and then to let others work', (t) => {
  const packets = Array.from({ length: 1000 }, (_, i) => ({ pts: BigInt(i), dts: BigInt(i) }));
  t.true([...scanFrames(fakeVideo(packets))].length >= 20);
});

test('no packets, no frames', (t) => t.deepEqual(scan([]), { pts: [], keyFrames: [] }));

test('a time is found where it stands, and only there', (t) => {
  for (let length = 0; length < 12; length++) {
    const pts = Array.from({ length }, (_, i) => BigInt(i * 3 - 5));
    const index = { pts, keyFrames: [] };
    for (let time = -8n; time < 40n; time++) t.is(findFrame(index, time), pts.indexOf(time));
  }
});

testVideos('times from packets are those of the decoded frames', async (t, videos) => {
  for (const path of [
    'classics/scenes/bikes.mp4',
    'variety/vfr/blue-go-video.mp4',
    'variety/editlist/discard_first_keyframe.mp4',
    'variety/startoffset/bbb_800x640_768kbps_30fps_avc_2b_firstpts_10_sec.mp4',
    'classics/ucf101_ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi',
  ]) {
    const file = videoPath(videos, path);
    const fromPackets = await listFrameTimes(file);
    const decoded = await listFrameTimes(file, { decode: true });
    t.is(decoded.length, videos.facts[path]!.frames, path);
    t.deepEqual(fromPackets, decoded, path);
  }
});

test('times of packets that become no frames are not listed', async (t) => {
  const file = fixturePath('cut-start-hevc.m2ts');
  const { frames } = await readAsText(file, { method: 'count' });
  const times = frames.map((line) => Number(line.split(' ')[1]));
  t.deepEqual([...(await listFrameTimes(file))], times);
});
