/** What is in a dataset: counts from its indexes, sizes and durations from the heads of some of its samples. */

import { writeFile } from 'node:fs/promises';
import { TubeletError, checkInteger, toWriteError } from '../core/index.ts';
import { openDataset } from '../shard/index.ts';
import type { Dataset, DatasetInfo, Sample, SampleMeta } from '../shard/index.ts';
import { contactSheet } from './contact-sheet.ts';
import type { ContactSheetRow } from './contact-sheet.ts';
import { sampleImages, spreadPlaces } from './sample-images.ts';

/** Smallest, middle and largest of some numbers. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** Samples of one class. */
export interface ClassCount {
  /** Class id, null for unlabelled samples. */
  readonly label: number | null;
  /** Class name, null if the source had none. */
  readonly name: string | null;
  readonly samples: number;
  readonly frames: number;
}

/** What a dataset holds. */
export interface Inspection {
  readonly info: DatasetInfo;
  /** In the order of class ids, unlabelled last. */
  readonly classes: readonly ClassCount[];
  /** Stored frames of a sample. */
  readonly framesPerSample: Spread;
  /** How many samples, evenly spread over the dataset, the rest was read from. */
  readonly samplesRead: number;
  /** How many more were to be read and are damaged or missing. */
  readonly samplesUnreadable: number;
  /** Duration in seconds of the video that a sample is from, and its frame rate; a video counts once for each sample read. */
  readonly sourceSeconds: Spread;
  readonly sourceFps: Spread;
  /** Sizes of source videos and of stored frames as `WIDTHxHEIGHT`, with the number of samples, most frequent first. */
  readonly sourceSizes: Readonly<Record<string, number>>;
  readonly storedSizes: Readonly<Record<string, number>>;
}

/** How a contact sheet is drawn. */
export interface DatasetSheetOptions {
  /** The sample to draw; default one of each class. */
  readonly key?: string;
  /** How many samples at most when no key is given; default 12. */
  readonly rows?: number;
  /** Frames side by side; default 8. */
  readonly frames?: number;
}

/** Samples that are opened to learn about sizes and durations. */
const SAMPLES_TO_READ = 200;

/**
 * Describes a dataset. Samples that cannot be read are counted.
 *
 * @throws {TubeletError} TUBE_DATASET_*, TUBE_VERSION_UNSUPPORTED
 */
