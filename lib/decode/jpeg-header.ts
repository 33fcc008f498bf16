/**
 * The header of a JPEG file, checked as strictly as training data needs: eight bits, grey or YCbCr, all tables there.
 *
 * Source: ITU-T T.81, annex B.
 */

import { TubeletError } from '../core/index.ts';
import type { Size } from './frame-converter.ts';
import { DEFAULT_MAX_PIXELS } from './open-video.ts';

/** Whether colour planes have half the samples per row and half the rows. */
export interface ColourLayout {
  readonly halfWidth: 0 | 1;
  readonly halfHeight: 0 | 1;
}

/** What the header says. Places are offsets in bytes from the start of the file. */
export interface JpegHeader extends Size {
  /** Null for a grey picture. */
  readonly layout: ColourLayout | null;
  /** Segments that a decoder needs, up to the first scan, in order. */
  readonly segments: readonly JpegSegment[];
  /** What scans call each plane. */
  readonly planeNames: readonly number[];
  /** Where the 16-bit height stands. */
  readonly heightAt: number;
  /** Rows of pixels that are coded together. */
  readonly rowsPerBlock: number;
  /** Whether the first scan has all colour planes, with all their bits. */
  readonly hasWholeScan: boolean;
  /** Where the header of the first scan starts. */
  readonly scanAt: number;
  /** The header up to the first coded data. */
  readonly bytes: Buffer;
}

/** A segment, its marker included. */
interface JpegSegment {
  readonly marker: number;
  readonly from: number;
  readonly to: number;
}

/** Markers that are looked at. */
export const MARKERS = {
  start: 0xd8,
  end: 0xd9,
  scan: 0xda,
  codeTables: 0xc4,
  quantiserTables: 0xdb,
  restartInterval: 0xdd,
  progressive: 0xc2,
  jfif: 0xe0,
  adobe: 0xee,
} as const;

const FRAME_KINDS: ReadonlySet<number> = new Set([0xc0, 0xc1, MARKERS.progressive]);
const NEEDED: ReadonlySet<number> = new Set([
  MARKERS.codeTables,
  MARKERS.quantiserTables,
  MARKERS.restartInterval,
]);

/** Where in the segment of Adobe stands what the planes of a picture of three planes mean. */
const ADOBE_COLOURS = 15;
/** Names of planes that mean RGB where no segment says otherwise. */
const RGB_NAMES = 'RGB';

/** What segments say of the planes of a picture that has three; JFIF counts more than Adobe. */
type Colours = 'unknown' | 'RGB' | 'YCbCr';

/** Known as 4:4:4, 4:2:2 and 4:2:0. */
const LAYOUTS: readonly ColourLayout[] = [
  { halfWidth: 0, halfHeight: 0 },
  { halfWidth: 1, halfHeight: 0 },
  { halfWidth: 1, halfHeight: 1 },
];

/** Makes the error for bytes that are not a picture of a kind that is supported. */
export function damagedPicture(numBytes: number, message: string, cause?: unknown): TubeletError {
  const details = { format: 'jpeg', bytes: numBytes, message };
  return new TubeletError('TUBE_SAMPLE_DAMAGED', details, cause === undefined ? {} : { cause });
}

/**
 * Reads the header of a file; gives `last`, the header of another file, if they are equal.
 *
 * @throws {TubeletError} `TUBE_SAMPLE_DAMAGED` if it has no header or that of a picture that is not supported
 */
export function readJpegHeader(file: Uint8Array, last: JpegHeader | null): JpegHeader {
  if (
    last !== null &&
    last.bytes.compare(file, 0, Math.min(last.bytes.length, file.length)) === 0
  ) {
    return last;
  }
  if (file[0] !== 0xff || file[1] !== MARKERS.start) throw damagedPicture(file.length, 'no JPEG');
  const segments: JpegSegment[] = [];
  let frame: JpegSegment | null = null;
  let colours: Colours = 'unknown';
  for (let place = 2; ;) {
    while (file[place] === 0xff && file[place + 1] === 0xff) place++;
    const segment = segmentAt(file, place);
    const { marker, from, to } = segment;
    place = to;
    if (marker === MARKERS.scan) {
      if (frame === null) throw damagedPicture(file.length, 'no frame header');
      return combine(file, { segments, frame, scan: segment, colours });
    }
    if (FRAME_KINDS.has(marker)) {
      if (frame !== null) throw damagedPicture(file.length, 'several frame headers');
      frame = segment;
      segments.push(segment);
    } else if (NEEDED.has(marker)) segments.push(checkRestarts(file, segment));
    else if (marker <= 0xcf) throw damagedPicture(file.length, 'coding is not supported');
    else if (marker === MARKERS.jfif && hasName(file, segment, 'JFIF')) colours = 'YCbCr';
    else if (marker === MARKERS.adobe && hasName(file, segment, 'Adobe')) {
      if (colours === 'unknown') colours = file[from + ADOBE_COLOURS] === 0 ? 'RGB' : 'YCbCr';
    }
  }
}

/**
 * The segment that starts at `from`.
 *
 * @throws {TubeletError} `TUBE_SAMPLE_DAMAGED` if none does, or it goes beyond the end
 */
export function segmentAt(file: Uint8Array, from: number): JpegSegment {
  const marker = file[from + 1] ?? 0;
  const isSegment = marker >= 0xc0 && (marker < 0xd0 || marker > MARKERS.end) && marker < 0xff;
  if (file[from] !== 0xff || !isSegment) {
    const message = from + 1 < file.length ? `no segment at byte ${from}` : 'cut short';
    throw damagedPicture(file.length, message);
  }
  const to = from + 2 + wordAt(file, from + 2);
  if (to > file.length || to < from + 4) throw damagedPicture(file.length, 'cut short');
  return { marker, from, to };
}

