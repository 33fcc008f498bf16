/** What the headers of an HTTP answer say about a file. Source: RFC 9110, sections 8.8, 10.2.3, 14.4 and 15. */

import { TemporaryError } from './retry.ts';

/** State of a file on a server. */
export interface RemoteState {
  /** Size of the whole file; null if the server does not tell. */
  readonly bytes: number | null;
  readonly etag: string | null;
  readonly modified: string | null;
}

/** The bytes that an answer with a part holds: `first` to `last`, both included. */
export interface PartRange {
  readonly first: number;
  readonly last: number;
}

/** Reads the state of the file from an answer with status 200, 206 or 416. */
export function readState({ status, headers }: Response): RemoteState {
  const total =
    status === 200
      ? headers.get('content-length')
      : /^bytes .*\/(\d+)$/i.exec(headers.get('content-range') ?? '')?.[1];
  return {
    bytes: total === null || total === undefined ? null : Number(total),
    etag: headers.get('etag')?.replace(/^W\//, '') ?? null,
    modified: headers.get('last-modified'),
  };
}

/** Reads which bytes an answer with status 206 holds; null if it does not tell. */
export function readPartRange({ headers }: Response): PartRange | null {
  const match = /^bytes (\d+)-(\d+)\/\d+$/i.exec(headers.get('content-range') ?? '');
  return match === null ? null : { first: Number(match[1]), last: Number(match[2]) };
}

/**
 * Says whether two answers speak of different contents. An answer may lack a header that another one has, so only headers that
 * both have are compared; entity tags count more than dates.
 */
export function isChanged(a: RemoteState, b: RemoteState): boolean {
  const hasTags = a.etag !== null && b.etag !== null;
  return (
    isDifferent(a.bytes, b.bytes) ||
    isDifferent(a.etag, b.etag) ||
    (!hasTags && isDifferent(a.modified, b.modified))
  );
}

function isDifferent<T>(a: T | null, b: T | null): boolean {
  return a !== null && b !== null && a !== b;
}

/** The error for a status that may pass: time-out, too many requests, trouble inside the server; null for all others. */
export function temporaryError({ status, headers }: Response): TemporaryError | null {
  if (status !== 408 && status !== 429 && status < 500) return null;
  return new TemporaryError(`HTTP ${status}`, readRetryAfter(headers));
}

/** Seconds to wait; a date counts from the server's own clock. 0 if the server does not tell. */
function readRetryAfter(headers: Headers): number {
  const text = headers.get('retry-after') ?? '';
  if (/^\d+$/.test(text)) return Number(text);
  const seconds = (Date.parse(text) - Date.parse(headers.get('date') ?? '')) / 1000;
  return Number.isFinite(seconds) ? Math.max(seconds, 0) : 0;
}
