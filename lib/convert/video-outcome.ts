/** What became of each video, for the sidecar: samples, or a failure with its reason, and warnings. */

import { TubeletError, describeError } from '../core/index.ts';
import type { ErrorCode } from '../core/index.ts';
import { displayPath } from '../source/index.ts';
import type { VideoRef } from '../source/index.ts';
import type { VideoFailure } from '../shard/index.ts';

/** Where in the conversion of a video something failed. */
type Stage = 'open' | 'decode' | 'sample';

const STAGES: Readonly<Partial<Record<ErrorCode, Stage>>> = {
  TUBE_FILE_NOT_FOUND: 'open',
  TUBE_FILE_UNREADABLE: 'open',
  TUBE_NOT_VIDEO: 'open',
  TUBE_NO_VIDEO_STREAM: 'open',
  TUBE_NO_DECODER: 'open',
  TUBE_EMPTY_SPAN: 'sample',
  TUBE_VIDEO_TOO_SHORT: 'sample',
};

/** Failures that are the video's own; any other error ends the conversion. */
const VIDEO_FAULTS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'TUBE_FILE_NOT_FOUND',
  'TUBE_FILE_UNREADABLE',
  'TUBE_NOT_VIDEO',
  'TUBE_NO_VIDEO_STREAM',
  'TUBE_NO_DECODER',
  'TUBE_NO_FRAMES',
  'TUBE_EMPTY_SPAN',
  'TUBE_FRAME_TOO_LARGE',
  'TUBE_VIDEO_TOO_SHORT',
  'TUBE_DECODE_TIMEOUT',
  'TUBE_DECODE_CRASH',
  'TUBE_DECODE_MEMORY',
  'TUBE_INTERNAL', // a mistake of ours over one video is no reason to lose the others
]);

/** Words for `--retry`, and the codes they stand for. */
export const RETRY_CODES = {
  timeout: 'TUBE_DECODE_TIMEOUT',
  crash: 'TUBE_DECODE_CRASH',
  memory: 'TUBE_DECODE_MEMORY',
  missing: 'TUBE_FILE_NOT_FOUND',
  unreadable: 'TUBE_FILE_UNREADABLE',
} as const;

/** A word for `--retry`. */
export type RetryReason = keyof typeof RETRY_CODES;

/** Whether an error is a fault of one video and not of the disk, the folder or the program. */
export function isVideoFault(error: unknown): error is TubeletError {
  return error instanceof TubeletError && VIDEO_FAULTS.has(error.code);
}

/** The record of a video that gave nothing. */
export function failureOf({ path, id }: VideoRef, { code, details }: TubeletError): VideoFailure {
  const facts = Object.entries(details)
    .filter(([name, value]) => value !== null && name !== 'message' && name !== 'decoder')
    .map(([name, value]) => `${name} ${String(value)}`);
  const { what } = describeError(code);
  const words = [what, details['message'], ...facts, details['decoder']].filter(
    (word) => word !== undefined && word !== null,
  );
  return {
    path: displayPath(path),
    id,
    stage: STAGES[code] ?? 'decode',
    code,
    message: words.join('; '),
  };
}
