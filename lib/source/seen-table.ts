/**
 * Remembers which videos a list has named: a hash table with open addressing in one typed array, 16 bytes a slot, 21 to 43
 * bytes an entry. A `Map` of strings would take ten times that.
 */

import { hash } from 'node:crypto';

const FIRST_CAPACITY = 1024;
const MAX_LOAD = 0.75;
/** Words of a slot: id (two), hash of the content, line; line 0 marks an empty slot. */
const WORDS = 4;

/** An earlier row with the same id. */
interface EarlierRow {
  /** Its line in the list, from 1. */
  readonly line: number;
  /** Whether it says the same. */
  readonly isSame: boolean;
}

/** What {@link createSeenTable} gives. */
export interface SeenTable {
  /**
   * Remembers a row, unless one with the same id stands earlier: then that one is returned.
   *
   * @param id 16 hexadecimal digits, evenly spread
   * @param content everything that rows with the same id must agree on
   * @param line from 1
   */
  remember(id: string, content: string, line: number): EarlierRow | undefined;
}

/** Makes an empty table. */
export function createSeenTable(): SeenTable {
  let slots = new Uint32Array(FIRST_CAPACITY * WORDS);
  let numRows = 0;
  return {
    remember(id, content, line) {
      const high = Number.parseInt(id.slice(0, 8), 16);
      const low = Number.parseInt(id.slice(8), 16);
      const contentHash = Number.parseInt(hash('sha256', content, 'hex').slice(0, 8), 16);
      const at = findSlot(slots, high, low);
      const earlierLine = slots[at + 3] ?? 0;
      if (earlierLine !== 0) return { line: earlierLine, isSame: slots[at + 2] === contentHash };
      slots.set([high, low, contentHash, line], at);
      numRows += 1;
      if (numRows > (slots.length / WORDS) * MAX_LOAD) slots = grow(slots);
      return undefined;
    },
  };
}

/** Where the id stands, or the empty slot where it belongs. */
function findSlot(slots: Uint32Array, high: number, low: number): number {
  const mask = slots.length / WORDS - 1;
  let slot = low & mask;
  while (slots[slot * WORDS + 3] !== 0) {
    if (slots[slot * WORDS] === high && slots[slot * WORDS + 1] === low) break;
    slot = (slot + 1) & mask;
  }
  return slot * WORDS;
}

function grow(slots: Uint32Array): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(slots.length * 2);
  for (let at = 0; at < slots.length; at += WORDS) {
    if (slots[at + 3] === 0) continue;
    grown.set(slots.subarray(at, at + WORDS), findSlot(grown, slots[at] ?? 0, slots[at + 1] ?? 0));
  }
  return grown;
}
