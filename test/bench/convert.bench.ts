/** The whole command, folder of videos to shards of JPEG frames, against a script with PyAV, Pillow, msgpack and tarfile. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectFile } from '../helpers/project.ts';
import type { Bench } from './bench.ts';
import { prepareVideos } from './bench-videos.ts';
import { compare } from './compare.ts';
import type { Case, Goal } from './compare.ts';
import { comparePictures } from './picture-quality.ts';
import { canRun } from './timed-process.ts';

const SETTINGS = ['--stride', '4', '--short-side', '256', '--quality', '90'] as const;

const GOALS: readonly Goal[] = [
  { of: 'tubelet', against: 'pyav', measure: 'wall', atLeast: 1.3 },
  { of: 'tubelet', against: 'pyavPlanar', measure: 'wall', atLeast: 1.3 },
];

/** Reports both programs, how they compare, and that their pictures are equally good. */
export async function run(bench: Bench): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'tubelet-bench-'));
  try {
    const videos = await prepareVideos(work, bench.folders, bench.files);
    const hasPyav = canRun(['python3', '-c', 'import av, msgpack, PIL']);
    if (!hasPyav) {
      bench.report({ bench: 'convert/pyav', skipped: 'no python3 with av, msgpack and pillow' });
    }
    const ours = join(work, 'tubelet');
    const theirs = join(work, 'pyav');
    const planar = join(work, 'pyavPlanar');
    const script = projectFile('test/bench/rivals/pyav_convert.py');
    const rival = (out: string) =>
      ['python3', script, videos.list, out, ...SETTINGS, '--procs', '2'] as const;
    const cases: Case[] = [
      {
        name: 'tubelet',
        prepare: () => remove(ours),
        commands: [[...tubelet(videos.folder, ours), ...SETTINGS, '--workers', '2', '--json']],
      },
    ];
    if (hasPyav) {
      cases.push(
        { name: 'pyav', prepare: () => remove(theirs), commands: [rival(theirs)] },
        {
          name: 'pyavPlanar',
          prepare: () => remove(planar),
          commands: [[...rival(planar), '--planar']],
        },
      );
    }
    const { paths, frames } = videos;
    await compare({ name: 'convert', videos: paths.length, frames }, cases, GOALS, bench);
    if (hasPyav) bench.report(await comparePictures(videos, { ours, theirs }));
  } finally {
    await remove(work);
  }
}

function tubelet(source: string, out: string): readonly [string, ...string[]] {
  const command = join(import.meta.dirname, '../../bin/tubelet.js');
  return [process.execPath, command, 'convert', source, '--out', out];
}

function remove(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true });
}
