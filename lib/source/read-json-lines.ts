/** Lists of one JSON object a line, with the same names as the columns of a table. */

import { messageText } from '../core/index.ts';
import { namedColumns, rowOf } from './columns.ts';
import type { Column, ListRow } from './columns.ts';
import { listSyntax, readLines } from './list-text.ts';
import type { ListText } from './list-text.ts';
import { textFromLatin1 } from './path-text.ts';

/**
 * Yields the rows of a list of JSON objects.
 *
 * @throws {TubeletError} TUBE_LIST_SYNTAX
 */
export async function* readJsonLines(list: ListText): AsyncGenerator<ListRow> {
  // Objects of one list mostly have the same names in the same order: the columns are found once.
  let names = '';
  let columns: (Column | undefined)[] = [];
  for await (const { line, text } of readLines(list)) {
    const fields = parseFields(text, list.list, line);
    const keys = [...fields.keys()];
    if (names !== keys.join('\0')) {
      names = keys.join('\0');
      columns = namedColumns(keys);
    }
    const texts = [...fields.values()].map((value, at) => {
      if (columns[at] === undefined) return '';
      if (typeof value === 'string') return value;
      if (typeof value === 'number') return String(value);
      throw listSyntax(list.list, line, `"${keys[at]}" must be a text or a number`);
    });
    yield rowOf(line, columns, texts);
  }
}

/** The members of an object that are not `null`. */
function parseFields(text: string, list: string, line: number): Map<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(textFromLatin1(text));
  } catch (error) {
    throw listSyntax(list, line, messageText(error));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw listSyntax(list, line, 'not a JSON object');
  }
  return new Map(Object.entries(value).filter(([, member]) => member !== null));
}
