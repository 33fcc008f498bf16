/**
 * The few calls into FFmpeg that every file of this room shares, and the messages FFmpeg logs while it works.
 *
 * node-av 6.1.1 has calls that crash or lie; this room keeps to the low-level synchronous ones that were tried on hundreds of
 * real and broken files. In particular: no options dictionary for `open2Sync` (it corrupts the heap), no `frame.data` kept
 * beyond the next call, no scaler outside a filter graph (it ignores colour tags).
 */

import { setImmediate } from 'node:timers/promises';
import { AV_LOG_QUIET, AV_LOG_ERROR } from 'node-av/constants';
import { FFmpegError, Log } from 'node-av/lib';

/** Gives a non-negative result code back; a negative one is thrown as an `FFmpegError`. */
export function check(code: number, operation: string): number {
  FFmpegError.throwIfError(code, operation);
  return code;
}

/** FFmpeg's own words for an error code. */
export function errorText(code: number): string {
  return FFmpegError.strerror(code);
}

const MAX_MESSAGES = 5;
const MARKER = 'tubelet: end of messages';
const MAX_TURNS = 1000;
const messages = new Set<string>();
let markersSeen = 0;
let isListening = false;

/**
 * Keeps what FFmpeg logs (errors and worse) instead of printing it. The log belongs to the whole process, so only one video may
 * be read at a time where messages matter (as in a worker process).
 */
export function listenToMessages(): void {
  if (isListening) return;
  isListening = true;
  Log.setLevel(AV_LOG_ERROR);
  Log.setCallback(
    (_level, message) => {
      if (message.includes(MARKER)) markersSeen++;
      else if (messages.size < MAX_MESSAGES) messages.add(tidy(message));
    },
    { maxLevel: AV_LOG_ERROR },
  );
}

/** Makes FFmpeg silent unless somebody listens. */
export function silence(): void {
  if (!isListening) Log.setLevel(AV_LOG_QUIET);
}

/**
 * The first few different messages since the last call, in the order of their first appearance. Messages arrive some turns of the
 * event loop late; a marker sent behind them tells when all are there.
 */
export async function takeMessages(): Promise<string[]> {
  if (!isListening) return [];
  const awaited = markersSeen + 1;
  Log.log(AV_LOG_ERROR, MARKER);
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    if (markersSeen >= awaited) break;
    await setImmediate();
  }
  const taken = [...messages];
  messages.clear();
  return taken;
}

/** Addresses of structures differ from run to run and would make equal failures look different. */
function tidy(message: string): string {
  return message.replaceAll(/ @ 0x[0-9a-f]+/g, '').trim();
}
