/** Pixels against those of the ffmpeg program, where it is installed. */

import { spawnSync } from 'node:child_process';
import test from 'ava';
import { meanDifference } from '../helpers/pixels.ts';
import { readOne } from '../helpers/read-one.ts';
import { testVideos, videoPath } from '../helpers/videos.ts';

const HAS_FFMPEG = spawnSync('ffmpeg', ['-version']).status === 0;

/** One frame of each kind of picture: pixel formats, colour tags, rotations. */
const FRAMES = [
  ['classics/kinetics_like/mmaction_demo.mp4', 140],
  ['classics/scenes/dog_barking.mp4', 85],
  ['classics/scenes/cockatoo.mp4', 60],
  ['classics/ssv2/ssv2_166766.webm.mp4', 24],
  ['variety/pixfmt/bt601_full_range.mp4', 30],
  ['variety/pixfmt/bt601_limited_range.mp4', 30],
  ['variety/pixfmt/h264_10bits.mp4', 15],
  ['variety/pixfmt/h265_10bits.mp4', 15],
  ['variety/pixfmt/nasa_13013_hdr.mp4', 100],
  ['variety/pixfmt/transparent.webm', 75],
  ['variety/pixfmt/vp93-2-20-10bit-yuv422.mp4', 5],
  ['variety/codec/100_0306.AVI', 20],
  ['variety/codec/cfhd_422.avi', 5],
  ['variety/codec/clock-cram16.avi', 15],
  ['variety/codec/ct_ending_cut.mp4', 10],
  ['variety/codec/prores4444_with_transparency.mp4', 0],
  ['variety/codec/Meridian-Apple_ProResProxy-HDR10.mp4', 2],
  ['variety/codec/film_grain.mp4', 5],
  ['variety/codec/3seconds.ogv', 45],
  ['variety/animated/newtonscradle.gif', 18],
  ['variety/animated/iss634.apng', 20],
  ['variety/oddsize/testsrc2_odd_height_and_width_vp9.mp4', 12],
  ['variety/rotation/portrait.MOV', 31],
  ['variety/rotation/video_180.mov', 1],
  ['variety/rotation/sample_rotate_and_reflect.mp4', 15],
  ['variety/interlaced/tcela-6.mp4', 2],
  ['damaged/partial/catfight-cvid-pal8-partial.mp4', 28],
] as const;

function ffmpegFrame(file: string, index: number, pixels: number): Uint8Array {
  const flags = 'bicubic+accurate_rnd+full_chroma_int';
  const args = ['-v', 'error', '-i', file, '-map', '0:v:0', '-fps_mode', 'passthrough'];
  const output = ['-pix_fmt', 'rgb24', '-sws_flags', flags, '-f', 'rawvideo', '-'];
  const frames = ['-frames:v', String(index + 1)];
  const { stdout } = spawnSync('ffmpeg', [...args, ...frames, ...output], {
    maxBuffer: 2 ** 30,
  });
  return stdout.subarray(index * pixels * 3, (index + 1) * pixels * 3);
}

for (const [path, index] of FRAMES) {
  const title = `pixels are those of ffmpeg: ${path}`;
  if (!HAS_FFMPEG) {
    test.skip(`${title} (ffmpeg is not installed)`, (t) => t.pass());
    continue;
  }
  testVideos(title, async (t, videos) => {
    const file = videoPath(videos, path);
    const { data, width, height } = await readOne(file, index);
    const expected = ffmpegFrame(file, index, width * height);
    const difference = meanDifference(data, expected);
    t.true(difference < 2, `${difference.toFixed(4)} levels`);
  });
}