/**
 * Gives a segment back unless it asks for a restart after every block: FFmpeg then takes a scan that breaks off for a whole one.
 *
 * @throws {TubeletError} `TUBE_SAMPLE_DAMAGED` if it does
 */
export function checkRestarts(file: Uint8Array, segment: JpegSegment): JpegSegment {
  if (segment.marker === MARKERS.restartInterval && wordAt(file, segment.from + 4) === 1) {
    throw damagedPicture(file.length, 'a restart after every block is not supported');
  }
  return segment;
}

interface Found {
  readonly segments: readonly JpegSegment[];
  readonly frame: JpegSegment;
  readonly scan: JpegSegment;
  readonly colours: Colours;
}

function combine(file: Uint8Array, { segments, frame, scan, colours }: Found): JpegHeader {
  const at = frame.from;
  const numPlanes = file[at + 9] ?? 0;
  const size = { width: wordAt(file, at + 7), height: wordAt(file, at + 5) };
  const fail = (message: string): TubeletError => damagedPicture(file.length, message);
  if (frame.to - at !== 10 + 3 * numPlanes) throw fail('bad frame header');
  if (file[at + 4] !== 8) throw fail(`${file[at + 4] ?? 0} bits are not supported`);
  if (numPlanes !== 1 && numPlanes !== 3) throw fail(`${numPlanes} planes are not supported`);
  if (size.width * size.height === 0 || size.width * size.height > DEFAULT_MAX_PIXELS) {
    throw fail(`${size.width} x ${size.height} pixels are not supported`);
  }
  const planes = Array.from({ length: numPlanes }, (_, i) => at + 10 + 3 * i);
  const planeNames = planes.map((plane) => file[plane] ?? 0);
  const isNamedRgb = String.fromCharCode(...planeNames) === RGB_NAMES;
  const isRgb = colours === 'RGB' || (colours === 'unknown' && isNamedRgb);
  if (isRgb && numPlanes === 3) throw fail('RGB is not supported');
  const samples = planes.map((plane) => file[plane + 1] ?? 0);
  const layout = layoutOf(samples);
  if (layout === undefined) throw fail('colour sampling is not supported');
  const numScanned = file[scan.from + 4] ?? 0;
  if (numScanned < 1 || scan.to - scan.from !== 8 + 2 * numScanned) throw fail('bad scan header');
  const hasWholeScan = numScanned === numPlanes && frame.marker !== MARKERS.progressive;
  const quantisers = planes.map((plane) => file[plane + 2] ?? 0);
  // Each plane of a scan names a table for its means, and one for the rest.
  const codes = Array.from({ length: numScanned }, (_, i) => file[scan.from + 6 + 2 * i] ?? 0);
  const needed = codes.flatMap((code) => [code >> 4, 0x10 | (code & 0x0f)]);
  const tables = tablesOf(file, segments);
  if (!quantisers.every((id) => tables.quantisers.has(id))) throw fail('quantiser table missing');
  if (hasWholeScan && !needed.every((id) => tables.codes.has(id))) throw fail('code table missing');
  return {
    ...size,
    layout,
    planeNames,
    segments,
    heightAt: at + 5,
    rowsPerBlock: 8 * Math.max(...samples.map((counts) => counts & 15)),
    hasWholeScan,
    scanAt: scan.from,
    bytes: Buffer.from(file.subarray(0, scan.to)),
  };
}

/**
 * The layout of planes with so many samples per block: the number across in the upper four bits, that down in the lower. Nothing
 * if it is not supported.
 */
function layoutOf([y = 0, cb, cr]: readonly number[]): ColourLayout | null | undefined {
  const [across, down] = [y >> 4, y & 15];
  if (across < 1 || across > 4 || down < 1 || down > 4) return undefined;
  if (cb === undefined) return null;
  if (cb !== cr) return undefined;
  const [colourAcross, colourDown] = [cb >> 4, cb & 15];
  return LAYOUTS.find(
    ({ halfWidth, halfHeight }) =>
      colourAcross << halfWidth === across && colourDown << halfHeight === down,
  );
}

/** Which tables segments bring; a number of a code table has its class in the upper four bits. */
function tablesOf(
  file: Uint8Array,
  segments: readonly JpegSegment[],
): { readonly codes: ReadonlySet<number>; readonly quantisers: ReadonlySet<number> } {
  const codes = new Set<number>();
  const quantisers = new Set<number>();
  for (const { marker, from, to } of segments) {
    let place = from + 4;
    while (marker === MARKERS.codeTables && place + 17 <= to) {
      codes.add(file[place] ?? 0);
      place += file.subarray(place + 1, place + 17).reduce((sum, count) => sum + count, 17);
    }
    while (marker === MARKERS.quantiserTables && place + 65 <= to) {
      const number = file[place] ?? 0;
      quantisers.add(number & 15);
      place += number < 16 ? 65 : 129;
    }
  }
  return { codes, quantisers };
}

function hasName(file: Uint8Array, { from, to }: JpegSegment, name: string): boolean {
  const end = from + 4 + name.length;
  return end <= to && Buffer.from(name).compare(file, from + 4, end) === 0;
}

function wordAt(file: Uint8Array, place: number): number {
  return ((file[place] ?? 0) << 8) | (file[place + 1] ?? 0);
}
