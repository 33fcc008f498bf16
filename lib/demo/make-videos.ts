/** A small labelled set of real encoded videos: motion classes, in the containers, sizes and frame rates of the wild. */

import { mkdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { checkInteger } from '../core/index.ts';
import { writeVideo } from '../decode/index.ts';
import type { VideoForm } from '../decode/index.ts';
import { motionClasses } from './motions.ts';
import { renderMotionVideo } from './render.ts';

/** How to make demo videos. */
export interface DemoVideosOptions {
  /** Videos of each class. Default: 12. */
  readonly perClass?: number;
  /** Length in seconds. Default: 2. */
  readonly seconds?: number;
  readonly seed?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/** Forms that take turns, so that every class has all of them and the form tells nothing about the class. */
const FORMS: readonly (VideoForm & { readonly extension: string })[] = [
  { extension: 'mp4', codec: 'h264', width: 176, height: 144, fps: 25 },
  { extension: 'avi', codec: 'mpeg4', width: 160, height: 120, fps: 15 },
  { extension: 'webm', codec: 'vp8', width: 192, height: 108, fps: 24 },
  { extension: 'mkv', codec: 'h264', width: 128, height: 160, fps: 30 },
];

/**
 * Makes `folder/CLASS/NAME.EXT`; files that are there already are kept. Same options, same bytes.
 *
 * @returns the number of videos
 */
export async function makeDemoVideos(
  folder: string,
  options: DemoVideosOptions = {},
): Promise<number> {
  const { perClass = 12, seconds = 2, seed = 0, signal, onProgress } = options;
  checkInteger('perClass', perClass, { min: 1 });
  checkInteger('seconds', seconds, { min: 1, max: 60 });
  const total = motionClasses.length * perClass;
  let done = 0;
  for (const className of motionClasses) {
    await mkdir(join(folder, className), { recursive: true });
    for (let index = 0; index < perClass; index++) {
      signal?.throwIfAborted();
      const form = FORMS[index % FORMS.length];
      if (form === undefined) continue;
      const { extension, ...video } = form;
      const name = `${String(index).padStart(4, '0')}.${extension}`;
      const path = join(folder, className, name);
      if (!(await exists(path))) {
        const { width, height, fps } = video;
        const numFrames = fps * seconds;
        const partial = join(folder, className, `.partial.${extension}`);
        const frames = renderMotionVideo({ className, index, seed, width, height, numFrames, fps });
        await writeVideo(partial, frames, video);
        await rename(partial, path);
      }
      onProgress?.({ done: ++done, total });
    }
  }
  return total;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.size > 0,
    () => false,
  );
}
