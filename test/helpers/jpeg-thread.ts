/** Decodes files in a worker thread and posts their pixels. */

import { parentPort, workerData } from 'node:worker_threads';
import { JpegDecoder } from '../../lib/decode/index.ts';
import type { PictureCut } from '../../lib/decode/index.ts';

/** What the thread is to do. */
export interface JpegWork {
  readonly files: readonly Uint8Array[];
  readonly cuts: readonly { readonly cut: PictureCut; readonly numBytes: number }[];
  /** Whether the thread ends without closing its decoder. */
  readonly isCareless: boolean;
}

const { files, cuts, isCareless } = workerData as JpegWork;
const decoder = new JpegDecoder();
const pictures = files.flatMap((file) =>
  cuts.map(({ cut, numBytes }) => {
    const out = new Uint8Array(numBytes);
    decoder.decode(file, cut, out);
    return out;
  }),
);
if (!isCareless) decoder[Symbol.dispose]();
parentPort?.postMessage(pictures);
