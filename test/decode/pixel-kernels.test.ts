import test from 'ava';
import { createRng, resizeTaps } from '../../lib/core/index.ts';
import type { Rng } from '../../lib/core/index.ts';
import { createPixelMachine } from '../../lib/decode/pixel-machine.ts';
import type { PixelMachine } from '../../lib/decode/pixel-machine.ts';
import { colourOf, convertPlanes, cutOut, stretch } from '../helpers/plain-pixels.ts';
import { SAMPLINGS } from '../helpers/sample-jpegs.ts';

/** Sizes around those of vectors, which have 16 bytes. */
const COUNTS = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 100] as const;
/** Bytes on either side of an area that may be overwritten. */
const MARGIN = 64;

function randomBytes(rng: Rng, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => rng.integer(0, 256));
}

const NOISE = randomBytes(createRng(0, 'noise'), 40_000);

/** A machine whose memory holds random bytes, so that what is read beside an area shows. */
function fullMachine(): PixelMachine {
  const machine = createPixelMachine();
  machine.bytes.set(NOISE);
  return machine;
}

/** Whether memory is as it was, except from `start` to `end` and a little on either side. */
function isKeptAround(
  machine: PixelMachine,
  before: Buffer,
  [start, end]: readonly [number, number],
): boolean {
  const now = Buffer.from(machine.bytes.buffer);
  return (
    now.subarray(0, start).equals(before.subarray(0, start)) &&
    now.subarray(end + MARGIN).equals(before.subarray(end + MARGIN))
  );
}

function read(machine: PixelMachine, address: number, length: number): number[] {
  return [...machine.bytes.subarray(address, address + length)];
}

test('findMarker finds the first marker that is no restart', (t) => {
  const rng = createRng(1, 'markers');
  const machine = fullMachine();
  const kinds = [0, 1, 0x7f, 0xcf, 0xd0, 0xd7, 0xd8, 0xd9, 0xda, 0xfe, 0xff] as const;
  for (let round = 0; round < 3000; round++) {
    const length = rng.integer(0, 80);
    const file = randomBytes(rng, length + 1).map((value) => (value < 250 ? value % 200 : 255));
    const isRich = round % 3 === 0;
    for (let i = 0; i < file.length; i++) {
      const follows = file[i - 1] === 255;
      if (follows || isRich)
        file[i] = isRich ? kinds[rng.integer(0, 11)]! : [0, 0xd0, 0xd7][rng.integer(0, 3)]!;
    }
    if (length > 0 && round % 3 === 1) file.set([255, 0xd9], rng.integer(0, length));
    const mark = machine.mark;
    const start = machine.place(file);
    const from = rng.integer(0, length + 1);
    const expected = file.findIndex((value, i) => {
      const next = file[i + 1] ?? 0;
      return i >= from && i < length && value === 255 && next !== 0 && (next & 0xf8) !== 0xd0;
    });
    const found = machine.run('findMarker', { from: start + from, end: start + length });
    t.is(found - start, expected === -1 ? length : expected);
    machine.release(mark);
  }
});

test('stretchRow draws rows out like libjpeg', (t) => {
  const rng = createRng(2, 'rows');
  for (const count of COUNTS) {
    for (const [atStart, atEnd] of [
      [1, 1],
      [0, 1],
      [1, 0],
      [0, 0],
    ] as const) {
      for (const [roundEven, roundOdd] of [
        [4, 8],
        [8, 7],
      ] as const) {
        const machine = fullMachine();
        // One sample more on either side, which counts unless the row is at a border.
        const [nearRow, farRow] = [randomBytes(rng, count + 2), randomBytes(rng, count + 2)];
        if (count === 3) nearRow.fill(255);
        if (count === 3) farRow.fill(255);
        const near = machine.place(nearRow) + 1;
        const far = machine.place(farRow) + 1;
        const sums = machine.reserve((count + 34) * 2);
        const out = machine.reserve(count * 2);
        const before = Buffer.from(machine.bytes);
        const borders = { atStart, atEnd, roundEven, roundOdd };
        machine.run('stretchRow', { near, far, count, ...borders, sums, out });
        const part = [atStart, count + 2 - atEnd] as const;
        const rows = [nearRow, farRow].map((row) => row.slice(...part));
        const all = stretch(rows[0]!, rows[1]!, [roundEven, roundOdd]);
        const skipped = 2 * (1 - atStart);
        t.deepEqual(read(machine, out, count * 2), all.slice(skipped, skipped + count * 2));
        t.true(isKeptAround(machine, before, [sums, out + count * 2]));
      }
    }
  }
});

