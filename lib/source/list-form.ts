/**
 * The forms of lists, and which one a list has. A new form (the annotation files of another dataset) is one reader in a file of
 * its own, one line in the table, and one line in `detectForm` if it can be told from its beginning.
 */

import { extname } from 'node:path';
import { isHeader, looksLikeFile } from './columns.ts';
import type { ListRow } from './columns.ts';
import { isContent, listSyntax, trimBlanks } from './list-text.ts';
import type { ListText } from './list-text.ts';
import { readJsonLines } from './read-json-lines.ts';
import { readPathLines, splitLabel } from './read-path-lines.ts';
import { readTable } from './read-table.ts';

/** Reads the rows of a list of one form. */
export type ListReader = (text: ListText) => AsyncGenerator<ListRow>;

/** A form of lists. */
export type ListForm = 'csv' | 'tsv' | 'lines' | 'jsonl';

/** The reader of each form. */
export const READERS: Readonly<Record<ListForm, ListReader>> = {
  csv: (text) => readTable(text, ','),
  tsv: (text) => readTable(text, '\t'),
  lines: readPathLines,
  jsonl: readJsonLines,
};

/** How many lines are looked at. */
const MAX_SAMPLE = 100;

/**
 * Tells the form of a list from its beginning and its extension. Content comes first: VideoMAE's `train.csv` has no comma.
 *
 * @param head the first bytes, a whole list or at least some lines of it
 * @throws {TubeletError} TUBE_LIST_SYNTAX if it is no text
 */
export function detectForm(head: Buffer, list: string): ListForm {
  if (head.includes(0)) throw listSyntax(list, 1, 'not a text file');
  const extension = extname(list).toLowerCase();
  const lines = sampleLines(head);
  const first = lines[0] ?? '';
  if (['.jsonl', '.ndjson', '.json'].includes(extension) || first.startsWith('{')) return 'jsonl';
  if (extension === '.tsv' || first.includes('\t')) return 'tsv';
  const isTable = first.includes(',') || extension === '.csv';
  if (isTable && isHeader(first.split(','))) return 'csv';
  const numCsv = lines.filter(isCsvLine).length;
  return numCsv > 0 && numCsv * 2 >= lines.length ? 'csv' : 'lines';
}

/** Whole lines that hold something; the last one may have been cut. */
function sampleLines(head: Buffer): string[] {
  const lines = head
    .toString('latin1')
    .split(/\r\n|\n|\r/)
    .map(trimBlanks);
  const whole = lines.length > 1 ? lines.slice(0, -1) : lines;
  return whole.filter(isContent).slice(0, MAX_SAMPLE);
}

/** Says whether the comma of a line parts columns; in a path, or before `path label`, it does not. */
function isCsvLine(line: string): boolean {
  if (line.startsWith('"')) return true;
  const [first = '', ...more] = line.split(',');
  if (more.length === 0) return false;
  if (looksLikeFile(first.trimEnd())) return true;
  return !looksLikeFile(more.at(-1) ?? '') && splitLabel(line)[1] === undefined;
}
