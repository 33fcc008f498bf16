/** The lines of a file that may end in the middle of one. */

import { createReadStream } from 'node:fs';

/** A whole line. */
export interface FileLine {
  readonly text: string;
  /** Offset of the first byte. */
  readonly start: number;
  /** Offset behind the newline. */
  readonly end: number;
}

const NEWLINE = 0x0a;

/** Gives the lines that end with a newline, in order; what stands behind the last newline is left out. */
export async function* scanLines(path: string): AsyncGenerator<FileLine> {
  let rest: Uint8Array[] = [];
  let start = 0;
  let end = 0;
  for await (const block of createReadStream(path)) {
    let bytes = block as Buffer;
    for (;;) {
      const newline = bytes.indexOf(NEWLINE);
      if (newline === -1) break;
      const line = Buffer.concat([...rest, bytes.subarray(0, newline)]);
      rest = [];
      end = start + line.length + 1;
      yield { text: line.toString('utf8'), start, end };
      start = end;
      bytes = bytes.subarray(newline + 1);
    }
    if (bytes.length > 0) rest.push(bytes);
  }
}
