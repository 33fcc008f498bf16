/** The smallest video that is one. */

import { join } from 'node:path';
import { writeVideo } from '../../lib/decode/index.ts';

/** Size of the frames of {@link makeGreyVideo}. */
export const GREY_SIZE = { width: 32, height: 16 } as const;

/** Makes a video of grey frames, 10 a second, and gives its path. */
export async function makeGreyVideo(
  folder: string,
  name = 'grey.mp4',
  numFrames = 5,
): Promise<string> {
  const frame = new Uint8Array(GREY_SIZE.width * GREY_SIZE.height * 3).fill(128);
  const file = join(folder, name);
  const frames = Array.from({ length: numFrames }, () => frame);
  await writeVideo(file, frames, { ...GREY_SIZE, fps: 10, codec: 'h264' });
  return file;
}
