/** Contact sheets: a page of rows, each a title over the frames of one sample, to see at a glance what a dataset holds. */

import { checkInteger } from '../core/index.ts';
import { encodePng, resizeImage } from '../sample/index.ts';
import type { RgbImage } from '../sample/index.ts';
import { CELL_WIDTH, LINE_HEIGHT, drawText, shortenText } from './bitmap-font.ts';
import type { Color } from './bitmap-font.ts';

/** One row of a sheet. */
export interface ContactSheetRow {
  /** One line; shortened in its middle if it is too long. Other than printable ASCII shows as `?`. */
  readonly title: string;
  /** uint8 RGB pictures of any sizes, in the order to show. */
  readonly frames: readonly RgbImage[];
}

/** How a sheet looks. */
export interface ContactSheetOptions {
  /** Height that frames are scaled to, in pixels; default 112. */
  readonly frameHeight?: number;
  /** A row with more frames shows this many, evenly chosen, first and last included; default 8. */
  readonly maxFramesPerRow?: number;
  /** RGB, each 0 to 255; default a dark grey. Text is light on dark and dark on light. */
  readonly background?: Color;
}

const DEFAULTS = {
  frameHeight: 112,
  maxFramesPerRow: 8,
  background: [24, 25, 29],
} as const satisfies ContactSheetOptions;

const MARGIN = 24;
const TITLE_HEIGHT = LINE_HEIGHT + 4;
const FRAME_GAP = 4;
const ROW_GAP = 20;
const MIN_CONTENT_WIDTH = 480;
/** A frame wider than this many heights is scaled down further. */
const WIDEST_ASPECT = 3;
const LIGHT_TEXT: Color = [208, 210, 216];
const DARK_TEXT: Color = [52, 54, 60];

/**
 * Draws a contact sheet and encodes it as PNG. The width follows the widest row; no rows give an empty sheet.
 *
 * @throws {RangeError} if an option is out of bounds or a frame's size does not match its data
 */
export async function contactSheet(
  rows: readonly ContactSheetRow[],
  options: ContactSheetOptions = {},
): Promise<Buffer> {
  const { frameHeight, maxFramesPerRow, background } = { ...DEFAULTS, ...options };
  checkInteger('frameHeight', frameHeight, { min: 8, max: 4096 });
  checkInteger('maxFramesPerRow', maxFramesPerRow, { min: 1 });
  for (const level of background) checkInteger('background', level, { min: 0, max: 255 });

  const strips: RgbImage[][] = [];
  for (const { frames } of rows) {
    const strip: RgbImage[] = [];
    for (const frame of chooseEvenly(frames, maxFramesPerRow)) {
      strip.push(await fitFrame(frame, frameHeight));
    }
    strips.push(strip);
  }
  return encodePng(composeSheet(rows, strips, background));
}

/** Puts titles and strips on a page; a strip is as high as its highest frame. */
function composeSheet(
  rows: readonly ContactSheetRow[],
  strips: readonly (readonly RgbImage[])[],
  background: Color,
): RgbImage {
  const contentWidth = Math.max(MIN_CONTENT_WIDTH, ...strips.map(stripWidth));
  const rowHeights = strips.map((strip) => TITLE_HEIGHT + stripHeight(strip) + ROW_GAP);
  const contentHeight = rowHeights.reduce((sum, height) => sum + height, 0) - ROW_GAP;
  const height = Math.max(0, contentHeight) + 2 * MARGIN;
  const sheet = fill(contentWidth + 2 * MARGIN, height, background);
  const color = isLight(background) ? DARK_TEXT : LIGHT_TEXT;
  const maxCharacters = Math.floor(contentWidth / CELL_WIDTH);
  let top = MARGIN;
  for (const [at, { title }] of rows.entries()) {
    drawText(sheet, shortenText(title, maxCharacters), { x: MARGIN, y: top, color });
    const strip = strips[at] ?? [];
    let x = MARGIN;
    for (const frame of strip) {
      const above = Math.floor((stripHeight(strip) - frame.height) / 2);
      paste(sheet, frame, x, top + TITLE_HEIGHT + above);
      x += frame.width + FRAME_GAP;
    }
    top += rowHeights[at] ?? 0;
  }
  return sheet;
}

/** At most `count` of the values, evenly spaced, first and last included; one alone is the middle one. */
function chooseEvenly<T>(values: readonly T[], count: number): readonly T[] {
  if (values.length <= count) return values;
  const last = values.length - 1;
  const places = new Set(
    Array.from({ length: count }, (_, at) =>
      count === 1 ? Math.floor(last / 2) : Math.round((at * last) / (count - 1)),
    ),
  );
  return values.filter((_, at) => places.has(at));
}

/** Scales a frame to the strip's height, or to the widest allowed width. */
async function fitFrame(frame: RgbImage, frameHeight: number): Promise<RgbImage> {
  checkFrame(frame);
  const scale = Math.min(frameHeight / frame.height, (frameHeight * WIDEST_ASPECT) / frame.width);
  const width = Math.max(1, Math.round(frame.width * scale));
  const height = Math.max(1, Math.round(frame.height * scale));
  if (width === frame.width && height === frame.height) return frame;
  return resizeImage(frame, { width, height });
}

function checkFrame({ width, height, data }: RgbImage): void {
  checkInteger('width', width, { min: 1 });
  checkInteger('height', height, { min: 1 });
  const bytes = width * height * 3;
  if (data.length !== bytes) {
    throw new RangeError(`"data" must hold ${bytes} bytes (got ${data.length}).`);
  }
}

function stripWidth(strip: readonly RgbImage[]): number {
  return strip.reduce((sum, { width }) => sum + width + FRAME_GAP, -FRAME_GAP);
}

function stripHeight(strip: readonly RgbImage[]): number {
  return strip.reduce((most, { height }) => Math.max(most, height), 0);
}

function fill(width: number, height: number, color: Color): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let at = 0; at < data.length; at += 3) data.set(color, at);
  return { width, height, data };
}

function paste(sheet: RgbImage, frame: RgbImage, x: number, y: number): void {
  const rowBytes = frame.width * 3;
  for (let row = 0; row < frame.height; row++) {
    const pixels = frame.data.subarray(row * rowBytes, (row + 1) * rowBytes);
    sheet.data.set(pixels, ((y + row) * sheet.width + x) * 3);
  }
}

/** Whether a colour looks lighter than mid grey (weights of ITU-R BT.709). */
function isLight([red, green, blue]: Color): boolean {
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 127;
}
