/**
 * JPEG files of kinds that no library at hand writes: any sampling, restart intervals, one scan or a scan per plane, any segments.
 *
 * Source: ITU-T T.81. Plain and slow; codes are as long for rare values as for frequent ones.
 */

/** What to write. */
export interface PlainJpeg {
  readonly width: number;
  readonly height: number;
  /** Samples per block of pixels, across and down, of each plane. */
  readonly sampling: readonly (readonly [across: number, down: number])[];
  /** Default: 1, 2, 3, ... */
  readonly planeIds?: readonly number[];
  /** Blocks between restart markers. Default: none. */
  readonly restartInterval?: number;
  /** Whether each plane has a scan of its own. */
  readonly hasScanPerPlane?: boolean;
  /** Segments behind the start of the file, such as those of applications. */
  readonly segments?: readonly Uint8Array[];
  /** Every quantiser. Default: 2. */
  readonly quantiser?: number;
}

const MEAN_SYMBOLS = Array.from({ length: 12 }, (_, size) => size);
/** Run of zeros and size: 16 x 11 codes of 8 bits. */
const REST_SYMBOLS = Array.from({ length: 176 }, (_, i) => (Math.floor(i / 11) << 4) | (i % 11));

const COSINES = Array.from({ length: 64 }, (_, i) => {
  const [frequency, place] = [i >> 3, i & 7];
  return (
    Math.cos(((2 * place + 1) * frequency * Math.PI) / 16) * (frequency === 0 ? Math.SQRT1_2 : 1)
  );
});

/** Places of a block in the order of their diagonals. */
const ZIGZAG = Array.from({ length: 64 }, (_, i) => i).sort((a, b) => {
  const [diagonalA, diagonalB] = [(a >> 3) + (a & 7), (b >> 3) + (b & 7)];
  if (diagonalA !== diagonalB) return diagonalA - diagonalB;
  return diagonalA % 2 === 0 ? (a & 7) - (b & 7) : (a >> 3) - (b >> 3);
});

/** A segment with its marker and length. */
export function jpegSegment(marker: number, content: readonly number[]): Uint8Array {
  const length = content.length + 2;
  return Uint8Array.from([0xff, marker, length >> 8, length & 255, ...content]);
}

/** Writes a file; `sample` gives the level of a plane, 0 ... 255, at a place in samples of that plane. */
export function writePlainJpeg(
  jpeg: PlainJpeg,
  sample: (plane: number, x: number, y: number) => number,
): Buffer {
  const { width, height, sampling, restartInterval, quantiser = 2 } = jpeg;
  const ids = jpeg.planeIds ?? sampling.map((_, plane) => plane + 1);
  const frame = sampling.flatMap(([across, down], i) => [ids[i]!, (across << 4) | down, 0]);
  const size = [height >> 8, height & 255, width >> 8, width & 255];
  const counts = (length: number, count: number): number[] =>
    Array.from({ length: 16 }, (_, i) => (i + 1 === length ? count : 0));
  const planes = sampling.map((_, plane) => plane);
  const scans = jpeg.hasScanPerPlane === true ? planes.map((plane) => [plane]) : [planes];
  return Buffer.concat([
    Uint8Array.of(0xff, 0xd8),
    ...(jpeg.segments ?? []),
    jpegSegment(0xdb, [0, ...Array.from({ length: 64 }, () => quantiser)]),
    jpegSegment(0xc0, [8, ...size, sampling.length, ...frame]),
    jpegSegment(0xc4, [0, ...counts(4, 12), ...MEAN_SYMBOLS]),
    jpegSegment(0xc4, [0x10, ...counts(8, 176), ...REST_SYMBOLS]),
    ...(restartInterval === undefined
      ? []
      : [jpegSegment(0xdd, [restartInterval >> 8, restartInterval & 255])]),
    ...scans.flatMap((scan) => [
      jpegSegment(0xda, [scan.length, ...scan.flatMap((plane) => [ids[plane]!, 0]), 0, 63, 0]),
      codeScan(jpeg, scan, sample),
    ]),
    Uint8Array.of(0xff, 0xd9),
  ]);
}

