/** Which errors are a sample's own, and how they are told. */

import { TubeletError, messageText } from '../core/index.ts';
import type { ErrorCode, ErrorDetails, PlainError } from '../core/index.ts';

/** Errors that stay with a sample; all others, such as a server that is down, end the run whatever the policy. */
const OF_A_SAMPLE: ReadonlySet<ErrorCode> = new Set([
  'TUBE_SAMPLE_DAMAGED',
  'TUBE_SAMPLE_SHAPE',
  'TUBE_SHARD_NOT_FOUND',
  'TUBE_SHARD_DAMAGED',
  'TUBE_DATASET_DAMAGED',
]);

/** Longest text of an error that crosses to the trainer. */
const MAX_TEXT = 200;

/** Whether a policy may pass over an error. */
export function isOfSample(error: unknown): error is TubeletError {
  return error instanceof TubeletError && OF_A_SAMPLE.has(error.code);
}

/** Plain and bounded form of anything thrown. */
export function shortError(error: unknown): PlainError {
  if (!(error instanceof TubeletError)) {
    return { code: 'TUBE_INTERNAL', details: { message: cut(messageText(error)) } };
  }
  const details: [string, ErrorDetails[string]][] = Object.entries(error.details)
    .slice(0, 6)
    .map(([name, value]) => [name, typeof value === 'string' ? cut(value) : value]);
  return { code: error.code, details: Object.fromEntries(details) };
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)} …`;
}
