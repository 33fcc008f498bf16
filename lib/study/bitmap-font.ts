/**
 * A small bitmap font, so that pictures with text come out the same on every machine, whatever fonts it has.
 *
 * Glyphs are 5 pixels wide in cells of 6x10: 7 rows down to the baseline, 2 below it; they are shown doubled, with the steps
 * of slanted lines filled. The glyphs were drawn for this file; the filling is the EPX rule, kept to steps.
 */

import type { RgbImage } from '../sample/index.ts';

/** RGB, each 0 to 255. */
export type Color = readonly [red: number, green: number, blue: number];

/** Where a text goes: `x`, `y` is the top left corner of its first cell, in pixels. */
export interface TextStyle {
  readonly x: number;
  readonly y: number;
  readonly color: Color;
}

/** Width of the cell of one character, in pixels. */
export const CELL_WIDTH = 12;
/** Height of a line of text, in pixels. */
export const LINE_HEIGHT = 20;

const ROWS = 9;
const COLUMNS = 5;
const FIRST_CODE = 0x20;
const UNKNOWN_CODE = 0x3f;

/** From space to `~`: one word a glyph, one base-32 digit a row from top to bottom, the highest bit is the leftmost pixel. */
const GLYPHS = [
  '000000000 444440400 aaa000000 aavavaa00 4fke5u400 pp248jj00 cik8lid00 444000000',
  '248884200 842224800 04lel4000 044v44000 000006480 000v00000 000006600 11248gg00',
  'ehjlphe00 4c4444e00 eh1248v00 eh161he00 26aiv2200 vgu11he00 68guhhe00 v12244400',
  'ehhehhe00 ehhf12c00 066066000 066006480 124842100 00v0v0000 g84248g00 eh1240400',
  'ehnlngf00 ehhvhhh00 uhhuhhu00 ehggghe00 uhhhhhu00 vgguggv00 vgguggg00 ehgnhhe00',
  'hhhvhhh00 e44444e00 72222ic00 hikokih00 ggggggv00 hrllhhh00 hppljjh00 ehhhhhe00',
  'uhhuggg00 ehhhlid00 uhhukih00 fgge11u00 v44444400 hhhhhhe00 hhhaa4400 hhhllrh00',
  'hha4ahh00 hha444400 v1248gv00 e88888e00 gg8421100 e22222e00 4ah000000 0000000v0',
  '840000000 00e1fhf00 ggmphhu00 00ehghe00 11djhhf00 00ehvge00 698s88800 00fhhhf1e',
  'ggmphhh00 40c444e00 2062222ic ggikoki00 c44444e00 00qllll00 00mphhh00 00ehhhe00',
  '00uhhhugg 00fhhhf11 00mpggg00 00fge1u00 88s889600 00hhhjd00 00hhha400 00hhlla00',
  '00ha4ah00 00hhhhf1e 00v248v00 344844300 444444400 o44244o00 009li0000',
].flatMap((words) =>
  words.split(' ').map((rows) => Array.from(rows, (digit) => parseInt(digit, 32))),
);

/**
 * Writes one line of text into a picture; what does not fit is cut off. Characters other than printable ASCII show as `?`.
 */
export function drawText(image: RgbImage, text: string, { x, y, color }: TextStyle): void {
  let left = x;
  for (const character of text) {
    drawGlyph(image, glyphOf(character), { x: left, y, color });
    left += CELL_WIDTH;
  }
}

/** Shortens a text to a number of characters, `..` in place of its middle: both ends of a path say the most. */
export function shortenText(text: string, maxCharacters: number): string {
  const characters = Array.from(text);
  if (characters.length <= maxCharacters) return text;
  const kept = maxCharacters - 2;
  if (kept < 2) return characters.slice(0, Math.max(0, maxCharacters)).join('');
  const head = Math.ceil(kept / 2);
  return [...characters.slice(0, head), '..', ...characters.slice(head - kept)].join('');
}

function glyphOf(character: string): readonly number[] {
  const glyph = GLYPHS[(character.codePointAt(0) ?? 0) - FIRST_CODE];
  return glyph ?? GLYPHS[UNKNOWN_CODE - FIRST_CODE] ?? [];
}

/** Draws each pixel of a glyph as four quarters. */
function drawGlyph(image: RgbImage, glyph: readonly number[], style: TextStyle): void {
  for (let row = 0; row < ROWS * 2; row++) {
    for (let column = 0; column < COLUMNS * 2; column++) {
      if (isQuarterSet(glyph, row, column)) {
        setPixel(image, style.x + column, style.y + row, style.color);
      }
    }
  }
}

/** A quarter is set with its pixel, and where a slanted line touches it: on both outer sides but not at the corner between. */
function isQuarterSet(
  glyph: readonly number[],
  quarterRow: number,
  quarterColumn: number,
): boolean {
  const row = quarterRow >> 1;
  const column = quarterColumn >> 1;
  if (isSet(glyph, row, column)) return true;
  const nextRow = row + ((quarterRow & 1) === 1 ? 1 : -1);
  const nextColumn = column + ((quarterColumn & 1) === 1 ? 1 : -1);
  return (
    isSet(glyph, nextRow, column) &&
    isSet(glyph, row, nextColumn) &&
    !isSet(glyph, nextRow, nextColumn)
  );
}

function isSet(glyph: readonly number[], row: number, column: number): boolean {
  if (column < 0 || column >= COLUMNS) return false;
  return (((glyph[row] ?? 0) >> (COLUMNS - 1 - column)) & 1) === 1;
}

function setPixel(image: RgbImage, x: number, y: number, color: Color): void {
  if (x < 0 || y < 0 || x >= image.width || y >= image.height) return;
  image.data.set(color, (y * image.width + x) * 3);
}
