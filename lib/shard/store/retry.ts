/**
 * Tries a request again when the network or the server fails for a while.
 *
 * Source: exponential backoff with equal jitter, as the AWS architecture blog describes it; Retry-After from RFC 9110.
 */

import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { TubeletError } from '../../core/index.ts';

/** How patient requests are. */
export interface RetryPolicy {
  /** Longest silence of the server within one attempt, in seconds. */
  readonly stallSeconds: number;
  /** Attempts after the first. */
  readonly maxRetries: number;
  /** Pause before the first retry, in seconds; each further one is twice as long, up to 20 seconds. */
  readonly retryDelaySeconds: number;
}

/** One attempt at a request. */
export interface Attempt {
  /** Fires when the server is silent for too long, when the caller gives up, and when the attempt is over. */
  readonly signal: AbortSignal;
  /** Tells that the server is alive: its time starts anew. */
  readonly touch: () => void;
}

/** What failed for now and may be tried again; everything else but network errors is final. */
export class TemporaryError extends Error {
  /** Pause that the server asks for. */
  readonly retryAfterSeconds: number;

  constructor(message: string, retryAfterSeconds = 0) {
    super(message);
    this.name = 'TemporaryError';
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

const MAX_DELAY_SECONDS = 20;
const MAX_RETRY_AFTER_SECONDS = 60;

/**
 * Calls `once` until it succeeds. A `TubeletError` is final; the last of all other errors comes out when the retries are used up.
 *
 * @throws the reason of `signal` when it fires
 */
export async function withRetries<T>(
  once: (attempt: Attempt) => Promise<T>,
  policy: RetryPolicy,
  signal: AbortSignal,
): Promise<T> {
  for (let number = 0; ; number++) {
    signal.throwIfAborted();
    try {
      return await withStallLimit(once, policy.stallSeconds, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof TubeletError || number >= policy.maxRetries) throw error;
      const pause = delaySeconds(error, number, policy.retryDelaySeconds) * 1000;
      await sleep(pause, undefined, { signal }).catch(() => {}); // Aborted: seen at the start of the loop.
    }
  }
}

async function withStallLimit<T>(
  once: (attempt: Attempt) => Promise<T>,
  stallSeconds: number,
  signal: AbortSignal,
): Promise<T> {
  const ending = new AbortController();
  const timer = setTimeout(() => {
    ending.abort(new Error(`the server was silent for ${stallSeconds} s`));
  }, stallSeconds * 1000);
  try {
    return await once({
      signal: AbortSignal.any([signal, ending.signal]),
      touch: () => void timer.refresh(),
    });
  } finally {
    clearTimeout(timer);
    ending.abort(); // Gives up a body that was not read to its end, and its connection.
  }
}

/** Half of the pause is random, so that clients that failed together do not come back together. */
function delaySeconds(error: unknown, number: number, first: number): number {
  const wanted = error instanceof TemporaryError ? error.retryAfterSeconds : 0;
  const full = Math.min(first * 2 ** number, MAX_DELAY_SECONDS);
  const jittered = (full * (1 + randomInt(0, 1001) / 1000)) / 2;
  return Math.max(jittered, Math.min(wanted, MAX_RETRY_AFTER_SECONDS));
}
