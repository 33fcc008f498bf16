import test from 'ava';
import { emptyTally } from '../../lib/decode/decoder.ts';
import { VideoReader } from '../../lib/decode/index.ts';
import type { FrameVerdict } from '../../lib/decode/index.ts';
import { warningsOf } from '../../lib/decode/warnings.ts';
import { testVideos, videoPath } from '../helpers/videos.ts';

function takeFirst(frameIndex: number): FrameVerdict {
  return frameIndex === 0 ? 'take' : 'skip';
}

const FILES: Readonly<Record<string, readonly string[]>> = {
  'classics/scenes/bikes.mp4': [],
  'variety/editlist/mov-3elist.mp4': [],
  'variety/vfr/blue-go-video.mp4': [],
  'variety/startoffset/edit_list_positive_shift.mp4': [],
  'variety/animated/newtonscradle.gif': [],
  'classics/ssv2/ssv2_166766.webm.mp4': ['extension'],
  'classics/ucf101_ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi': ['made-timestamps'],
  'variety/codec/count.h264': ['made-timestamps'],
  'broken/garbage/trailing.mp4': ['extra-data'],
  'broken/garbage/ts_misaligned.ts': ['cut-short'],
  'broken/wrongext/webm_without_extension': ['extension'],
  'broken/wrongext/mp4_named.avi': ['extension'],
  'broken/truncated/avi_70.avi': ['damaged', 'fewer-frames', 'made-timestamps', 'cut-short'],
  'broken/truncated/moovfirst_70.mp4': ['damaged', 'fewer-frames', 'cut-short'],
  'broken/truncated/mkv_30.mkv': ['fewer-frames'],
  'broken/zeroed/webm_middle.webm': ['damaged'],
  'broken/bitflips/moovfirst_mdat.mp4': ['damaged'],
};

for (const [path, codes] of Object.entries(FILES)) {
  testVideos(`warnings of ${path}: ${codes.join(', ') || 'none'}`, async (t, videos) => {
    const reader = new VideoReader(videoPath(videos, path), { createChooser: () => takeFirst });
    for await (const _ of reader.frames()) continue;
    const { warnings, numFrames } = reader.report;
    t.deepEqual(
      warnings.map(({ code }) => code),
      codes,
    );
    t.is(numFrames, videos.facts[path]!.frames);
  });
}

testVideos('frames of another size are brought to the first, and it is said', async (t, videos) => {
  const reader = new VideoReader(videoPath(videos, 'variety/resize/vp90-2-05-resize.mp4'));
  for await (const { width, height } of reader.frames()) t.deepEqual([width, height], [352, 288]);
  t.true(reader.report.warnings.some(({ code }) => code === 'size-changes'));
});

test('a rotation that was not applied is said', (t) => {
  const info = {
    container: 'mov',
    codec: 'h264',
    width: 4,
    height: 2,
    fps: 25,
    durationSeconds: 1,
    declaredFrames: null,
  };
  const tally = { ...emptyTally(), reachedEnd: true, numFrames: 25, lastPtsSeconds: 0.96 };
  const displayed = { width: 4, height: 2 };
  const codesOf = (rotationIgnored: boolean): string[] =>
    warningsOf(info, tally, { displayed, sizeChanged: false, rotationIgnored }).map(
      ({ code }) => code,
    );
  t.deepEqual(codesOf(false), []);
  t.deepEqual(codesOf(true), ['rotation-ignored']);
});

test('missing frames are said only when the end was reached, and hidden ones are not missing', (t) => {
  const info = {
    container: 'mov',
    codec: 'h264',
    width: 4,
    height: 2,
    fps: 10,
    durationSeconds: 10,
    declaredFrames: 100,
  };
  const codes = (reachedEnd: boolean, numFrames: number, hiddenPackets: number): string[] =>
    warningsOf(info, { ...emptyTally(), reachedEnd, numFrames, hiddenPackets }, null).map(
      ({ code }) => code,
    );
  t.deepEqual(codes(true, 100, 0), []);
  t.deepEqual(codes(true, 101, 0), []);
  t.deepEqual(codes(true, 99, 0), ['fewer-frames']);
  t.deepEqual(codes(true, 80, 20), []);
  t.deepEqual(codes(true, 79, 20), ['fewer-frames']);
  t.deepEqual(codes(false, 10, 0), []);
});
