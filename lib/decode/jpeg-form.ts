/**
 * The structure of a JPEG file, checked as strictly as training data needs: whole, of eight bits, grey or YCbCr.
 *
 * Source: ITU-T T.81, annex B.
 */

import { TubeletError } from '../core/index.ts';
import type { Size } from './frame-converter.ts';
import { DEFAULT_MAX_PIXELS } from './open-video.ts';

/** What is known of a JPEG file without decoding it. Places are offsets in bytes from its start. */
export interface JpegForm extends Size {
  /** Segments that a decoder needs, up to the first scan, in order. */
  readonly segments: readonly JpegSegment[];
  /** Where the 16-bit height stands. */
  readonly heightAt: number;
  /** Rows of pixels that are coded together. */
  readonly rowsPerBlock: number;
  /** Whether one scan of coded data holds the whole picture. */
  readonly isSingleScan: boolean;
  readonly scanAt: number;
  /** Behind the last byte of the picture. */
  readonly endsAt: number;
}

/** A header segment, its marker included. */
interface JpegSegment {
  readonly marker: number;
  readonly from: number;
  readonly to: number;
}

/** Gives the place of the first marker that is no restart marker from a place on, or the length of the file. */
export type MarkerFinder = (from: number) => number;

const START = 0xd8;
const END = 0xd9;
const SCAN = 0xda;
/** Marker of the tables of Huffman codes. */
export const CODE_TABLES = 0xc4;
const QUANTISER_TABLES = 0xdb;
const RESTART_INTERVAL = 0xdd;
const FRAME_KINDS: ReadonlySet<number> = new Set([0xc0, 0xc1, 0xc2]); // baseline, extended, progressive
const PROGRESSIVE = 0xc2;
const JFIF = 0xe0;
const ADOBE = 0xee;
const NEEDED: ReadonlySet<number> = new Set([CODE_TABLES, QUANTISER_TABLES, RESTART_INTERVAL]);

/** Makes the error for bytes that are not a picture of the kind that is supported. */
export function damagedPicture(numBytes: number, message: string, cause?: unknown): TubeletError {
  const details = { format: 'jpeg', bytes: numBytes, message };
  return new TubeletError('TUBE_SAMPLE_DAMAGED', details, cause === undefined ? {} : { cause });
}

/**
 * Reads the structure of a JPEG file. What follows the end of the picture is ignored.
 *
 * @throws {TubeletError} `TUBE_SAMPLE_DAMAGED` if it is not whole or of a kind that is not supported
 */
export function readJpegForm(file: Uint8Array, findMarker: MarkerFinder): JpegForm {
  const fail = (message: string): TubeletError => damagedPicture(file.length, message);
  const header = readHeader(file, fail);
  let place = header.scanAt;
  let numScans = 0;
  for (;;) {
    const { marker, to } = segmentAt(file, place, fail);
    if (marker === SCAN) numScans++;
    else if (!NEEDED.has(marker)) throw fail(`marker ${marker.toString(16)} between scans`);
    place = marker === SCAN ? findMarker(to) : to;
    while (file[place] === 0xff && file[place + 1] === 0xff) place++;
    if (file[place] === 0xff && file[place + 1] === END) break;
  }
  const { frame, ...rest } = header;
  const holdsAll = file[header.scanAt + 4] === frame.numComponents;
  return {
    ...rest,
    width: frame.width,
    height: frame.height,
    heightAt: frame.heightAt,
    rowsPerBlock: frame.rowsPerBlock,
    isSingleScan: numScans === 1 && holdsAll && !frame.isProgressive,
    endsAt: place + 2,
  };
}

/** Size of a JPEG picture in pixels, from its header alone. */
export function jpegSize(file: Uint8Array): Size {
  const { frame } = readHeader(file, (message) => damagedPicture(file.length, message));
  return { width: frame.width, height: frame.height };
}

type Fail = (message: string) => TubeletError;

interface FrameHeader extends Size {
  readonly heightAt: number;
  readonly rowsPerBlock: number;
  readonly numComponents: number;
  readonly isProgressive: boolean;
}

interface Header {
  readonly segments: readonly JpegSegment[];
  readonly frame: FrameHeader;
  readonly scanAt: number;
}

function readHeader(file: Uint8Array, fail: Fail): Header {
  if (file[0] !== 0xff || file[1] !== START) throw fail('no JPEG');
  const segments: JpegSegment[] = [];
  let frame: FrameHeader | null = null;
  let isJfif = false;
  let isAdobeRgb = false;
  for (let place = 2; ;) {
    while (file[place] === 0xff && file[place + 1] === 0xff) place++;
    const segment = segmentAt(file, place, fail);
    const { marker, from, to } = segment;
    if (marker === SCAN) {
      if (frame === null) throw fail('no frame header');
      if (isAdobeRgb && !isJfif && frame.numComponents === 3) throw fail('RGB is not supported');
      return { segments, frame, scanAt: from };
    }
    if (FRAME_KINDS.has(marker)) {
      if (frame !== null) throw fail('several frame headers');
      frame = readFrameHeader(file, segment, fail);
      segments.push(segment);
    } else if (NEEDED.has(marker)) segments.push(segment);
    else if (marker >= 0xc3 && marker <= 0xcf)
      throw fail(`coding ${marker.toString(16)} is not supported`);
    else if (marker === JFIF) isJfif ||= hasName(file, segment, 'JFIF');
    else if (marker === ADOBE)
      isAdobeRgb ||= hasName(file, segment, 'Adobe') && file[from + 15] === 0;
    place = to;
  }
}

function segmentAt(file: Uint8Array, from: number, fail: Fail): JpegSegment {
  const marker = file[from + 1] ?? 0;
  if (file[from] !== 0xff || marker < 0xc0 || (marker >= 0xd0 && marker <= END)) {
    throw fail(from + 1 < file.length ? `no segment at byte ${from}` : 'cut short');
  }
  const to = from + 2 + wordAt(file, from + 2);
  if (to > file.length || to < from + 4) throw fail('cut short');
  return { marker, from, to };
}

function readFrameHeader(
  file: Uint8Array,
  { marker, from, to }: JpegSegment,
  fail: Fail,
): FrameHeader {
  const numComponents = file[from + 9] ?? 0;
  const size = { width: wordAt(file, from + 7), height: wordAt(file, from + 5) };
  if (to - from !== 10 + 3 * numComponents) throw fail('bad frame header');
  if (file[from + 4] !== 8) throw fail(`${file[from + 4] ?? 0} bits are not supported`);
  if (numComponents !== 1 && numComponents !== 3) {
    throw fail(`${numComponents} colour planes are not supported`);
  }
  if (size.width * size.height === 0 || size.width * size.height > DEFAULT_MAX_PIXELS) {
    throw fail(`${size.width} x ${size.height} pixels are not supported`);
  }
  const rows = Array.from({ length: numComponents }, (_, i) => (file[from + 11 + 3 * i] ?? 0) & 15);
  return {
    ...size,
    heightAt: from + 5,
    rowsPerBlock: 8 * Math.max(...rows),
    numComponents,
    isProgressive: marker === PROGRESSIVE,
  };
}

function hasName(file: Uint8Array, { from, to }: JpegSegment, name: string): boolean {
  const end = from + 4 + name.length;
  return end <= to && Buffer.from(name).compare(file, from + 4, end) === 0;
}

function wordAt(file: Uint8Array, place: number): number {
  return ((file[place] ?? 0) << 8) | (file[place + 1] ?? 0);
}
