/** What the columns of a list may be called, and what a row is once they are known. */

/** The columns that tubelet reads; all others are left alone. */
export type Column = 'path' | 'label' | 'className' | 'startSeconds' | 'endSeconds' | 'split';

/** A row of a list: texts as they stand, a column missing where the list has none. */
export type ListRow = { readonly line: number } & { [Name in Column]?: string };

/** Accepted names of each column; where a list has several of them the earliest here counts. */
const NAMES: Readonly<Record<Column, readonly string[]>> = {
  path: 'path file_path filepath video_path filename file video name'.split(' '),
  className: 'class class_name category action gloss'.split(' '),
  label: 'label label_id class_id target'.split(' '),
  startSeconds: 'start start_s start_sec start_seconds time_start t_start approx_start_s'.split(
    ' ',
  ),
  endSeconds: 'end end_s end_sec end_seconds time_end t_end approx_end_s'.split(' '),
  split: 'split subset set'.split(' '),
};
const COLUMNS = Object.keys(NAMES) as Column[];

/** Columns of a list without a header, by their number. */
const HEADERLESS: readonly (readonly Column[])[] = [
  [],
  ['path'],
  ['path', 'label'],
  ['path', 'label', 'split'],
  ['path', 'label', 'startSeconds', 'endSeconds'],
  ['path', 'label', 'startSeconds', 'endSeconds', 'split'],
];

/** The names of the path column, for messages. */
export const PATH_NAMES: string = NAMES.path.join(', ');

/** Says whether a text ends like the name of a file: `.mp4`, `.3gp`, but not `v1.0`. */
export function looksLikeFile(text: string): boolean {
  return /\.(?=\d?[a-z])[a-z0-9]{1,5}$/i.test(text);
}

/**
 * Finds the columns by name, in any case. A list with `label` and `label_id` and no class column has names in one of them and
 * ids in the other; the second one then stands in for the class column.
 */
export function namedColumns(names: readonly string[]): (Column | undefined)[] {
  const found: (Column | undefined)[] = names.map(() => undefined);
  const words = names.map((name) =>
    name
      .trim()
      .toLowerCase()
      .replaceAll(/[\s-]+/g, '_'),
  );
  for (const column of COLUMNS) {
    const [first, second] = NAMES[column]
      .map((word) => words.indexOf(word))
      .filter((at) => at >= 0);
    if (first !== undefined) found[first] = column;
    const isSecondName = column === 'label' && !found.includes('className');
    if (second !== undefined && isSecondName) found[second] = 'className';
  }
  return found;
}

/** Says whether the first row of a list is a header: it names a path column or two others, and no file. */
export function isHeader(fields: readonly string[]): boolean {
  const columns = namedColumns(fields).filter((column) => column !== undefined);
  return (columns.includes('path') || columns.length > 1) && !fields.some(looksLikeFile);
}

/** The columns of a list without a header; `undefined` if there are too many to know them. */
export function headerlessColumns(numFields: number): readonly Column[] | undefined {
  return HEADERLESS[numFields];
}

/** Puts the fields of a row under the names of their columns. */
export function rowOf(
  line: number,
  columns: readonly (Column | undefined)[],
  fields: readonly string[],
): ListRow {
  const row: ListRow = { line };
  for (const [at, column] of columns.entries()) {
    if (column !== undefined) row[column] = fields[at] ?? '';
  }
  return row;
}
