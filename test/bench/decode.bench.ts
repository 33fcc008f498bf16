/**
 * Videos to RGB frames of short side 256, every frame and every fourth, against the ffmpeg program and PyAV, two processes each;
 * and JPEG frames to RGB, against other decoders of JPEG.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectFile } from '../helpers/project.ts';
import type { Bench } from './bench.ts';
import { prepareVideos, writeList } from './bench-videos.ts';
import type { BenchVideos } from './bench-videos.ts';
import { compare } from './compare.ts';
import type { Case, Goal } from './compare.ts';
import { compareJpegDecoders } from './jpeg-decode.ts';
import { canRun } from './timed-process.ts';

const SHORT_SIDE = '256';
const EVERY = ['1', '4'] as const;

/** Frames per CPU second, as many times those of others. */
const GOALS: readonly Goal[] = [
  { of: 'tubelet-1', against: 'ffmpeg-1', measure: 'cpu', atLeast: 1.5 },
  { of: 'tubelet-1', against: 'ffmpegPlanar-1', measure: 'cpu', atLeast: null },
  { of: 'tubelet-1', against: 'pyav-1', measure: 'cpu', atLeast: 1 },
  { of: 'tubelet-1', against: 'pyavPlanar-1', measure: 'cpu', atLeast: 1 },
  { of: 'tubelet-4', against: 'ffmpeg-4', measure: 'cpu', atLeast: 1.5 },
  { of: 'tubelet-4', against: 'ffmpegPlanar-4', measure: 'cpu', atLeast: null },
  { of: 'tubelet-4', against: 'pyav-4', measure: 'cpu', atLeast: 1.5 },
  { of: 'tubelet-4', against: 'pyavPlanar-4', measure: 'cpu', atLeast: 1.5 },
  { of: 'tubelet-4', against: 'bareDecode', measure: 'cpu', atLeast: 0.85 },
];

/** Reports frames per second of every program and how they compare; the number behind a name says which frames are wanted. */
export async function run(bench: Bench): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'tubelet-bench-'));
  try {
    const videos = await prepareVideos(work, bench.folders, bench.files);
    await compareJpegDecoders(work, videos.paths, bench);
    const halves = await Promise.all(
      [0, 1].map((half) => {
        const paths = videos.paths.filter((_, i) => i % 2 === half);
        return writeList(join(work, `half${half}.txt`), paths);
      }),
    );
    const cases: Case[] = [];
    for (const every of EVERY) {
      cases.push(tubeletCase(halves, every));
      cases.push(...ffmpegCases(videos, every, bench), ...pyavCases(videos, every, bench));
    }
    const { paths, frames } = videos;
    await compare({ name: 'decode', videos: paths.length, frames }, cases, GOALS, bench);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function tubeletCase(halves: readonly string[], every: string): Case {
  const child = join(import.meta.dirname, 'decode-child.js');
  const commandOf = (list: string) => [process.execPath, child, list, every, SHORT_SIDE] as const;
  return { name: `tubelet-${every}`, commands: halves.map(commandOf) };
}

function ffmpegCases({ list }: BenchVideos, every: string, { report }: Bench): Case[] {
  if (!canRun(['ffmpeg', '-version'])) {
    report({ bench: `decode/ffmpeg-${every}`, skipped: 'no ffmpeg' });
    return [];
  }
  const child = join(import.meta.dirname, 'cli-child.js');
  const commandOf = (filter: string) =>
    [process.execPath, child, list, every, SHORT_SIDE, filter] as const;
  const decode =
    'ffmpeg -v quiet -nostdin -threads 1 -i {} -map 0:v:0 -fps_mode passthrough -f null -';
  const bare = ['xargs', '-a', list, '-d', '\\n', '-P', '2', '-I{}', ...decode.split(' ')] as const;
  return [
    { name: `ffmpeg-${every}`, commands: [commandOf('packed')] },
    { name: `ffmpegPlanar-${every}`, commands: [commandOf('planar')] },
    ...(every === '1' ? [] : [{ name: 'bareDecode', commands: [bare] }]),
  ];
}

function pyavCases({ list }: BenchVideos, every: string, { report }: Bench): Case[] {
  if (!canRun(['python3', '-c', 'import av'])) {
    report({ bench: `decode/pyav-${every}`, skipped: 'no python3 with av' });
    return [];
  }
  const script = projectFile('test/bench/rivals/pyav_decode.py');
  const command = ['python3', script, list, '--short-side', SHORT_SIDE, '--every', every] as const;
  return [
    { name: `pyav-${every}`, commands: [[...command, '--procs', '2']] },
    { name: `pyavPlanar-${every}`, commands: [[...command, '--procs', '2', '--planar']] },
  ];
}
