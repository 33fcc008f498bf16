/** Small videos whose frames tell their number: frame i is one flat grey. */

import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeVideo } from '../../lib/decode/index.ts';
import type { VideoForm } from '../../lib/decode/index.ts';

/** Form of a grey video, with its length. */
export interface GreyVideo extends Partial<VideoForm> {
  readonly frames: number;
}

/** Level of frame i: neighbours are far apart, and 23 frames pass before one comes again. */
export function greyOf(frameIndex: number): number {
  return 16 + ((frameIndex * 7) % 23) * 9;
}

/** Writes one grey video; 64 x 48 pixels, 10 frames a second unless said otherwise. */
export async function writeGreyVideo(
  path: string,
  { frames, width = 64, height = 48, fps = 10, codec = 'h264' }: GreyVideo,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeVideo(path, greyFrames(frames, width * height * 3), { width, height, fps, codec });
}

/** Writes `count` grey videos `CLASS/NN.mp4` of 20 frames in two classes. */
export async function writeGreyFolder(folder: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const name = `${String(i).padStart(2, '0')}.mp4`;
    await writeGreyVideo(join(folder, i % 2 === 0 ? 'even' : 'odd', name), { frames: 20 });
  }
}

/** Mean of a picture's bytes. */
export function meanOf(data: Uint8Array): number {
  return data.reduce((sum, value) => sum + value, 0) / data.length;
}

function* greyFrames(count: number, bytes: number): Generator<Uint8Array> {
  const frame = new Uint8Array(bytes);
  for (let i = 0; i < count; i++) yield frame.fill(greyOf(i));
}
