/** Finds in a stack which tfjs operation was called, and from which line of the user's code. */

import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const FRAMES = 60;

/** Where a forbidden thing was done. */
export interface CallSite {
  /** The operation as the user wrote it, such as `Tensor.dataSync` or `randomUniform`. */
  readonly operation: string;
  /** `file:line:column` of the user's code, or `unknown`. */
  readonly at: string;
  /** Every function between the user's code and here, outermost last. */
  readonly calls: readonly string[];
  /** Their files, in the same order. */
  readonly files: readonly string[];
}

/** Looks at the stack of its caller. `fallback` names the operation where no tfjs function is on the way. */
export function findCallSite(fallback: string): CallSite {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES;
  const lines = (new Error('where').stack ?? '').split('\n').slice(1);
  Error.stackTraceLimit = limit;
  const calls: string[] = [];
  const files: string[] = [];
  const frames = lines.map(parseFrame);
  // Source maps may have moved us: our own folder is that of the first frame, two up.
  const ours = dirname(dirname(frames[0]?.place ?? ''));
  for (const { name, place } of frames) {
    if (isTfjs(place)) {
      files.push(place);
      if (!isPlumbing(name)) calls.push(cleanName(name));
    } else if (!place.startsWith(ours) && !isNative(place)) {
      return { operation: calls.at(-1) ?? fallback, at: place, calls, files };
    }
  }
  return { operation: calls.at(-1) ?? fallback, at: 'unknown', calls, files };
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

/** What compilers leave between a function and its caller. */
function isPlumbing(name: string): boolean {
  return /^(?:.*<anonymous>|step|.*\.next|__awaiter|__generator)?$/u.test(name);
}

/** `Tensor.Tensor.data` and `Module.add__op` become `Tensor.data` and `add`. */
function cleanName(name: string): string {
  return name
    .replace(/^(?<owner>\w+)\.\k<owner>\./u, '$<owner>.')
    .replace(/^Module\./u, '')
    .replace(/_+(?:op)?$/u, '');
}

function isNative(place: string): boolean {
  return place.startsWith('node:') || place === '<anonymous>' || place === 'native';
}

/** Also where a source map shows tfjs as the files that it was made from. */
function isTfjs(place: string): boolean {
  return /[\\/](?:@tensorflow[\\/]tfjs|tslib[\\/]|tfjs-[a-z]+[\\/]src[\\/])/u.test(place);
}
