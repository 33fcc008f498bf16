/** Errors as a person reads them: what happened, where, what to do. */

import { TubeletError } from '../lib/index.ts';

/** Prints an error to stderr. */
export function printFailure(error: unknown, withStack = false): void {
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${text}\n`);
  if (error instanceof TubeletError) process.stderr.write(`${error.hint}\n`);
  if (withStack && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
}
