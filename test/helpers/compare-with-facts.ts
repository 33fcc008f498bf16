/** Reads a video and lists where it differs from what is known of it. */

import { TubeletError } from '../../lib/core/index.ts';
import { VideoReader } from '../../lib/decode/index.ts';
import type { VideoFrame } from '../../lib/decode/index.ts';
import { meanRgb } from './pixels.ts';
import { videoPath } from './videos.ts';
import type { VideoFacts, Videos } from './videos.ts';

/** Where this build of FFmpeg rightly sees something else than the one that wrote the facts. */
const EXPECTED_FRAMES: Readonly<Record<string, readonly [frames: number, reason: string]>> = {
  'damaged/nodecode/sample_vvc.mp4': [120, 'FFmpeg 5 had no VVC decoder'],
  'broken/truncated/gif_70.gif': [6, 'the newer GIF reader keeps the frame that was cut'],
};

/** Microseconds are what the facts are rounded to. */
const TIME_TOLERANCE_SECONDS = 2e-6;

/** Of 255, in the mean of a channel; holds for damaged files and more than 8 bits too. */
const TOLERANCE_LEVELS = 2;

/** Gives one line per difference. */
export async function differencesOf(videos: Videos, path: string): Promise<string[]> {
  const facts = videos.facts[path]!;
  const frames = EXPECTED_FRAMES[path]?.[0] ?? facts.frames;
  const wanted = Object.values(facts.frame_hashes ?? {}).map(({ index }) => index);
  const times: number[] = [];
  const reader = new VideoReader(videoPath(videos, path), {
    createChooser: () => {
      times.length = 0;
      return (frameIndex, ptsSeconds) => {
        if (times.length < 5) times.push(ptsSeconds);
        return wanted.includes(frameIndex) || frameIndex === 0 ? 'take' : 'skip';
      };
    },
  });
  const found: string[] = [];
  const note = (what: string, got: string | number | null, expected: string | number): void => {
    if (got !== expected) found.push(`${path}: ${what} ${got}, not ${expected}`);
  };
  const means = new Map<number, string>();
  try {
    for await (const frame of reader.frames()) {
      if (facts.width !== undefined) {
        note('size', `${frame.width}x${frame.height}`, `${facts.width}x${facts.height}`);
      }
      means.set(frame.frameIndex, differenceOfMeans(frame, facts));
    }
    note('frames', reader.report.numFrames, frames);
    const missing = wanted.filter((index) => !means.has(index));
    const wrong = [...means].filter(([, difference]) => difference !== '');
    found.push(...missing.map((index) => `${path}: no frame ${index}`));
    found.push(...wrong.map(([index, difference]) => `${path}: frame ${index} ${difference}`));
    found.push(...differencesOfTimes(times, facts).map((text) => `${path}: ${text}`));
  } catch (error) {
    if (!(error instanceof TubeletError)) throw error;
    note('outcome', error.code, frames === 0 ? error.code : `${frames} frames`);
  }
  return found;
}

function differencesOfTimes(times: readonly number[], facts: VideoFacts): string[] {
  return (facts.timestamps_first5 ?? []).flatMap((expected, i) => {
    if (expected === null) return [];
    const isEqual = Math.abs((times[i] ?? Infinity) - expected) <= TIME_TOLERANCE_SECONDS;
    return isEqual ? [] : [`time ${i} is ${times[i]}, not ${expected}`];
  });
}

function differenceOfMeans({ frameIndex, data }: VideoFrame, facts: VideoFacts): string {
  const expected = Object.values(facts.frame_hashes ?? {}).find(
    ({ index }) => index === frameIndex,
  );
  if (expected === undefined) return '';
  const means = meanRgb(data);
  const isNear = means.every(
    (mean, i) => Math.abs(mean - expected.mean_rgb[i]!) <= TOLERANCE_LEVELS,
  );
  return isNear
    ? ''
    : `${means.map((mean) => mean.toFixed(2)).join()}, not ${expected.mean_rgb.join()}`;
}
