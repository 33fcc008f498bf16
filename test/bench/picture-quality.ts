/** Are the JPEG pictures of two shard makers equally good? Each against its own source pixels and against the other's. */

import { execFileSync } from 'node:child_process';
import { open, readFile, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { VideoReader, decodeImage, decodeSample, shortSideSize } from '../../lib/index.ts';
import type { Sample, Sidecar } from '../../lib/index.ts';
import { projectFile } from '../helpers/project.ts';
import { round } from './bench.ts';
import type { BenchVideos } from './bench-videos.ts';

const SHORT_SIDE = 256;
const MAX_VIDEOS = 24;
/** Of the stored frames of a video. */
const PLACES = [0, 5, 10];

/** Mean peak signal-to-noise ratio in decibels of a few frames of many videos. */
export async function comparePictures(
  { paths }: BenchVideos,
  { ours, theirs }: { readonly ours: string; readonly theirs: string },
): Promise<Record<string, unknown>> {
  const [oursByName, theirsByName] = [await readSamples(ours), await readSamples(theirs)];
  const sums = { oursToOurs: 0, oursToPyav: 0, pyavToOurs: 0, pyavToPyav: 0 };
  let pictures = 0;
  for (const path of paths.slice(0, MAX_VIDEOS)) {
    const [a, b] = [oursByName.get(basename(path)), theirsByName.get(basename(path))];
    if (a === undefined || b === undefined) continue;
    const places = PLACES.filter((place) => place < a.frameIndex.length);
    const indexes = places.map((place) => a.frameIndex[place]!);
    const [pixelsA, pixelsB] = [await readOurs(path, indexes), readTheirs(path, indexes)];
    for (const [i, place] of places.entries()) {
      const [jpegA, jpegB] = [await pictureOf(a, place), await pictureOf(b, place)];
      sums.oursToOurs += decibels(jpegA, pixelsA[i]!);
      sums.oursToPyav += decibels(jpegA, pixelsB[i]!);
      sums.pyavToOurs += decibels(jpegB, pixelsA[i]!);
      sums.pyavToPyav += decibels(jpegB, pixelsB[i]!);
      pictures++;
    }
  }
  const means = Object.entries(sums).map(([name, sum]) => [name, round(sum / pictures)]);
  return { bench: 'convert/psnr', pictures, ...Object.fromEntries(means) };
}

/** Samples by the name of their video. */
async function readSamples(folder: string): Promise<Map<string, Sample>> {
  const samples = new Map<string, Sample>();
  for (const name of await readdir(folder)) {
    if (!/-\d{6}\.json$/.test(name)) continue;
    const sidecar = JSON.parse(await readFile(join(folder, name), 'utf8')) as Sidecar;
    const tar = await open(join(folder, `${sidecar.shard}.tar`));
    for (const { offset, bytes } of sidecar.samples) {
      const { buffer } = await tar.read(Buffer.alloc(bytes), 0, bytes, offset);
      const sample = decodeSample(buffer);
      samples.set(basename(sample.source.path), sample);
    }
    await tar.close();
  }
  return samples;
}

async function readOurs(path: string, indexes: readonly number[]): Promise<Uint8Array[]> {
  const reader = new VideoReader(path, {
    createChooser: () => (index) => (indexes.includes(index) ? 'take' : 'skip'),
    chooseSize: ({ width, height }) => shortSideSize(width, height, SHORT_SIDE),
  });
  const frames: Uint8Array[] = [];
  for await (const { data } of reader.frames()) frames.push(data);
  return frames;
}

function readTheirs(path: string, indexes: readonly number[]): Uint8Array[] {
  const script = projectFile('test/bench/rivals/pyav_frames.py');
  const args = [
    script,
    path,
    '--short-side',
    String(SHORT_SIDE),
    '--indexes',
    ...indexes.map(String),
  ];
  const bytes = execFileSync('python3', args, { maxBuffer: 2 ** 28 });
  const size = bytes.length / indexes.length;
  return indexes.map((_, i) => bytes.subarray(i * size, (i + 1) * size));
}

async function pictureOf({ data }: Sample, place: number): Promise<Uint8Array> {
  return (await decodeImage((data as readonly Uint8Array[])[place]!)).data;
}

function decibels(picture: Uint8Array, pixels: Uint8Array): number {
  if (picture.length !== pixels.length) throw new Error('bench: pictures of different sizes');
  const sum = picture.reduce((total, value, i) => total + (value - pixels[i]!) ** 2, 0);
  return 10 * Math.log10((255 * 255 * pixels.length) / sum);
}
