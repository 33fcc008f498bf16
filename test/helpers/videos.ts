/**
 * Real videos and what is known of them, for tests. The folder is `TUBELET_TEST_VIDEOS` or `shared/videos` beside the project;
 * without it tests that need it are skipped by name, on a build machine (`CI=true`) they fail.
 */

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { ExecutionContext } from 'ava';

/** Colours of one frame. */
interface FrameFacts {
  readonly index: number;
  /** Means of R, G, B, 0 … 255. */
  readonly mean_rgb: readonly [number, number, number];
}

/** What `frames.json` says of a file, as far as tests ask. */
export interface VideoFacts {
  /** Frames that `ffprobe -count_frames` counts. */
  readonly frames: number;
  /** Frames that the ffmpeg program writes. */
  readonly ffmpeg_frames: number;
  /** Key frames among them. */
  readonly keyframes: number;
  readonly decode: 'clean' | 'errors' | 'none';
  readonly width?: number;
  readonly height?: number;
  /** Seconds; null where the container has none. */
  readonly timestamps_first5?: readonly (number | null)[];
  readonly frame_hashes?: Readonly<Record<'first' | 'middle' | 'last', FrameFacts>>;
  readonly container: { readonly codec?: string; readonly pix_fmt?: string } | null;
}

/** The folder of videos and the facts of each file, by path relative to the folder. */
export interface Videos {
  readonly folder: string;
  readonly facts: Readonly<Record<string, VideoFacts>>;
}

const folder = process.env['TUBELET_TEST_VIDEOS'] ?? join(projectRoot(), '..', 'shared', 'videos');
const videos = readVideos();

/** Declares a test that needs the real videos. */
export function testVideos(
  title: string,
  run: (t: ExecutionContext, found: Videos) => Promise<void>,
): void {
  if (videos !== null) test(title, (t) => run(t, videos));
  else if (process.env['CI'] === 'true') test(title, (t) => t.fail(`no videos in ${folder}`));
  else test.skip(`${title} (no videos: set TUBELET_TEST_VIDEOS)`, (t) => t.pass());
}

/** Paths of files, by set: the first part of the path. */
export function filesOfSet({ facts }: Videos, set: string): string[] {
  return Object.keys(facts).filter((path) => path.startsWith(`${set}/`));
}

/** Absolute path of a file of the videos. */
export function videoPath(found: Videos, path: string): string {
  return join(found.folder, path);
}

/** The folder of `package.json`; compiled tests lie deeper than their sources. */
export function projectRoot(): string {
  let place = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(place, 'package.json'))) {
    const above = dirname(place);
    if (above === place) throw new Error('no package.json above the tests');
    place = above;
  }
  return place;
}

function readVideos(): Videos | null {
  const path = resolve(folder, 'frames.json');
  if (!existsSync(path)) return null;
  const { files } = JSON.parse(readFileSync(path, 'utf8')) as { files: Videos['facts'] };
  return { folder: resolve(folder), facts: files };
}