for (const [name, pixelBytes] of [
  ['colourRow', 3],
  ['colourRowWide', 4],
] as const) {
  test(`${name} makes the colours of JFIF`, (t) => {
    const rng = createRng(3, name);
    for (const count of COUNTS) {
      const machine = fullMachine();
      const planes = [0, 1, 2].map(() => randomBytes(rng, count));
      const [y, cb, cr] = planes.map((plane) => machine.place(plane)) as [number, number, number];
      const out = machine.reserve(count * pixelBytes);
      const before = Buffer.from(machine.bytes);
      machine.run(name, { y, cb, cr, count, out });
      for (let i = 0; i < count; i++) {
        const [a, b, c] = planes.map((plane) => plane[i]!) as [number, number, number];
        t.deepEqual(read(machine, out + i * pixelBytes, 3), colourOf(a, b, c), `${a} ${b} ${c}`);
      }
      t.true(isKeptAround(machine, before, [out, out + count * pixelBytes]));
    }
  });
}

test('colours in words are within one level of those with fractions, and mostly equal', (t) => {
  let [numOff, most, count] = [0, 0, 0];
  for (let y = 0; y < 256; y += 5) {
    for (let cb = 0; cb < 256; cb += 3) {
      for (let cr = 0; cr < 256; cr += 3) {
        const exact = [
          y + 1.402 * (cr - 128),
          y - 0.344_136 * (cb - 128) - 0.714_136 * (cr - 128),
          y + 1.772 * (cb - 128),
        ];
        for (const [channel, level] of colourOf(y, cb, cr).entries()) {
          const wanted = Math.max(0, Math.min(255, Math.round(exact[channel]!)));
          most = Math.max(most, Math.abs(level - wanted));
          numOff += Number(level !== wanted);
          count++;
        }
      }
    }
  }
  t.is(most, 1);
  t.true(numOff / count < 0.012);
});

for (const [name, { sampling, halfWidth, halfHeight }] of Object.entries(SAMPLINGS)) {
  test(`convert makes any rectangle of ${name}`, (t) => {
    const rng = createRng(4, name);
    for (let round = 0; round < 150; round++) {
      const [width, height] = [rng.integer(1, 40), rng.integer(1, 12)];
      const colour = {
        width: (width + halfWidth) >> halfWidth,
        height: (height + halfHeight) >> halfHeight,
      };
      const planes = sampling.map((_, i) => {
        const size = i === 0 ? { width, height } : colour;
        return { ...size, data: randomBytes(rng, size.width * size.height) };
      });
      const whole = convertPlanes(planes, sampling.length === 1 ? null : { halfWidth, halfHeight });
      const machine = fullMachine();
      const [y, cb, cr] = planes.map(({ data }) => machine.place(data));
      const grey = machine.place(new Uint8Array(60).fill(128));
      const left = rng.integer(0, width);
      const top = rng.integer(0, height);
      const crop = {
        left,
        top,
        width: rng.integer(1, width - left + 1),
        height: rng.integer(1, height - top + 1),
      };
      const isWide = rng.integer(0, 2);
      const outStride = crop.width * (3 + isWide) + rng.integer(0, 5);
      const room = 2 * (crop.width + 32);
      const [sums, cbRow, crRow] = [room, room, room].map((length) => machine.reserve(length));
      const out = machine.reserve(outStride * crop.height);
      const before = Buffer.from(machine.bytes);
      machine.run('convert', {
        y: y!,
        yStride: width,
        cb: cb ?? grey,
        cr: cr ?? grey,
        colourStride: cb === undefined ? 0 : colour.width,
        halfWidth,
        halfHeight,
        colourWidth: colour.width,
        colourHeight: colour.height,
        ...crop,
        sums: sums!,
        cbRow: cbRow!,
        crRow: crRow!,
        isWide,
        out,
        outStride,
      });
      const pixels = Array.from({ length: crop.width * crop.height }, (_, i) => {
        const [column, row] = [i % crop.width, Math.floor(i / crop.width)];
        return read(machine, out + row * outStride + column * (3 + isWide), 3);
      });
      t.deepEqual(pixels.flat(), [...cutOut(whole, width, crop)]);
      t.true(isKeptAround(machine, before, [sums!, out + outStride * crop.height]));
    }
  });
}

test('the weights of scaling add up to one and lie inside the picture', (t) => {
  for (const from of COUNTS) {
    for (const to of COUNTS) {
      const { count, starts, weights } = resizeTaps(from, to, { filter: 'bilinear', group: 4 });
      for (const [index, start] of starts.entries()) {
        const own = weights.subarray(index * count, (index + 1) * count);
        t.true(Math.abs(own.reduce((sum, weight) => sum + weight, 0) - 2 ** 22) <= count);
        own.forEach((weight, tap) => t.true(weight === 0 || start + tap < from));
        t.true(start >= 0);
      }
    }
  }
});
