/**
 * Turns label texts into class ids. What a column means is known only when all its rows are: a label column of integers
 * holds ids, any other holds names, which are numbered in the order of their bytes.
 */

import { TubeletError } from '../core/index.ts';
import type { ErrorDetails } from '../core/index.ts';
import { bytesFromText, displayPath } from './path-text.ts';

const INTEGER = /^[+-]?\d{1,15}(?:\.0*)?$/;

/** The label texts of one entry. */
interface LabelTexts {
  readonly label: string | null;
  readonly className: string | null;
}

/** Class id and name of one entry. */
interface ClassOfVideo {
  readonly label: number | null;
  readonly className: string | null;
}

/** The finished book. */
export interface ClassTable {
  /** Names by class id; empty if the source gives no names, or ids that are not 0 … n - 1. */
  readonly classes: readonly string[];
  classOf(texts: LabelTexts): ClassOfVideo;
}

/** What {@link createClassBook} gives: noting every entry first, then the table. */
export interface ClassBook {
  note(texts: LabelTexts, line: number): void;
  /** @throws {TubeletError} TUBE_LIST_CONFLICT if ids and names are both given and do not pair up one to one */
  finish(list: string): ClassTable;
}

/** The texts of a column, each with the text of the other column that goes with it. */
type LabelColumn = Map<string, string | null>;
type Columns = Readonly<Record<keyof LabelTexts, LabelColumn>>;
const COLUMN_NAMES: readonly (keyof LabelTexts)[] = ['label', 'className'];

/**
 * Makes an empty book.
 *
 * @param canHoldIds `false` takes every text for a name: a class folder called `7` is not class id 7
 */
export function createClassBook(canHoldIds: boolean): ClassBook {
  const columns: Columns = { label: new Map(), className: new Map() };
  let conflict: ErrorDetails | undefined;
  return {
    note({ label, className }, line) {
      const isLabelPaired = pair(columns.label, label, className);
      const isNamePaired = pair(columns.className, className, label);
      if (isLabelPaired && isNamePaired) return;
      conflict ??= { line, message: `label ${label} against class ${className}` };
    },
    finish(list) {
      const ids = canHoldIds ? COLUMN_NAMES.find((name) => areIntegers(columns[name])) : undefined;
      if (ids === undefined) {
        const names = columns.label.size > 0 ? 'label' : 'className';
        return nameTable(columns[names], names);
      }
      if (conflict === undefined) return idTable(columns[ids], ids);
      throw new TubeletError('TUBE_LIST_CONFLICT', { list: displayPath(list), ...conflict });
    },
  };
}

function areIntegers(column: LabelColumn): boolean {
  return column.size > 0 && [...column.keys()].every((text) => INTEGER.test(text));
}

/** Notes which text of the other column goes with a text; `false` if it went with another one before. */
function pair(column: LabelColumn, text: string | null, other: string | null): boolean {
  if (text === null) return true;
  const earlier = column.get(text) ?? null;
  if (earlier === null) column.set(text, other);
  return earlier === null || other === null || earlier === other;
}

/** Ids as they are given, with the names of the other column. */
function idTable(column: LabelColumn, ids: keyof LabelTexts): ClassTable {
  const names = ids === 'label' ? 'className' : 'label';
  const named = new Map([...column].map(([text, name]) => [Number(text), name]));
  const classes = Array.from({ length: named.size }, (_, id) => named.get(id) ?? null);
  return {
    classes: classes.some((name) => name === null) ? [] : (classes as string[]),
    classOf(texts) {
      const id = texts[ids];
      return { label: id === null ? null : Number(id), className: texts[names] };
    },
  };
}

/** Ids given to the names of a column in the order of their bytes. */
function nameTable(column: LabelColumn, names: keyof LabelTexts): ClassTable {
  const classes = [...column.keys()]
    .map((name) => ({ name, bytes: bytesFromText(name) }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ name }) => name);
  const ids = new Map(classes.map((name, id) => [name, id]));
  return {
    classes,
    classOf(texts) {
      const className = texts[names];
      return { label: className === null ? null : (ids.get(className) ?? null), className };
    },
  };
}
