/** Tables for reading the codes of JPEG files: most are looked up, with their values, by the next ten bits. */

import { MARKERS, damagedPicture } from './jpeg-header.ts';
import type { JpegHeader } from './jpeg-header.ts';

/** Bits that are looked up at once. */
export const LOOKUP_BITS = 10;
/** Bits of the longest code. */
export const MAX_CODE_BITS = 16;
/** The run of zeros that stands for the end of a block: it leads beyond any coefficient. */
export const NO_MORE = 127;

const LOOKUP_BYTES = 2 ** LOOKUP_BITS * 4;
const LENGTHS_BYTES = (MAX_CODE_BITS + 1) * 4;

/**
 * Places in a table, in bytes. First the lookup, a word for each ten bits: the bits of a code with its value, or 0; the run of
 * zeros before the value; the value. If both do not fit ten bits: 0; the symbol; the bits of the code, or 0 if that alone does not.
 * Then, for each length of a code, the first code behind those of that length, drawn out to 16 bits; and where in the list of
 * symbols its code 0 would be.
 */
export const CODE_TABLE: Readonly<Record<'limits' | 'starts' | 'symbols' | 'bytes', number>> = {
  limits: LOOKUP_BYTES,
  starts: LOOKUP_BYTES + LENGTHS_BYTES,
  symbols: LOOKUP_BYTES + 2 * LENGTHS_BYTES,
  bytes: LOOKUP_BYTES + 2 * LENGTHS_BYTES + 256,
};

/** What a segment says about one table: how many codes have each length, 1 to 16, and what they mean, in order. */
interface Codes {
  readonly counts: Uint8Array;
  readonly symbols: Uint8Array;
}

/**
 * Gives the tables of a header by number, those for means from 0 on, those for the rest from 16 on.
 *
 * @throws {TubeletError} `TUBE_SAMPLE_DAMAGED` if codes are no tree
 */
export function makeCodeTables({ segments, bytes }: JpegHeader): ReadonlyMap<number, Uint8Array> {
  const tables = new Map<number, Uint8Array>();
  for (const { marker, from, to } of segments) {
    if (marker !== MARKERS.codeTables) continue;
    for (let place = from + 4; place < to;) {
      const counts = bytes.subarray(place + 1, place + 17);
      const numSymbols = counts.reduce((sum, count) => sum + count, 0);
      const end = place + 17 + numSymbols;
      if (end > to || numSymbols > 256) throw damagedPicture(bytes.length, 'bad code table');
      tables.set(
        bytes[place] ?? 0,
        makeTable({ counts, symbols: bytes.subarray(place + 17, end) }),
      );
      place = end;
    }
  }
  return tables;
}

function makeTable({ counts, symbols }: Codes): Uint8Array {
  const table = new Uint8Array(CODE_TABLE.bytes);
  table.set(symbols, CODE_TABLE.symbols);
  const lookup = new Int32Array(table.buffer, 0, 2 ** LOOKUP_BITS);
  const limits = new Int32Array(table.buffer, CODE_TABLE.limits, MAX_CODE_BITS + 1);
  const starts = new Int32Array(table.buffer, CODE_TABLE.starts, MAX_CODE_BITS + 1);
  let code = 0;
  let numBefore = 0;
  for (let length = 1; length <= MAX_CODE_BITS; length++) {
    const count = counts[length - 1] ?? 0;
    code *= 2;
    starts[length] = numBefore - code;
    const numShort = length <= LOOKUP_BITS ? count : 0;
    for (let i = 0; i < numShort; i++) {
      fillLookup(lookup, { code: code + i, length, symbol: symbols[numBefore + i] ?? 0 });
    }
    code += count;
    numBefore += count;
    if (code > 2 ** length) throw damagedPicture(0, 'codes are no tree');
    limits[length] = code * 2 ** (MAX_CODE_BITS - length);
  }
  return table;
}

/** Fills the words of all ten bits that begin with a code. */
function fillLookup(
  lookup: Int32Array,
  {
    code,
    length,
    symbol,
  }: { readonly code: number; readonly length: number; readonly symbol: number },
): void {
  const numFree = LOOKUP_BITS - length;
  const [run, size] = [symbol >> 4, symbol & 15];
  for (let rest = 0; rest < 2 ** numFree; rest++) {
    let entry = (length << 16) | (symbol << 8);
    if (size === 0) entry = length | ((run === 15 ? run : NO_MORE) << 8);
    else if (size <= numFree) {
      const bits = rest >> (numFree - size);
      const value = bits < 2 ** (size - 1) ? bits - 2 ** size + 1 : bits;
      entry = (length + size) | (run << 8) | (value << 16);
    }
    lookup[code * 2 ** numFree + rest] = entry;
  }
}
