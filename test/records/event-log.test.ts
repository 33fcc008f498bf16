import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { EventLog } from '../../lib/records/index.ts';
import { crc32c, maskedCrc32c } from '../../lib/records/crc32c.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';
import { runPython, testWithPython } from '../helpers/python.ts';
import { readFields, readFrames, slowCrc32c } from '../helpers/read-events.ts';
import type { Fields } from '../helpers/read-events.ts';

/** The examples of RFC 3720, appendix B.4, and the check value of catalogues of checksums. */
const CHECKSUMS: readonly (readonly [bytes: Uint8Array, crc: number])[] = [
  [new Uint8Array(0), 0],
  [Buffer.from('123456789'), 0xe3069283],
  [new Uint8Array(32), 0x8a9136aa],
  [new Uint8Array(32).fill(0xff), 0x62a8ab43],
  [Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  [Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
];

for (const [bytes, crc] of CHECKSUMS) {
  test(`CRC-32C of ${Buffer.from(bytes).toString('hex') || 'nothing'}`, (t) => {
    t.is(crc32c(bytes), crc);
    t.is(slowCrc32c(bytes), crc);
    t.is(maskedCrc32c(bytes), (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
  });
}

/** Time, step, and what the event says. */
function describe(event: Fields): unknown[] {
  const [wallTime] = event.get(1)!;
  const [step] = event.get(2)!;
  const text = (bytes: number | Uint8Array | undefined): string =>
    Buffer.from(bytes as Uint8Array).toString();
  if (event.has(3)) return [wallTime, step, text(event.get(3)![0])];
  if (event.has(7)) return [wallTime, step, 'session', readFields(event.get(7)![0] as Uint8Array)];
  const values = readFields(event.get(5)![0] as Uint8Array).get(1) ?? [];
  const scalars = values.map((value) => {
    const fields = readFields(value as Uint8Array);
    return [text(fields.get(1)![0]), fields.get(2)![0]];
  });
  return [wallTime, step, Object.fromEntries(scalars)];
}

async function readEvents(path: string): Promise<unknown[][]> {
  return readFrames(await readFile(path)).map((message) => describe(readFields(message)));
}

test('an independent reader finds what was written', async (t) => {
  const folder = await temporaryFolder(t);
  const wallSeconds = 1_760_000_000.25;
  const log = await EventLog.create(folder, { wallSeconds, lastStep: null });
  await log.append({ wallSeconds: wallSeconds + 1, step: 1 }, { 'train/loss': 0.75, lr: 1e-4 });
  await log.append(
    { wallSeconds: wallSeconds + 2, step: 3_000_000_000 },
    { 'train/loss': Number.NaN, größe: -Infinity },
  );
  await log.append({ wallSeconds: wallSeconds + 3, step: 300 }, {});
  await log[Symbol.asyncDispose]();
  await log[Symbol.asyncDispose]();
  t.deepEqual(await readdir(folder), ['events.out.tfevents.1760000000.tubelet.00']);
  t.deepEqual(await readEvents(log.path), [
    [wallSeconds, 0, 'brain.Event:2'],
    [wallSeconds + 1, 1, { 'train/loss': 0.75, lr: Math.fround(1e-4) }],
    [wallSeconds + 2, 3_000_000_000, { 'train/loss': Number.NaN, größe: -Infinity }],
    [wallSeconds + 3, 300, {}],
  ]);
});

test('the first event, byte by byte', async (t) => {
  const folder = await temporaryFolder(t);
  await using log = await EventLog.create(folder, { wallSeconds: 1.5, lastStep: null });
  t.is(
    (await readFile(log.path)).subarray(12, -4).toString('hex'),
    // wall_time 1.5, step 0, file_version "brain.Event:2"
    `09000000000000f83f10001a0d${Buffer.from('brain.Event:2').toString('hex')}`,
  );
});

test('a run that goes on begins a file that starts a session after the checkpoint', async (t) => {
  const folder = await temporaryFolder(t);
  await using log = await EventLog.create(folder, { wallSeconds: 20, lastStep: 41 });
  t.deepEqual(await readEvents(log.path), [
    [20, 0, 'brain.Event:2'],
    [20, 42, 'session', new Map([[1, [1]]])],
  ]);
  await using second = await EventLog.create(folder, { wallSeconds: 20.5, lastStep: null });
  t.is(second.path, log.path.replace(/00$/, '01'));
  await t.throwsAsync(EventLog.create(join(folder, 'x'), { wallSeconds: 1, lastStep: null }), {
    code: 'TUBE_OUT_NOT_WRITABLE',
  });
});

test('steps and times out of range are the mistake of the caller', async (t) => {
  const folder = await temporaryFolder(t);
  const wrong = { instanceOf: RangeError };
  await t.throwsAsync(EventLog.create(folder, { wallSeconds: Number.NaN, lastStep: null }), wrong);
  await t.throwsAsync(EventLog.create(folder, { wallSeconds: 1, lastStep: -1 }), wrong);
  await using log = await EventLog.create(folder, { wallSeconds: 1, lastStep: null });
  await t.throwsAsync(log.append({ wallSeconds: 1, step: -1 }, {}), wrong);
  await t.throwsAsync(log.append({ wallSeconds: -1, step: 1 }, {}), wrong);
  t.is((await readEvents(log.path)).length, 1);
});

const PYTHON = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
log = EventAccumulator(sys.argv[1])
log.Reload()
tags = log.Tags()['scalars']
print(json.dumps({tag: [[e.step, e.wall_time, e.value] for e in log.Scalars(tag)] for tag in tags}))
`;
const MODULES = ['tensorboard.backend.event_processing.event_accumulator'];

testWithPython('TensorBoard reads a run that was killed and went on as one', MODULES, async (t) => {
  const folder = await temporaryFolder(t);
  const loss = (step: number): number => Math.fround(1 / step);
  for (const [wallSeconds, lastStep, until] of [
    [1_760_000_000, null, 8],
    [1_760_000_100, 5, 10],
  ] as const) {
    await using log = await EventLog.create(folder, { wallSeconds, lastStep });
    for (let step = (lastStep ?? 0) + 1; step <= until; step++) {
      await log.append(
        { wallSeconds: wallSeconds + step, step },
        { 'train/loss': loss(step), lr: 0.5 },
      );
    }
  }
  const { stdout, stderr } = await runPython(['-c', PYTHON, folder]);
  t.not(stdout, '', stderr);
  const scalars = JSON.parse(stdout) as Record<string, [number, number, number][]>;
  t.deepEqual(Object.keys(scalars).toSorted(), ['lr', 'train/loss']);
  t.deepEqual(
    scalars['train/loss'],
    Array.from({ length: 10 }, (_, i) => [
      i + 1,
      (i < 5 ? 1_760_000_000 : 1_760_000_100) + i + 1,
      loss(i + 1),
    ]),
  );
});
