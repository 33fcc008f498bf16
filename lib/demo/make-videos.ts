/** A small labelled set of real encoded videos: motion classes, in the containers, sizes and frame rates of the wild. */

import { mkdir, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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
import type { MotionClass } from './motions.ts';
import { renderMotionVideo } from './render.ts';

/** File in a folder of demo videos that says how they were made; a folder without it is somebody else's. */
const DEMO_FILE = 'demo.json';

/** Width and height of plain videos in pixels. */
const PLAIN_SIZE = 64;

/** Raised whenever the same options give other bytes than before. */
const SCENES_VERSION = 4;

/** How to make demo videos. */
export interface DemoVideosOptions {
  /** Videos of each class. Default: 12. */
  readonly perClass?: number;
  /** Number of the first video of each class: sets of one seed whose numbers do not meet share no video. Default: 0. */
  readonly firstIndex?: number;
  /** 64 x 64 pixels, all of one look, for networks that have minutes to learn. Default: false. */
  readonly isPlain?: boolean;
  /** Length in seconds. Default: 2. */
  readonly seconds?: number;
  readonly seed?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/** What decides over the bytes of a set. */
interface DemoRecord {
  readonly v: number;
  readonly perClass: number;
  readonly firstIndex: number;
  readonly isPlain: boolean;
  readonly seconds: number;
  readonly seed: number;
}

/** One video of a set. */
interface Place {
  readonly className: MotionClass;
  readonly index: number;
  /** From the folder of the set. */
  readonly path: string;
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
  const { perClass = 12, firstIndex = 0, seconds = 2, seed = 0, signal, onProgress } = options;
  const { isPlain = false } = options;
  checkInteger('perClass', perClass, { min: 1 });
  checkInteger('firstIndex', firstIndex, { min: 0 });
  checkInteger('seconds', seconds, { min: 1, max: 60 });
  checkInteger('seed', seed, { min: 0 });
  const record = { v: SCENES_VERSION, perClass, firstIndex, isPlain, seconds, seed };
  await prepareFolder(folder, record);
  const places = listPlaces(record);
  for (const [number, place] of places.entries()) {
    signal?.throwIfAborted();
    if (!(await exists(join(folder, place.path)))) await makeVideo(folder, place, record);
    onProgress?.({ done: number + 1, total: places.length });
  }
  return places.length;
}

async function makeVideo(
  folder: string,
  { className, index, path }: Place,
  { isPlain, seconds, seed }: DemoRecord,
): Promise<void> {
  const { extension, ...form } = formOf(index);
  const video = isPlain ? { ...form, width: PLAIN_SIZE, height: PLAIN_SIZE } : form;
  const { width, height, fps } = video;
  const numFrames = fps * seconds;
  const parent = dirname(join(folder, path));
  await mkdir(parent, { recursive: true });
  const partial = join(parent, `.partial.${extension}`);
  const frames = renderMotionVideo({ className, index, seed, width, height, numFrames, isPlain });
  await writeVideo(partial, frames, video);
  await rename(partial, join(folder, path));
}

/** All videos of a set. */
function listPlaces({ perClass, firstIndex }: DemoRecord): Place[] {
  const indexes = Array.from({ length: perClass }, (_, at) => firstIndex + at);
  return motionClasses.flatMap((className) =>
    indexes.map((index) => ({ className, index, path: join(className, nameOf(index)) })),
  );
}

/** Makes sure that a folder holds no videos but those of the wanted options, and says so in it. */
async function prepareFolder(folder: string, wanted: DemoRecord): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    const found = await readRecord(folder);
    if (isDeepStrictEqual(found, wanted)) return;
    if (found !== null) {
      for (const { path } of listPlaces(found)) await rm(join(folder, path), { force: true });
    }
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
  const number = String.raw`(\d+)`;
  const truth = '(true|false)';
  const form = `\\{"v":${number},"perClass":${number},"firstIndex":${number},"isPlain":${truth},"seconds":${number},"seed":${number}\\}\n`;
  const found = new RegExp(`^${form}$`).exec(text)?.[0];
  if (found !== undefined) return JSON.parse(found) as DemoRecord;
  const other = (await readdir(folder)).find((name) => name !== `${DEMO_FILE}.tmp`);
  if (other === undefined) return null;
  throw new TubeletError('TUBE_OUT_NOT_EMPTY', { path: folder, found: other });
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
