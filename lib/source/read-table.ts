/** Lists in columns: CSV and TSV, with or without a header, read by `csv-parse` row by row. */

import { pipeline } from 'node:stream/promises';
import { CsvError, parse } from 'csv-parse';
import { PATH_NAMES, headerlessColumns, isHeader, namedColumns, rowOf } from './columns.ts';
import type { Column, ListRow } from './columns.ts';
import { MAX_LINE_BYTES, listSyntax, trimBlanks } from './list-text.ts';
import type { ListText } from './list-text.ts';
import { textFromLatin1 } from './path-text.ts';

interface ParsedRow {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/**
 * Yields the rows of a table.
 *
 * @throws {TubeletError} TUBE_LIST_SYNTAX
 */
export async function* readTable(text: ListText, delimiter: ',' | '\t'): AsyncGenerator<ListRow> {
  let columns: readonly (Column | undefined)[] | undefined;
  for await (const { record, info } of parseRows(text, delimiter)) {
    const fields = record.map((field) => textFromLatin1(trimBlanks(field)));
    if (fields.every((field) => field === '')) continue;
    if (columns === undefined) {
      columns = findColumns(fields, text.list, info.lines);
      if (isHeader(fields)) continue;
    }
    if (fields.slice(columns.length).some((field) => field !== '')) {
      const message = `${fields.length} fields in a row, ${columns.length} in the first; quote fields that hold a delimiter`;
      throw listSyntax(text.list, info.lines, message);
    }
    yield rowOf(info.lines, columns, fields);
  }
}

function findColumns(
  fields: readonly string[],
  list: string,
  line: number,
): readonly (Column | undefined)[] {
  if (isHeader(fields)) {
    const columns = namedColumns(fields);
    if (columns.includes('path')) return columns;
    const message = `no column for the path: none of ${fields.join(', ')} is one of ${PATH_NAMES}`;
    throw listSyntax(list, line, message);
  }
  const columns = headerlessColumns(fields.length);
  if (columns !== undefined) return columns;
  throw listSyntax(list, line, `${fields.length} columns need a header that names them`);
}

/** Fields stay one character per byte; the trimming of `csv-parse` is not used, for it is wrong for such text. */
async function* parseRows(text: ListText, delimiter: string): AsyncGenerator<ParsedRow> {
  const parser = parse({
    delimiter,
    encoding: 'latin1',
    comment: '#',
    comment_no_infix: true,
    info: true,
    max_record_size: MAX_LINE_BYTES,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    skip_empty_lines: true,
  });
  const feeding = pipeline(text.chunks, parser);
  // What goes wrong while feeding reaches the loop through the parser.
  feeding.catch(() => undefined);
  try {
    yield* parser as AsyncIterable<ParsedRow>;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw listSyntax(text.list, Number(error['lines'] ?? 0), error.message);
  } finally {
    parser.destroy();
    await feeding.catch(() => undefined);
  }
}
