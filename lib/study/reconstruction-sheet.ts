/** Pictures of reconstructions: for each clip a row as it is, one with the masked tokens left out, one with predictions in their place. */

import { encodePng } from '../sample/index.ts';
import type { RgbImage } from '../sample/index.ts';
import type { Reconstruction, Reconstructions } from '../train/index.ts';
import { contactSheet } from './contact-sheet.ts';

const GAP = 4;

/** Draws all clips on one page and encodes it as PNG. The titles say if true means and deviations were used. */
export async function reconstructionSheet(reconstructions: Reconstructions): Promise<Buffer> {
  const note = reconstructions.usesTrueMeans ? ' (true mean and deviation of each token)' : '';
  const percent = Math.round(100 * reconstructions.maskRatio);
  const rows = reconstructions.clips.flatMap(({ key, original, masked, reconstructed }) => [
    { title: key, frames: original },
    { title: `${percent} % masked`, frames: masked },
    { title: `reconstructed${note}`, frames: reconstructed },
  ]);
  return contactSheet(rows, { maxFramesPerRow: 16 });
}

/** The three rows of one clip as PNG files of one size. */
export async function reconstructionStrips(
  clip: Reconstruction,
): Promise<Readonly<Record<'original' | 'masked' | 'reconstructed', Buffer>>> {
  const [original, masked, reconstructed] = [
    await encodePng(strip(clip.original)),
    await encodePng(strip(clip.masked)),
    await encodePng(strip(clip.reconstructed)),
  ];
  return { original, masked, reconstructed };
}

/** Frames side by side on white. */
function strip(frames: readonly RgbImage[]): RgbImage {
  const height = Math.max(1, ...frames.map((frame) => frame.height));
  const width = Math.max(
    1,
    frames.reduce((sum, frame) => sum + frame.width + GAP, -GAP),
  );
  const data = new Uint8Array(width * height * 3).fill(255);
  let left = 0;
  for (const frame of frames) {
    for (let row = 0; row < frame.height; row++) {
      const line = frame.data.subarray(row * frame.width * 3, (row + 1) * frame.width * 3);
      data.set(line, (row * width + left) * 3);
    }
    left += frame.width + GAP;
  }
  return { width, height, data };
}