export async function inspect(
  folder: string,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<Inspection> {
  await using dataset = await openDataset(folder);
  const { info } = dataset;
  const counts = new Map<number | null, { samples: number; frames: number }>();
  const lengths: number[] = [];
  for await (const { label, frames } of dataset.entries()) {
    signal?.throwIfAborted();
    const count = counts.get(label) ?? { samples: 0, frames: 0 };
    count.samples++;
    count.frames += frames;
    counts.set(label, count);
    if (lengths.length < 1_000_000) lengths.push(frames);
  }
  const classes = Array.from(counts, ([label, { samples, frames }]) => {
    const name = label === null ? null : (info.classes[label] ?? null);
    return { label, name, samples, frames };
  }).sort((a, b) => (a.label ?? Infinity) - (b.label ?? Infinity));
  const { samples, samplesUnreadable } = await readHeads(dataset, signal);
  return {
    info,
    classes,
    framesPerSample: spreadOf(lengths),
    samplesRead: samples.length,
    samplesUnreadable,
    sourceSeconds: spreadOf(samples.map(({ source }) => source.seconds)),
    sourceFps: spreadOf(samples.map(({ source }) => source.fps)),
    sourceSizes: tally(samples.map(({ source }) => `${source.width}x${source.height}`)),
    storedSizes: tally(samples.map(storedSize)),
  };
}

/**
 * Draws samples of a dataset as a contact sheet (PNG): the one with the given key, or else one of each class, where damaged ones
 * are a title without pictures.
 *
 * @throws {TubeletError} TUBE_SAMPLE_NOT_FOUND, TUBE_DATASET_*; of the sample with the key also TUBE_SHARD_*, TUBE_SAMPLE_DAMAGED
 * @throws {RangeError} if `rows` or `frames` is not an integer of at least 1
 */
export async function datasetSheet(
  folder: string,
  { key, rows = 12, frames = 8 }: DatasetSheetOptions = {},
): Promise<Buffer> {
  checkInteger('rows', rows, { min: 1 });
  checkInteger('frames', frames, { min: 1 });
  await using dataset = await openDataset(folder);
  const positions =
    key === undefined ? await onePerClass(dataset, rows) : [await dataset.find(key)];
  const places = key === undefined ? frames : Infinity;
  const drawn: ContactSheetRow[] = [];
  for (const position of positions) {
    try {
      drawn.push(...(await drawSample(await dataset.read(position), places, frames)));
    } catch (error) {
      if (key !== undefined || !isUnreadable(error)) throw error;
      const title = `${(await dataset.entry(position)).key}  ${error.code}`;
      drawn.push({ title, frames: [] });
    }
  }
  return contactSheet(drawn, { maxFramesPerRow: frames });
}

/**
 * Draws as {@link datasetSheet}, into a file.
 *
 * @throws {TubeletError} as {@link datasetSheet}, TUBE_OUT_NOT_WRITABLE, TUBE_DISK_FULL
 */
export async function writeDatasetSheet(
  folder: string,
  path: string,
  options: DatasetSheetOptions = {},
): Promise<void> {
  const sheet = await datasetSheet(folder, options);
  await writeFile(path, sheet).catch((error: unknown) => {
    throw toWriteError(error, path);
  });
}

/** At most `count` frames of a sample, in rows of `perRow`. */
async function drawSample(
  sample: Sample,
  count: number,
  perRow: number,
): Promise<ContactSheetRow[]> {
  const images = await sampleImages(sample, spreadPlaces(sample, Math.min(count, 64)));
  return Array.from({ length: Math.ceil(images.length / perRow) }, (_, row) => ({
    title: row === 0 ? titleOf(sample) : '',
    frames: images.slice(row * perRow, (row + 1) * perRow),
  }));
}

/** Whether only this sample or its shard is at fault. */
function isUnreadable(error: unknown): error is TubeletError {
  return error instanceof TubeletError && /^TUBE_(SAMPLE|SHARD)_/.test(error.code);
}

function titleOf({ key, class: name, label, source, frameIndex }: Sample): string {
  const named = name ?? (label === null ? 'unlabelled' : `class ${label}`);
  const seconds = source.seconds.toFixed(1);
  return `${named}  ${key}  ${source.width}x${source.height} ${seconds} s  ${frameIndex.length} frames stored`;
}

/** Positions of the first sample of every class, evenly chosen if there are too many; of any samples if there are no labels. */
async function onePerClass(dataset: Dataset, rows: number): Promise<number[]> {
  const first = new Map<number | null, number>();
  let position = 0;
  for await (const { label } of dataset.entries()) {
    if (!first.has(label)) first.set(label, position);
    position++;
  }
  const labelled = [...first].filter(([label]) => label !== null);
  const found =
    labelled.length > 1
      ? labelled.sort(([a], [b]) => (a ?? 0) - (b ?? 0)).map(([, place]) => place)
      : Array.from({ length: dataset.numSamples }, (_, place) => place);
  return evenly(found, rows);
}

async function readHeads(
  dataset: Dataset,
  signal: AbortSignal | undefined,
): Promise<{ samples: SampleMeta[]; samplesUnreadable: number }> {
  const all = Array.from({ length: dataset.numSamples }, (_, position) => position);
  const samples: SampleMeta[] = [];
  let samplesUnreadable = 0;
  for (const position of evenly(all, SAMPLES_TO_READ)) {
    signal?.throwIfAborted();
    try {
      samples.push(await dataset.readHead(position));
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      samplesUnreadable++;
    }
  }
  return { samples, samplesUnreadable };
}

function storedSize({ shape, clipShape }: SampleMeta): string {
  const [, height = 0, width = 0] = clipShape ?? shape;
  return `${width}x${height}`;
}

function evenly<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  const step = items.length / count;
  return Array.from({ length: count }, (_, i) => items[Math.floor(i * step)]).filter(
    (item) => item !== undefined,
  );
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (place: number): number => sorted[Math.floor(place)] ?? 0;
  return { min: at(0), median: at(sorted.length / 2), max: at(sorted.length - 1) };
}

function tally(names: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a));
}
