/**
 * JPEG files whose picture is one scan, which are nearly all, to planes, with loops of our own: blocks outside the cut are read
 * past, and nothing is copied.
 *
 * Source: ITU-T T.81; the transform is libjpeg's, to the bit.
 */

import { CODE_TABLE, makeCodeTables } from './code-tables.ts';
import { MARKERS, damagedPicture } from './jpeg-header.ts';
import type { JpegHeader } from './jpeg-header.ts';
import type { Crop } from './pixel-graph.ts';
import type { PixelMachine } from './pixel-machine.ts';
import { BLOCK_BYTES } from './scan-kernels.ts';
import { TRANSFORM_CONSTANTS } from './transform-kernel.ts';

/** Planes in the memory of a machine. */
export interface PlacedPlanes {
  /** Addresses of brightness and, unless the picture is grey, Cb and Cr. */
  readonly addresses: readonly number[];
  readonly strides: readonly number[];
}

/** Coded data, from and to an address. */
export interface CodedData {
  readonly from: number;
  readonly end: number;
}

/** A plane of a header: samples across and down in a unit, in blocks, and the numbers of its tables. */
interface Plane {
  readonly across: number;
  readonly down: number;
  readonly quantiser: number;
  readonly means: number;
  readonly rest: number;
}

/** What a header means for decoding. */
interface ScanForm {
  readonly planes: readonly Plane[];
  /** Size of a unit in pixels, and units of the picture. */
  readonly unit: { readonly width: number; readonly height: number };
  readonly numUnits: { readonly across: number; readonly down: number };
}

/** Marker of the frames of baseline and extended coding, or the one before. */
const LAST_FRAME_KIND = 0xc1;
const BLOCK = 8;
const NUM_TABLES = 4;
const QUANTISER_BYTES = 128;
const COEFFICIENT_BYTES = 144;
/** What can be read too far in a unit of damaged data: ten blocks of 64 codes of 31 bits, and what is read ahead. */
const OVERREAD_BYTES = 4096;
/** Samples are written by sixteens, of which eight count. */
const SLACK_BYTES = 16;
/** Colours are drawn out from samples next to them, two pixels away. */
const NEIGHBOURS = 2;

/** Belongs to one machine, in whose memory its tables stay. */
export class ScanDecoder {
  readonly #machine: PixelMachine;
  readonly #codes: number;
  readonly #quantisers: number;
  readonly #places: number;
  readonly #constants: number;
  readonly #coefficients: number;
  #form: ScanForm | null = null;
  #header: JpegHeader | null = null;

  constructor(machine: PixelMachine) {
    this.#machine = machine;
    this.#codes = machine.reserve(2 * NUM_TABLES * CODE_TABLE.bytes);
    this.#quantisers = machine.reserve(NUM_TABLES * QUANTISER_BYTES);
    this.#places = machine.place(coefficientPlaces());
    this.#constants = machine.place(new Uint8Array(TRANSFORM_CONSTANTS.buffer));
    this.#coefficients = machine.reserve(COEFFICIENT_BYTES);
  }

  /** Whether it can decode pictures with such a header. Remembers the last one. */
  canDecode(header: JpegHeader): boolean {
    if (header !== this.#header) {
      this.#header = null; // if it fails
      this.#form = this.#prepare(header);
      this.#header = header;
    }
    return this.#form !== null;
  }

