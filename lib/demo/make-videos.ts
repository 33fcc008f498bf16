/** A small labelled set of real encoded videos: motion classes, in the containers, sizes and frame rates of the wild. */

import { mkdir, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  TubeletError,
  checkInteger,
  systemCode,
  toWriteError,
  writeFileAtomic,
} from '../core/index.ts';
import { writeVideo } from '../decode/index.ts';
import type { VideoForm } from '../decode/index.ts';
import { motionClasses } from './motions.ts';
import { renderMotionVideo } from './render.ts';

/** File in a folder of demo videos that says how they were made; a folder without it is somebody else's. */
const DEMO_FILE = 'demo.json';

/** Raised whenever the same options give other pictures than before. */
const SCENES_VERSION = 1;

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

interface DemoRecord {
  readonly v: number;
  readonly perClass: number;
  readonly seconds: number;
  readonly seed: number;
}

type Form = VideoForm & { readonly extension: string };

/** Forms that take turns, so that every class has all of them and the form tells nothing about the class. */
const FORMS: readonly [Form, ...Form[]] = [
  { extension: 'mp4', codec: 'h264', width: 176, height: 144, fps: 25 },
  { extension: 'avi', codec: 'mpeg4', width: 160, height: 120, fps: 15 },
  { extension: 'webm', codec: 'vp8', width: 192, height: 108, fps: 24 },
  { extension: 'mkv', codec: 'h264', width: 128, height: 160, fps: 30 },
];

/**
 * Makes `folder/CLASS/NAME.EXT`. Videos of an earlier call with the same options are kept, those of other options are removed;
 * nothing else in the folder is touched. Same options, same bytes.
 *
 * @returns the number of videos
 * @throws {TubeletError} TUBE_OUT_NOT_EMPTY if the folder holds anything but demo videos, TUBE_OUT_NOT_WRITABLE, TUBE_DISK_FULL
 * @throws {RangeError} for an option that is wrong
 */
export async function makeDemoVideos(
  folder: string,
  options: DemoVideosOptions = {},
): Promise<number> {
  const { perClass = 12, seconds = 2, seed = 0, signal, onProgress } = options;
  checkInteger('perClass', perClass, { min: 1 });
  checkInteger('seconds', seconds, { min: 1, max: 60 });
  checkInteger('seed', seed, { min: 0 });
  await prepareFolder(folder, { v: SCENES_VERSION, perClass, seconds, seed });
  const total = motionClasses.length * perClass;
  let done = 0;
  for (const className of motionClasses) {
    await mkdir(join(folder, className), { recursive: true });
    for (let index = 0; index < perClass; index++) {
      signal?.throwIfAborted();
      const { extension, ...video } = formOf(index);
      const path = join(folder, className, nameOf(index));
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

/** Makes sure that a folder holds no videos but those of the wanted options, and says so in it. */
async function prepareFolder(folder: string, wanted: DemoRecord): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    const found = await readRecord(folder);
    if (isDeepStrictEqual(found, wanted)) return;
    if (found !== null) await removeVideos(folder, found);
    await writeFileAtomic(join(folder, DEMO_FILE), `${JSON.stringify(wanted)}\n`);
  } catch (error) {
    throw toWriteError(error, folder);
  }
}

/** What a folder says of its videos; null if it is empty. */
async function readRecord(folder: string): Promise<DemoRecord | null> {
  const text = await readFile(join(folder, DEMO_FILE), 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return '';
    throw error;
  });
  const numbers = /^\{"v":(\d+),"perClass":(\d+),"seconds":(\d+),"seed":(\d+)\}\n$/.exec(text);
  if (numbers !== null) {
    const [v = 0, perClass = 0, seconds = 0, seed = 0] = numbers.slice(1).map(Number);
    return { v, perClass, seconds, seed };
  }
  const found = (await readdir(folder)).find((name) => name !== `${DEMO_FILE}.tmp`);
  if (found === undefined) return null;
  throw new TubeletError('TUBE_OUT_NOT_EMPTY', { path: folder, found });
}

async function removeVideos(folder: string, { perClass }: DemoRecord): Promise<void> {
  for (const className of motionClasses) {
    for (let index = 0; index < perClass; index++) {
      await rm(join(folder, className, nameOf(index)), { force: true });
    }
  }
}

function formOf(index: number): Form {
  return FORMS[index % FORMS.length] ?? FORMS[0];
}

function nameOf(index: number): string {
  return `${String(index).padStart(4, '0')}.${formOf(index).extension}`;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.size > 0,
    () => false,
  );
}
