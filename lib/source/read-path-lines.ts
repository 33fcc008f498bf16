/**
 * Lists of one path a line, with or without a label after a blank: `a/b c.mp4 17`, the form of VideoMAE's train.csv.
 *
 * The last word is the label if it is an integer, or if it follows the name of a file and is not one itself: `my clip.mp4`
 * is a path, `my clip.mp4 diving` a path and a label.
 */

import { isHeader, looksLikeFile, namedColumns } from './columns.ts';
import type { ListRow } from './columns.ts';
import { listSyntax, readLines, trimBlanks } from './list-text.ts';
import type { ListText } from './list-text.ts';
import { textFromLatin1 } from './path-text.ts';

/**
 * Yields the rows of a list of paths.
 *
 * @throws {TubeletError} TUBE_LIST_SYNTAX
 */
export async function* readPathLines(list: ListText): AsyncGenerator<ListRow> {
  let isFirst = true;
  for await (const { line, text } of readLines(list)) {
    if (isFirst && isHeader(text.split(' '))) checkHeader(text, list.list, line);
    else yield rowOfLine(line, text);
    isFirst = false;
  }
}

/** Splits a line into path and label; the label is `undefined` if there is none. */
export function splitLabel(text: string): [path: string, label: string | undefined] {
  const cut = text.lastIndexOf(' ');
  const path = trimBlanks(text.slice(0, Math.max(0, cut)));
  const label = text.slice(cut + 1);
  const isLabel = /^[+-]?\d+$/.test(label) || (looksLikeFile(path) && isName(label));
  return cut > 0 && isLabel ? [path, label] : [text, undefined];
}

function isName(word: string): boolean {
  return !looksLikeFile(word) && !word.includes('/');
}

function rowOfLine(line: number, text: string): ListRow {
  const [path, label] = splitLabel(text);
  const row: ListRow = { line, path: textFromLatin1(path) };
  return label === undefined ? row : { ...row, label: textFromLatin1(label) };
}

/** Blanks may stand in paths, so blanks between columns are clear only for `path` and `path label`. */
function checkHeader(text: string, list: string, line: number): void {
  const [first, second = 'label', ...more] = namedColumns(text.split(' '));
  const isKnown = first === 'path' && (second === 'label' || second === 'className');
  if (isKnown && more.length === 0) return;
  throw listSyntax(list, line, `columns "${text}" need commas or tabs between them`);
}
