/**
 * Writing and reading a shard of raw 16 × 224 × 224 samples, against plain file calls that move the same bytes, against the
 * hashes that the format asks for, and against Python's tarfile with msgpack.
 */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import {
  ShardWriter,
  countBytes,
  encodeSample,
  openDataset,
  tarPath,
  writeDatasetInfo,
} from '../../lib/shard/index.ts';
import type { Dataset, SampleMeta, ShardSummary } from '../../lib/shard/index.ts';
import { projectFile } from '../helpers/project.ts';
import { median, round } from './bench.ts';
import type { Bench } from './bench.ts';

const SHAPE = [16, 224, 224, 3];
const SAMPLE_BYTES = SHAPE.reduce((product, side) => product * side, 1);
const SAMPLES = 100;
const RUNS = 7;
const WARM_UP = 1;
const NAME = 'bench-000000';

type Case = () => Promise<unknown>;

/** Reports every case; the cases take turns, so that a slow moment of the machine hits all of them. */
export async function run(bench: Bench): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tubelet-bench-'));
  try {
    const plainFile = join(folder, 'plain.bin');
    const clean = async (): Promise<void> => {
      await rm(plainFile, { force: true });
      await rm(tarPath(folder, NAME), { force: true });
    };
    await measure(
      bench,
      'shard/write',
      {
        plain: () => writePlain(plainFile),
        hashesAlone: hashAll,
        tubelet: () => writeShard(folder),
      },
      clean,
    );
    await writeInfo(folder, await writeShard(folder));
    await using dataset = await openDataset(folder);
    const positions = Array.from({ length: SAMPLES }, (_, i) => (i * 37) % SAMPLES);
    await measure(bench, 'shard/read', {
      plain: () => readPlain(folder, { dataset, positions, withCrc: false }),
      plainWithCrc: () => readPlain(folder, { dataset, positions, withCrc: true }),
      tubeletRead: () => readOneByOne(dataset, positions),
      tubeletSamples: () => readAhead(dataset, positions),
    });
    runPython(folder, bench);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Times the cases in turns; ratios are of speed, against the first case, from medians. */
async function measure(
  { isShort, report }: Bench,
  name: string,
  cases: Readonly<Record<string, Case>>,
  prepare: Case = () => Promise.resolve(),
): Promise<void> {
  const runs = runsOf(isShort);
  const times = Object.keys(cases).map((): number[] => []);
  for (let number = -WARM_UP; number < runs; number++) {
    for (const [index, once] of Object.values(cases).entries()) {
      await prepare();
      const start = process.hrtime.bigint();
      await once();
      const milliseconds = Number(process.hrtime.bigint() - start) / 1e6;
      if (number >= 0) times[index]?.push(milliseconds);
    }
  }
  const base = median(times[0] ?? []);
  for (const [index, caseName] of Object.keys(cases).entries()) {
    report(lineOf(`${name}/${caseName}`, times[index] ?? [], base));
  }
}

function runsOf(isShort: boolean): number {
  return isShort ? 1 : RUNS;
}

function lineOf(
  bench: string,
  milliseconds: readonly number[],
  base: number | null,
): Record<string, unknown> {
  const medianMs = median(milliseconds);
  return {
    bench,
    input: `${SAMPLES} x ${SHAPE.join('x')}`,
    runs: milliseconds.length,
    medianMs: Math.round(medianMs),
    megabytesPerSecond: Math.round((SAMPLES * SAMPLE_BYTES) / medianMs / 1e3),
    speedOfPlain: base === null ? null : round(base / medianMs),
  };
}

const pictures = Array.from({ length: 4 }, (_, k) => {
  const bytes = Buffer.allocUnsafeSlow(SAMPLE_BYTES);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.imul(i * 4 + k, 0x9e3779b1) >>> 24;
  return bytes;
});

function pictureOf(number: number): Buffer {
  return pictures[number % pictures.length] ?? Buffer.alloc(0);
}

function metaOf(number: number): SampleMeta {
  return {
    v: 1,
    key: `video-${String(number).padStart(6, '0')}`,
    split: 'train',
    label: 3,
    class: 'running',
    source: {
      path: 'running/a.mp4',
      width: 340,
      height: 256,
      fps: 30,
      frames: 300,
      seconds: 10,
    },
    frameIndex: Array.from({ length: 16 }, (_, i) => 2 * i),
    ptsSeconds: Array.from({ length: 16 }, (_, i) => (2 * i) / 30),
    layout: 'frames',
    codec: 'raw',
    shape: SHAPE,
    boxes: null,
  };
}

async function writePlain(path: string): Promise<void> {
  const file = await open(path, 'w');
  for (let i = 0; i < SAMPLES; i++) await file.write(pictureOf(i));
  await file.sync();
  await file.close();
}

/** The least that one thread must do for a shard, without any file. */
function hashAll(): Promise<void> {
  const hash = createHash('sha256');
  for (let i = 0; i < SAMPLES; i++) {
    crc32(pictureOf(i));
    hash.update(pictureOf(i));
  }
  return Promise.resolve();
}

async function writeShard(folder: string): Promise<ShardSummary> {
  await using writer = await ShardWriter.create(folder, NAME);
  for (let i = 0; i < SAMPLES; i++) {
    const meta = metaOf(i);
    const payload = encodeSample(meta, pictureOf(i));
    const bytes = countBytes(payload);
    await writer.add({ key: meta.key, bytes, payload, label: meta.label, frames: 16 });
  }
  return await writer.finish({ videos: SAMPLES, seconds: 0, failures: [], warnings: [] });
}

async function writeInfo(folder: string, shard: ShardSummary): Promise<void> {
  const { samples, bytes } = shard;
  await writeDatasetInfo(folder, {
    v: 1,
    name: 'bench',
    split: 'train',
    tool: { name: 'tubelet', version: '0' },
    options: {},
    source: { kind: 'none', videos: samples, fingerprint: '' },
    classes: [],
    totals: { videos: samples, samples, frames: 16 * samples, bytes, seconds: 0, failures: {} },
    shards: [shard],
  });
}

interface PlainRead {
  readonly dataset: Dataset;
  readonly positions: readonly number[];
  readonly withCrc: boolean;
}

/** What any reader must do at least: one buffer per sample, one read each. */
async function readPlain(folder: string, options: PlainRead): Promise<void> {
  const { dataset, positions, withCrc } = options;
  const file = await open(tarPath(folder, NAME));
  for (const position of positions) {
    const { offset, bytes } = await dataset.entry(position);
    const buffer = Buffer.allocUnsafeSlow(bytes);
    await file.read(buffer, 0, bytes, offset);
    if (withCrc) crc32(buffer);
  }
  await file.close();
}

async function readOneByOne(dataset: Dataset, positions: number[]): Promise<void> {
  for (const position of positions) await dataset.read(position);
}

async function readAhead(dataset: Dataset, positions: number[]): Promise<void> {
  let bytes = 0;
  for await (const sample of dataset.samples({ positions })) bytes += sample.data.length;
  if (bytes !== SAMPLES * SAMPLE_BYTES) throw new Error('bench: wrong number of bytes');
}

function runPython(folder: string, { isShort, report }: Bench): void {
  const script = projectFile('test/bench/rivals/tarfile_shard.py');
  const args = [script, folder, String(SAMPLES), String(runsOf(isShort))];
  const { status, stdout } = spawnSync('python3', args, { encoding: 'utf8' });
  if (status !== 0) {
    report({ bench: 'shard/python', skipped: 'no python3 with msgpack' });
    return;
  }
  const seconds = JSON.parse(stdout) as Record<'write' | 'read', number[]>;
  for (const name of ['write', 'read'] as const) {
    const milliseconds = seconds[name].map((value) => value * 1000);
    report(lineOf(`shard/${name}/python`, milliseconds, null));
  }
}
