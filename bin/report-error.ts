/** Errors as a person reads them: what happened, where, what to do. */

import { TubeletError } from '../lib/index.ts';

/** Prints an error to stderr. */
export function printFailure(error: unknown, withStack = false): void {
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${text}\n`);
  if (error instanceof TubeletError) process.stderr.write(`${error.hint}\n`);
  if (withStack && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
}

/** An error for machines: `--json` prints it on stdout in the place of a result. */
export function errorJson(error: unknown): object {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof TubeletError)) return { error: { code: null, message } };
  const { code, details, hint } = error;
  return { error: { code, message, hint, details } };
}
