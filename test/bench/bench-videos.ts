/** The videos that decode and convert are measured with. */

import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { listFrameTimes, makeDemoVideos, openSource } from '../../lib/index.ts';

/** Clips of usual length, in seconds. */
const CLIP = { min: 1.9, max: 10.5 } as const;

/** Copies of videos in folders of their own, so that each is another file to whoever reads them. */
export interface BenchVideos {
  /** Holds a folder for each folder the videos came from. */
  readonly folder: string;
  /** Text file with one absolute path a line. */
  readonly list: string;
  readonly paths: readonly string[];
  /** All frames of all videos. */
  readonly frames: number;
  readonly seconds: number;
}

interface Clip {
  readonly path: string;
  readonly frames: number;
  readonly seconds: number;
}

/** Fills `work` with so many videos; the folders take turns and begin again at their end. */
export async function prepareVideos(
  work: string,
  folders: readonly string[],
  count: number,
): Promise<BenchVideos> {
  const from = folders.length > 0 ? folders : [await makeVideos(join(work, 'made'))];
  const sets = await Promise.all(from.map((folder) => listClips(resolve(folder))));
  const chosen = Array.from({ length: count }, (_, i) => {
    const set = i % sets.length;
    const clips = sets[set] ?? [];
    const clip = clips[Math.floor(i / sets.length) % clips.length];
    if (clip === undefined) throw new Error(`bench: no clips of 2 to 10 s in ${from[set]}`);
    return { ...clip, set: `set${set}`, number: i };
  });
  const folder = join(work, 'videos');
  const paths: string[] = [];
  for (const { path, set, number } of chosen) {
    const copy = join(folder, set, `${String(number).padStart(4, '0')}-${basename(path)}`);
    await mkdir(join(folder, set), { recursive: true });
    await copyFile(path, copy);
    paths.push(copy);
  }
  const list = await writeList(join(work, 'videos.txt'), paths);
  const frames = chosen.reduce((sum, clip) => sum + clip.frames, 0);
  const seconds = chosen.reduce((sum, clip) => sum + clip.seconds, 0);
  return { folder, list, paths, frames, seconds };
}

/** Writes a list of paths. */
export async function writeList(file: string, paths: readonly string[]): Promise<string> {
  await writeFile(file, `${paths.join('\n')}\n`);
  return file;
}

async function makeVideos(folder: string): Promise<string> {
  await makeDemoVideos(folder, { perClass: 4, seconds: 2 });
  return folder;
}

async function listClips(folder: string): Promise<Clip[]> {
  await using source = await openSource(folder);
  const clips: Clip[] = [];
  for (const { path: name } of await source.read(0, source.numVideos)) {
    const path = join(folder, name);
    const times = await listFrameTimes(path).catch(() => new Float64Array());
    const seconds = (times.at(-1) ?? 0) - (times[0] ?? 0);
    if (seconds >= CLIP.min && seconds <= CLIP.max) {
      clips.push({ path, frames: times.length, seconds });
    }
  }
  return clips;
}
