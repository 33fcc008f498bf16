import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { openDataset, readSidecar } from '../../lib/shard/index.ts';
import { runCli } from '../helpers/cli.ts';
import type { Ended } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';
import { testVideos } from '../helpers/videos.ts';
import type { Videos } from '../helpers/videos.ts';

/** Files whose frames this FFmpeg counts otherwise than the one that made `frames.json`: a newer codec, a later cut. */
const NEWER_FFMPEG: Readonly<Record<string, number>> = {
  'damaged/nodecode/sample_vvc.mp4': 120,
  'broken/truncated/gif_70.gif': 6,
};

interface Converted {
  readonly ended: Ended;
  /** By path: frames of the video and numbers of the stored frames. */
  readonly samples: ReadonlyMap<string, { frames: number | null; stored: readonly number[] }>;
  readonly failures: ReadonlyMap<string, string>;
  readonly warned: ReadonlySet<string>;
}

async function convertAll(
  t: ExecutionContext,
  { folder }: Videos,
  flags: readonly string[],
): Promise<Converted> {
  const out = join(await temporaryFolder(t), 'out');
  const ended = await runCli('convert', folder, '--out', out, ...flags, '--max-failures', '100%');
  t.is(ended.code, 0, ended.stderr);
  const samples = new Map<string, { frames: number | null; stored: number[] }>();
  await using dataset = await openDataset(out);
  for await (const { source, frameIndex } of dataset.samples()) {
    const found = samples.get(source.path) ?? { frames: source.frames, stored: [] };
    found.stored.push(...frameIndex);
    samples.set(source.path, found);
  }
  const failures = new Map<string, string>();
  const warned = new Set<string>();
  for (const { name } of dataset.info.shards) {
    const sidecar = await readSidecar(out, name);
    for (const { path, code } of sidecar.failures) failures.set(path, code);
    for (const { path } of sidecar.warnings) warned.add(path);
  }
  const listed = (await readFile(join(out, 'failures.jsonl'), 'utf8')).trim().split('\n');
  t.is(listed.length, failures.size);
  return { ended, samples, failures, warned };
}

function framesOf({ facts }: Videos, path: string): number {
  return NEWER_FFMPEG[path] ?? facts[path]?.frames ?? Number.NaN;
}

testVideos(
  'every real video has the frames that ffprobe counts, every broken one a reason',
  async (t, found) => {
    const flags = ['--stride', '1', '--short-side', '64'];
    const { ended, samples, failures, warned } = await convertAll(t, found, flags);
    const paths = Object.keys(found.facts);
    t.true(paths.length > 500);
    for (const path of paths) {
      const frames = framesOf(found, path);
      const sample = samples.get(path);
      if (frames === 0) {
        t.is(sample, undefined, path);
        t.regex(
          failures.get(path) ?? 'nothing',
          /^TUBE_(NOT_VIDEO|NO_VIDEO_STREAM|NO_FRAMES|FRAME_TOO_LARGE)$/,
          path,
        );
      } else {
        t.false(failures.has(path), path);
        t.is(sample?.frames, frames, path);
        t.deepEqual(
          sample?.stored,
          Array.from({ length: frames }, (_, i) => i),
          path,
        );
        if (path.startsWith('broken/')) t.true(warned.has(path), `${path} has no warning`);
      }
    }
    t.is(samples.size + failures.size, paths.length);
    const lines = ended.stderr.split('\n').filter((line) => line !== '');
    t.true(
      lines.every((line) => /^convert: \d+ % · \d+\/\d+ · .* videos\/s · .* left$/.test(line)),
      ended.stderr,
    );
  },
);

testVideos(
  'with every fourth frame stored, the others are counted all the same',
  async (t, found) => {
    const flags = ['--stride', '4', '--short-side', '32', '--quiet'];
    const { ended, samples } = await convertAll(t, found, flags);
    for (const [path, { frames, stored }] of samples) {
      const wanted = framesOf(found, path);
      t.is(frames, wanted, path);
      t.deepEqual(
        stored,
        Array.from({ length: Math.ceil(wanted / 4) }, (_, i) => i * 4),
        path,
      );
    }
    t.is(ended.stderr, '');
  },
);