  /**
   * Decodes what a part of the picture needs, in areas of the machine that the caller releases; all else of the planes has
   * arbitrary content. Only after {@link canDecode}.
   *
   * @throws {TubeletError} `TUBE_SAMPLE_DAMAGED`
   */
  decode({ from, end }: CodedData, part: Crop): PlacedPlanes {
    const [machine, form] = [this.#machine, this.#form];
    if (form === null) throw new TypeError('internal: nothing prepared');
    const { unit, numUnits } = form;
    const room = machine.reserve(OVERREAD_BYTES + end - from + 16);
    const last = room + OVERREAD_BYTES + end - from - 1;
    const numBytes = machine.run('unstuff', { from, end, out: last });
    if (numBytes < 0) throw damagedPicture(end - from, 'a restart where none belongs');
    machine.bytes.fill(0, last - numBytes - OVERREAD_BYTES + 1, last - numBytes + 1);
    const { planes, blocks, numBlocks } = this.#layOut(form);
    const firstRow = Math.floor(Math.max(0, part.top - NEIGHBOURS) / unit.height);
    const rows = part.top + part.height + NEIGHBOURS;
    const endRow = Math.min(numUnits.down, Math.ceil(rows / unit.height));
    const firstUnit = Math.floor(Math.max(0, part.left - NEIGHBOURS) / unit.width);
    const columns = part.left + part.width + NEIGHBOURS;
    const endUnit = Math.min(numUnits.across, Math.ceil(columns / unit.width));
    const base = last - 7;
    let position = 0;
    for (let row = 0; row < endRow; row++) {
      position = machine.run('decodeRow', {
        position,
        base,
        limit: base - numBytes - 8,
        blocks,
        numBlocks,
        row,
        numUnits: numUnits.across,
        firstUnit,
        endUnit: row < firstRow ? 0 : endUnit,
        coefficients: this.#coefficients,
        places: this.#places,
        constants: this.#constants,
      });
      if (position < 0 || position > numBytes * 8) {
        throw damagedPicture(end - from, 'coded data are damaged');
      }
    }
    return planes;
  }

  /** Takes the tables of a header into memory; null if it is not of the kind that is decoded here. */
  #prepare(header: JpegHeader): ScanForm | null {
    const form = readForm(header);
    if (form === null) return null;
    const { bytes } = this.#machine;
    const tables = makeCodeTables(header);
    const quantisers = readQuantisers(header);
    for (const { means, rest, quantiser } of form.planes) {
      for (const number of [means, rest]) {
        const table = tables.get(number);
        if (table === undefined) throw damagedPicture(header.bytes.length, 'code table missing');
        bytes.set(table, this.#codeTable(number));
      }
      const values = quantisers.get(quantiser);
      if (values === undefined)
        throw damagedPicture(header.bytes.length, 'quantiser table missing');
      bytes.set(new Uint8Array(values.buffer), this.#quantisers + quantiser * QUANTISER_BYTES);
    }
    return form;
  }

  #codeTable(number: number): number {
    return this.#codes + ((number & 3) + (number >> 4) * NUM_TABLES) * CODE_TABLE.bytes;
  }

  /** Reserves planes, and writes down where each block of a unit goes. */
  #layOut({ planes, numUnits }: ScanForm): {
    readonly planes: PlacedPlanes;
    readonly blocks: number;
    readonly numBlocks: number;
  } {
    const machine = this.#machine;
    const words: number[] = [];
    const strides = planes.map(({ across }) => numUnits.across * across * BLOCK + SLACK_BYTES);
    const addresses = planes.map(({ down }, i) =>
      machine.reserve((strides[i] ?? 0) * numUnits.down * down * BLOCK),
    );
    const means = machine.place(new Uint8Array(planes.length * 4));
    for (const [i, { across, down, ...plane }] of planes.entries()) {
      const [address = 0, stride = 0] = [addresses[i], strides[i]];
      for (let block = 0; block < across * down; block++) {
        const [column, row] = [block % across, Math.floor(block / across)];
        words.push(
          means + i * 4,
          this.#codeTable(plane.means),
          this.#codeTable(plane.rest),
          this.#quantisers + plane.quantiser * QUANTISER_BYTES,
          address + (row * stride + column) * BLOCK,
          stride,
          across * BLOCK,
          stride * down * BLOCK,
        );
      }
    }
    const blocks = machine.place(new Uint8Array(Int32Array.from(words).buffer));
    const numBlocks = (words.length * 4) / BLOCK_BYTES;
    return { planes: { addresses, strides }, blocks, numBlocks };
  }
}

/** Reads what a header says about the only scan; null if it has restarts, or is not in the order of the planes. */
function readForm(header: JpegHeader): ScanForm | null {
  const { bytes, segments, scanAt, planeNames, width, height } = header;
  const frame = segments.find(({ marker }) => marker <= LAST_FRAME_KIND);
  const hasRestarts = segments.some(({ marker, from }) => {
    return marker === MARKERS.restartInterval && bytes.readUInt16BE(from + 4) > 0;
  });
  if (frame === undefined || hasRestarts || !header.hasWholeScan) return null;
  const isAlone = planeNames.length === 1;
  const planes: Plane[] = [];
  for (const [i, name] of planeNames.entries()) {
    const [place, scan] = [frame.from + 11 + 3 * i, scanAt + 5 + 2 * i];
    if (bytes[scan] !== name) return null;
    const [samples = 0, quantiser = 0, codes = 0] = [
      bytes[place],
      bytes[place + 1],
      bytes[scan + 1],
    ];
    const [across, down] = isAlone ? [1, 1] : [samples >> 4, samples & 15];
    const [means, rest] = [codes >> 4, 16 | (codes & 15)];
    if (quantiser >= NUM_TABLES || means >= NUM_TABLES || rest >= 16 + NUM_TABLES) return null;
    planes.push({ across, down, quantiser, means, rest });
  }
  const [from, to, bits] = bytes.subarray(scanAt + 5 + 2 * planeNames.length);
  if (from !== 0 || to !== 63 || bits !== 0) return null;
  const [{ across, down } = { across: 1, down: 1 }] = planes;
  const unit = { width: across * BLOCK, height: down * BLOCK };
  const numUnits = {
    across: Math.ceil(width / unit.width),
    down: Math.ceil(height / unit.height),
  };
  return { planes, unit, numUnits };
}

/** Quantisers by number, words in the order of rows. */
function readQuantisers({ segments, bytes }: JpegHeader): ReadonlyMap<number, Int16Array> {
  const quantisers = new Map<number, Int16Array>();
  for (const { marker, from, to } of segments) {
    if (marker !== MARKERS.quantiserTables) continue;
    for (let place = from + 4; place + 65 <= to;) {
      const number = bytes[place] ?? 0;
      const size = number < 16 ? 1 : 2;
      const values = new Int16Array(64);
      for (const [i, index] of ZIGZAG.entries()) {
        const at = place + 1 + i * size;
        values[index] =
          size === 1 ? (bytes[at] ?? 0) : ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
      }
      quantisers.set(number & 15, values);
      place += 1 + 64 * size;
    }
  }
  return quantisers;
}

/** Places of a block by rows, in the order in which they are coded. */
const ZIGZAG: readonly number[] = Array.from({ length: 64 }, (_, i) => i).sort((a, b) => {
  const [diagonal, other] = [(a >> 3) + (a & 7), (b >> 3) + (b & 7)];
  if (diagonal !== other) return diagonal - other;
  return diagonal % 2 === 0 ? (a & 7) - (b & 7) : (a >> 3) - (b >> 3);
});

/** For each number of a coefficient its place in bytes; for those beyond the end a place that nobody looks at. */
function coefficientPlaces(): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, i) => (ZIGZAG[i] ?? 64) * 2);
}