function codeScan(
  { width, height, sampling, restartInterval = Infinity, quantiser = 2 }: PlainJpeg,
  scan: readonly number[],
  sample: (plane: number, x: number, y: number) => number,
): Uint8Array {
  const most = [0, 1].map((side) => Math.max(...sampling.map((plane) => plane[side]!)));
  const isAlone = scan.length === 1;
  const sizes = sampling.map(([across, down]) => [
    Math.ceil((width * across) / most[0]!),
    Math.ceil((height * down) / most[1]!),
  ]);
  const [columns, rows] = isAlone
    ? sizes[scan[0]!]!.map((side) => Math.ceil(side / 8))
    : [Math.ceil(width / (8 * most[0]!)), Math.ceil(height / (8 * most[1]!))];
  const bits = new BitWriter();
  const means = sampling.map(() => 0);
  for (let unit = 0; unit < columns! * rows!; unit++) {
    if (unit > 0 && unit % restartInterval === 0) {
      bits.restart((unit / restartInterval - 1) & 7);
      means.fill(0);
    }
    const [column, row] = [unit % columns!, Math.floor(unit / columns!)];
    for (const plane of scan) {
      const [across, down] = isAlone ? [1, 1] : sampling[plane]!;
      const [planeWidth, planeHeight] = sizes[plane]!;
      for (let block = 0; block < across * down; block++) {
        const left = (column * across + (block % across)) * 8;
        const top = (row * down + Math.floor(block / across)) * 8;
        const values = Array.from({ length: 64 }, (_, i) => {
          const x = Math.min(planeWidth! - 1, left + (i & 7));
          return sample(plane, x, Math.min(planeHeight! - 1, top + (i >> 3))) - 128;
        });
        means[plane] = codeBlock(bits, transform(values, quantiser), means[plane]!);
      }
    }
  }
  return bits.end();
}

function transform(values: readonly number[], quantiser: number): number[] {
  return ZIGZAG.map((place) => {
    const [v, u] = [place >> 3, place & 7];
    let sum = 0;
    for (let i = 0; i < 64; i++) {
      sum += values[i]! * COSINES[v * 8 + (i >> 3)]! * COSINES[u * 8 + (i & 7)]!;
    }
    return Math.max(-1023, Math.min(1023, Math.round(sum / 4 / quantiser)));
  });
}

/** Writes a block and gives its mean. */
function codeBlock(bits: BitWriter, values: readonly number[], lastMean: number): number {
  const mean = values[0]!;
  const step = mean - lastMean;
  bits.write(sizeOf(step), 4);
  bits.writeValue(step);
  let run = 0;
  const last = values.findLastIndex((value, i) => i > 0 && value !== 0);
  for (let i = 1; i <= last; i++) {
    if (values[i] === 0 && run < 15) run++;
    else {
      bits.write(run * 11 + sizeOf(values[i]!), 8);
      bits.writeValue(values[i]!);
      run = 0;
    }
  }
  if (last < 63) bits.write(0, 8);
  return mean;
}

function sizeOf(value: number): number {
  return 32 - Math.clz32(Math.abs(value));
}

class BitWriter {
  readonly #bytes: number[] = [];
  #held = 0;
  #numHeld = 0;

  write(value: number, numBits: number): void {
    for (let bit = numBits - 1; bit >= 0; bit--) {
      this.#held = (this.#held << 1) | ((value >> bit) & 1);
      if (++this.#numHeld < 8) continue;
      this.#bytes.push(this.#held, ...(this.#held === 255 ? [0] : []));
      this.#held = 0;
      this.#numHeld = 0;
    }
  }

  writeValue(value: number): void {
    const size = sizeOf(value);
    this.write(value < 0 ? value + 2 ** size - 1 : value, size);
  }

  restart(number: number): void {
    this.#fill();
    this.#bytes.push(0xff, 0xd0 + number);
  }

  end(): Uint8Array {
    this.#fill();
    return Uint8Array.from(this.#bytes);
  }

  #fill(): void {
    while (this.#numHeld > 0) this.write(1, 1);
  }
}
