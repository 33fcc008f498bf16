/** Finds in a stack which tfjs operation was called, and from which line of the user's code. */

import { fileURLToPath } from 'node:url';

const OUR_FOLDER = fileURLToPath(new URL('..', import.meta.url));
const FRAMES = 60;

/** Where a forbidden thing was done. */
export interface CallSite {
  /** The operation as the user wrote it, such as `Tensor.dataSync` or `randomUniform`. */
  readonly operation: string;
  /** `file:line:column` of the user's code, or `unknown`. */
  readonly at: string;
  /** Every function between the user's code and here, outermost last. */
  readonly calls: readonly string[];
}

/** Looks at the stack of its caller. `fallback` names the operation where no tfjs function is on the way. */
export function findCallSite(fallback: string): CallSite {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES;
  const lines = (new Error('where').stack ?? '').split('\n').slice(1);
  Error.stackTraceLimit = limit;
  const calls: string[] = [];
  for (const line of lines) {
    const { name, place } = parseFrame(line);
    if (isTfjs(place)) calls.push(name.replace(/^Module\./u, '').replace(/_+(?:op)?$/u, ''));
    else if (!isOurs(place)) {
      return { operation: calls.at(-1) ?? fallback, at: place, calls };
    }
  }
  return { operation: calls.at(-1) ?? fallback, at: 'unknown', calls };
}

/** `at name (place)` or `at place`. */
function parseFrame(line: string): { readonly name: string; readonly place: string } {
  const match =
    /^\s*at (?:async )?(?:(?<name>.+?) (?:\[as [^\]]+\] )?\()?(?<place>[^()]+?)\)?$/u.exec(line);
  const place = match?.groups?.['place'] ?? line;
  const name = (match?.groups?.['name'] ?? '').replace(/^new /u, '');
  return { name, place: place.startsWith('file:') ? fromUrl(place) : place };
}

function fromUrl(place: string): string {
  const match = /^(?<url>.*?)(?<position>:\d+:\d+)?$/u.exec(place);
  return `${fileURLToPath(match?.groups?.['url'] ?? place)}${match?.groups?.['position'] ?? ''}`;
}

function isTfjs(place: string): boolean {
  return /node_modules[\\/]@tensorflow[\\/]/u.test(place);
}

function isOurs(place: string): boolean {
  return place.startsWith(OUR_FOLDER) || place.startsWith('node:');
}
