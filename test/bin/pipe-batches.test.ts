import { PassThrough, Writable } from 'node:stream';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { pipeBatches } from '../../bin/pipe-batches.ts';
import type { PipeRun } from '../../bin/pipe-batches.ts';
import { ProgressLine } from '../../bin/progress-line.ts';
import { openLoader } from '../../lib/load/index.ts';
import { readMsgpack } from '../helpers/batch-stream.ts';
import { writeClips } from '../helpers/make-clips.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';

const OPTIONS = { batchSize: 4, seed: 0, epochs: 4, prefetchBatches: 2, workers: 2 } as const;

async function openRun(t: ExecutionContext): Promise<Omit<PipeRun, 'out'>> {
  const folder = await temporaryFolder(t);
  await writeClips(folder, { layout: 'tubelets', shape: [4, 8, 12, 3], sizes: [8] });
  const loader = await openLoader(folder, OPTIONS);
  t.teardown(() => loader[Symbol.asyncDispose]());
  const line = new ProgressLine('pipe', true);
  const { signal } = new AbortController();
  return { loader, format: 'msgpack', maxBatches: Infinity, line, signal };
}

test('no batch is asked for before the one before is taken whole', async (t) => {
  const run = await openRun(t);
  const held: (() => void)[] = [];
  const out = new Writable({
    highWaterMark: 1,
    writev: (_chunks, done) => void held.push(done),
    write: (_chunk, _encoding, done) => void held.push(done),
  });
  const cursors: number[] = [];
  const piped = pipeBatches({ ...run, out }, ({ epoch, position }) =>
    cursors.push(epoch * 2 + position / 4),
  );
  for (let batch = 1; batch <= 8; batch++) {
    while (run.loader.report().batches < batch || held.length === 0) await pause(5);
    await pause(20);
    t.is(run.loader.report().batches, batch);
    t.is(cursors.length, batch - 1); // What is not taken whole is not done.
    while (cursors.length < batch) {
      held.shift()?.();
      await pause(1);
    }
  }
  t.like(await piped, { batches: 8, clips: 32, end: 'done' });
  t.deepEqual(cursors, [1, 2, 3, 4, 5, 6, 7, 8]);
});

test('the run says what went out', async (t) => {
  const run = await openRun(t);
  const out = new PassThrough();
  const parts: Buffer[] = [];
  out.on('data', (bytes: Buffer) => parts.push(Buffer.from(bytes)));
  const totals = await pipeBatches({ ...run, out, maxBatches: 3 }, () => undefined);
  const bytes = Buffer.concat(parts);
  t.like(totals, { batches: 3, clips: 12, bytes: bytes.length, end: 'max-batches' });
  t.deepEqual(
    readMsgpack(bytes).map((batch) => batch['step']),
    [0, 1, 2],
  );
});

test('a failed write is an error, a reader that is gone an end', async (t) => {
  for (const [code, end] of [
    ['EPIPE', 'reader-gone'],
    ['ENOSPC', 'TUBE_DISK_FULL'],
    ['EIO', 'TUBE_OUT_NOT_WRITABLE'],
  ] as const) {
    const run = await openRun(t);
    let left = 2;
    const out = new Writable({
      writev: (_chunks, done) =>
        done(left-- > 0 ? null : Object.assign(new Error(`write ${code}`), { code })),
    });
    out.on('error', () => undefined);
    const piped = pipeBatches({ ...run, out }, () => undefined);
    if (code === 'EPIPE') t.like(await piped, { batches: 2, end });
    else await t.throwsAsync(piped, { code: end });
  }
});

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
