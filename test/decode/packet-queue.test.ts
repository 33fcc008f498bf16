import test from 'ava';
import { AV_NOPTS_VALUE, AV_PKT_FLAG_DISCARD } from 'node-av/constants';
import { createRng } from '../../lib/core/index.ts';
import { NumberingLost, PacketQueue } from '../../lib/decode/packet-queue.ts';
import { fakeVideo } from '../helpers/fake-video.ts';
import type { FakePacket } from '../helpers/fake-video.ts';

interface Outcome {
  /** Number of each packet, in decoding order. */
  readonly numbers: (number | null)[];
  /** Times in the order in which numbers were given. */
  readonly order: bigint[];
  readonly count: number;
}

function run(packets: readonly FakePacket[]): Outcome {
  const order: bigint[] = [];
  const numbers: (number | null)[] = [];
  using queue = new PacketQueue(fakeVideo(packets), ({ pts }) => order.push(pts));
  for (let next = queue.next(); next !== null; next = queue.next()) numbers.push(next.frameIndex);
  return { numbers, order, count: queue.count };
}

test('packets come in decoding order, numbered in presentation order', (t) => {
  const { numbers, order, count } = run([
    { pts: 0n, dts: -2n },
    { pts: 4n, dts: -1n },
    { pts: 2n, dts: 0n },
    { pts: 1n, dts: 1n },
    { pts: 3n, dts: 2n },
    { pts: 5n, dts: 5n },
  ]);
  t.deepEqual(numbers, [0, 4, 2, 1, 3, 5]);
  t.deepEqual(order, [0n, 1n, 2n, 3n, 4n, 5n]);
  t.is(count, 6);
});

test('hidden packets keep their place and have no number', (t) => {
  const { numbers, count } = run([
    { pts: -2n, dts: -3n, flags: AV_PKT_FLAG_DISCARD },
    { pts: 0n, dts: -2n },
    { pts: -1n, dts: -1n, flags: AV_PKT_FLAG_DISCARD },
    { pts: 1n, dts: 0n },
    { pts: 2n, dts: 1n, size: 0 },
    { pts: 3n, dts: 2n },
  ]);
  t.deepEqual(numbers, [null, 0, null, 1, null, 2]);
  t.is(count, 3);
});

test('no packet is read further ahead than its number needs', (t) => {
  const packets = Array.from({ length: 50 }, (_, i) => ({ pts: BigInt(i), dts: BigInt(i) }));
  const seen: bigint[] = [];
  using queue = new PacketQueue(fakeVideo(packets), ({ pts }) => seen.push(pts));
  t.is(queue.next()?.frameIndex, 0);
  t.is(seen.length, 1);
});

test('the first packets may lack decoding times, as in Matroska', (t) => {
  const { numbers } = run([
    { pts: 0n, dts: AV_NOPTS_VALUE },
    { pts: 4n, dts: AV_NOPTS_VALUE },
    { pts: 2n, dts: 0n },
    { pts: 1n, dts: 1n },
    { pts: 3n, dts: 2n },
    { pts: 5n, dts: 4n },
  ]);
  t.deepEqual(numbers, [0, 4, 2, 1, 3, 5]);
  t.deepEqual(run([0n, 1n].map((pts) => ({ pts, dts: AV_NOPTS_VALUE }))).numbers, [0, 1]);
});

test('an empty video has no packets', (t) => {
  t.deepEqual(run([]), { numbers: [], order: [], count: 0 });
});

for (const [name, packets] of [
  ['no presentation time', [{ pts: AV_NOPTS_VALUE, dts: 0n }]],
  [
    'decoding times stop',
    [
      { pts: 0n, dts: 0n },
      { pts: 1n, dts: AV_NOPTS_VALUE },
    ],
  ],
  ['shown before decoded', [{ pts: 0n, dts: 1n }]],
  [
    'decoding time stands still',
    [
      { pts: 0n, dts: 0n },
      { pts: 1n, dts: 0n },
    ],
  ],
  [
    'decoding time runs back',
    [
      { pts: 5n, dts: 5n },
      { pts: 6n, dts: 4n },
    ],
  ],
  [
    'two frames at one time',
    [
      { pts: 9n, dts: 0n },
      { pts: 9n, dts: 1n },
    ],
  ],
  [
    'shown before the first',
    [
      { pts: 9n, dts: 0n },
      { pts: 8n, dts: 1n },
    ],
  ],
] as const) {
  test(`numbering is given up: ${name}`, (t) => {
    t.throws(() => run(packets), { instanceOf: NumberingLost });
  });
}

test('any reordering within a delay is numbered like sorting does', (t) => {
  const rng = createRng(0, 'test-packet-queue');
  for (let round = 0; round < 200; round++) {
    const packets = randomPackets(rng, rng.integer(1, 60), rng.integer(1, 9));
    const shown = packets.map(({ pts }) => pts).toSorted((a, b) => Number(a - b));
    const { numbers, order, count } = run(packets);
    t.deepEqual(
      numbers,
      packets.map(({ pts }) => shown.indexOf(pts)),
    );
    t.deepEqual(order, shown);
    t.is(count, packets.length);
  }
});

/** Frames that are decoded at most `delay` places from where they are shown; the first is shown first. */
function randomPackets(
  rng: ReturnType<typeof createRng>,
  length: number,
  delay: number,
): FakePacket[] {
  const places = Array.from({ length }, (_, i) => ({ i, at: i + rng.uniform() * delay }));
  const rest = places.slice(1).sort((a, b) => a.at - b.at);
  const decoded = [0, ...rest.map(({ i }) => i)];
  return decoded.map((i, step) => ({ pts: BigInt(i * 10), dts: BigInt((step - delay) * 10) }));
}
