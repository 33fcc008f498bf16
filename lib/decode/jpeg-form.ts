/** Where the coded data of a JPEG file end, which tells whether the file is whole. */

import { MARKERS, checkRestarts, damagedPicture, segmentAt } from './jpeg-header.ts';
import type { JpegHeader } from './jpeg-header.ts';

/** What is known of a JPEG file without decoding it. */
export interface JpegForm {
  readonly header: JpegHeader;
  /** Whether one scan of coded data is the whole picture. */
  readonly isSingleScan: boolean;
  /** Where the coded data of the first scan end. */
  readonly codedEnd: number;
  /** Bytes up to the end of the picture. */
  readonly numBytes: number;
}

/** A scan of some bytes can cost the time of a whole picture; encoders write about ten. */
const MAX_SCANS = 100;

/** Gives the place of the first marker that is no restart marker from a place on, or the length of the file. */
export type MarkerFinder = (from: number) => number;

/**
 * Goes through the scans of a file. What follows the end of the picture is ignored.
 *
 * @throws {TubeletError} `TUBE_SAMPLE_DAMAGED` if the file is not whole
 */
export function readJpegForm(
  file: Uint8Array,
  header: JpegHeader,
  findMarker: MarkerFinder,
): JpegForm {
  const codedEnd = findMarker(header.bytes.length);
  let place = findEnd(file, codedEnd);
  const isSingleScan = header.hasWholeScan && file[place + 1] === MARKERS.end;
  if (isSingleScan) return { header, isSingleScan, codedEnd, numBytes: place + 2 };
  const scanned = new Set(planesOfScan(file, header.scanAt));
  let numScans = 1;
  while (file[place + 1] !== MARKERS.end) {
    const { marker, from, to } = checkRestarts(file, segmentAt(file, place));
    // A second frame header would be another picture.
    const isFrame = marker <= 0xcf && marker !== MARKERS.codeTables;
    if (isFrame) throw damagedPicture(file.length, 'several frame headers');
    const isScan = marker === MARKERS.scan;
    if (isScan) for (const name of planesOfScan(file, from)) scanned.add(name);
    if (isScan && ++numScans > MAX_SCANS) throw damagedPicture(file.length, 'too many scans');
    place = findEnd(file, isScan ? findMarker(to) : to);
  }
  const isWhole = header.planeNames.every((name) => scanned.has(name));
  if (!isWhole) throw damagedPicture(file.length, 'cut short');
  return { header, isSingleScan, codedEnd, numBytes: place + 2 };
}

/** The names of the planes of a scan, whose header starts at `from`. */
function planesOfScan(file: Uint8Array, from: number): number[] {
  const numPlanes = file[from + 4] ?? 0;
  return Array.from({ length: numPlanes }, (_, i) => file[from + 5 + 2 * i] ?? 0);
}

/** Skips filling before a marker. */
function findEnd(file: Uint8Array, from: number): number {
  let place = from;
  while (file[place] === 0xff && file[place + 1] === 0xff) place++;
  if (place + 1 >= file.length) throw damagedPicture(file.length, 'cut short');
  return place;
}
