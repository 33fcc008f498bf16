/**
 * Decodes the JPEG frames of clips in threads, with multi-scale crops scaled to 224 × 224 RGB bytes, and does nothing else: the
 * files lie in memory, results overwrite each other. Usage: bare-child.js FOLDER WARM_CLIPS CLIPS THREADS DECODER
 */

import { isMainThread, workerData } from 'node:worker_threads';
import { createRng } from '../../../lib/core/index.ts';
import { JpegDecoder } from '../../../lib/decode/index.ts';
import type { Crop } from '../../../lib/decode/index.ts';
import { drawMultiScaleCrop } from '../../../lib/sample/index.ts';
import { openDataset } from '../../../lib/shard/index.ts';
import { NUM_FRAMES } from './data.ts';
import { MjpegDecoder } from './mjpeg-decoder.ts';
import { measureThreads, workOnClips } from './threads.ts';
import type { ThreadJob } from './threads.ts';

const SIZE = 224;

/** Decodes one picture. */
type Decode = (jpeg: Uint8Array, crop: Crop, out: Uint8Array) => void | Promise<void>;

interface Clip {
  readonly width: number;
  readonly height: number;
  readonly pictures: readonly Uint8Array[];
}

interface Job {
  readonly clips: readonly Clip[];
  readonly decoder: string;
}

if (isMainThread) await measure();
else await decodeOn(workerData as ThreadJob<Job>);

async function measure(): Promise<void> {
  const [folder = '', warm = '', count = '', threads = '', decoder = ''] = process.argv.slice(2);
  const clips: Clip[] = [];
  await using dataset = await openDataset(folder);
  for await (const { shape, data } of dataset.samples()) {
    const [, height = 0, width = 0] = shape;
    clips.push({ width, height, pictures: (data as Uint8Array[]).map(share) });
  }
  const stretch = { threads: Number(threads), warm: Number(warm), clips: Number(count) };
  const job = { clips, decoder };
  console.log(JSON.stringify(await measureThreads(new URL(import.meta.url), job, stretch)));
}

function share(bytes: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}

async function decodeOn(own: ThreadJob<Job>): Promise<void> {
  const { clips, decoder } = own.job;
  const decode = await openDecoder(decoder);
  const frameBytes = SIZE * SIZE * 3;
  const out = new Uint8Array(NUM_FRAMES * frameBytes);
  await workOnClips(own, async (number) => {
    const clip = clips[number % clips.length]!;
    const crop = drawMultiScaleCrop(clip, SIZE, createRng(0, 'bare', number));
    for (const [i, picture] of clip.pictures.entries()) {
      const done = decode(picture, crop, out.subarray(i * frameBytes, (i + 1) * frameBytes));
      if (done !== undefined) await done;
    }
  });
}

async function openDecoder(name: string): Promise<Decode> {
  const size = { width: SIZE, height: SIZE };
  if (name === 'tubelet') {
    const decoder = new JpegDecoder();
    return (jpeg, crop, out) => decoder.decode(jpeg, { crop, size }, out);
  }
  if (name === 'mjpeg') {
    const decoder = new MjpegDecoder();
    return (jpeg, crop, out) => decoder.decode(jpeg, crop, size, out);
  }
  const { default: sharp } = await import('sharp');
  sharp.concurrency(1);
  sharp.cache(false);
  return async (jpeg, crop, out) => {
    // It keeps a view of what it is given and takes no shared memory.
    const picture = sharp(Buffer.from(jpeg)).extract(crop);
    const scaled = picture.resize(SIZE, SIZE, { fit: 'fill', kernel: 'linear' });
    out.set(await scaled.raw().toBuffer());
  };
}
