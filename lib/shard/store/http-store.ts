/** A dataset on a web server: range requests, retries, and a watch over files that change while they are read. */

import { TubeletError, messageText } from '../../core/index.ts';
import { isChanged, readPartRange, readState, temporaryError } from './http-answer.ts';
import type { RemoteState } from './http-answer.ts';
import { createLimit } from './limit.ts';
import { copyInto, countParts, sliceParts } from './parts.ts';
import { TemporaryError, withRetries } from './retry.ts';
import type { Attempt, RetryPolicy } from './retry.ts';
import {
  MAX_FILE_BYTES,
  REMOTE_FAILED,
  badFile,
  checkSize,
  closedStore,
  missingFile,
  shortFile,
} from './store.ts';
import type { FileState, ReadOptions, ShardStore } from './store.ts';

/** How the server is asked. */
export interface HttpOptions extends RetryPolicy {
  /** Requests under way at the same time. */
  readonly maxRequests: number;
  /** Headers of every request, such as `authorization`. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Largest file that a server without range requests may have: all of it is sent for every read. */
const MAX_WHOLE_BYTES = MAX_FILE_BYTES;

/** The files below a URL. Closing it breaks off the requests that are under way. */
export class HttpStore implements ShardStore {
  readonly location: string;
  readonly #base: URL;
  readonly #headers: Headers;
  readonly #policy: RetryPolicy;
  readonly #limit: ReturnType<typeof createLimit>;
  /** What the first answer about each file said; all later ones must agree. */
  readonly #states = new Map<string, RemoteState>();
  readonly #requests = new Set<AbortController>();
  #isClosed = false;

  constructor(base: URL, options: HttpOptions) {
    this.#base = new URL(base);
    this.#headers = makeHeaders(this.#base, options.headers);
    this.#base.username = this.#base.password = this.#base.hash = '';
    this.#base.pathname = this.#base.pathname.replace(/\/+$/, '');
    this.location = `${this.#base.origin}${this.#base.pathname.replace(/\/$/, '')}`;
    this.#policy = options;
    this.#limit = createLimit(options.maxRequests);
  }

  async describe(name: string, { fileBytes }: ReadOptions = {}): Promise<FileState> {
    const known = this.#states.get(name);
    const state = known ?? (await this.#request(name, (attempt) => this.#probe(name, attempt)));
    checkSize(this.#path(name), name, { bytes: state.bytes, fileBytes });
    if (state.bytes === null) throw this.#refuse(name, 'the server does not tell the size');
    return { bytes: state.bytes, version: state.etag ?? state.modified };
  }

  async readFile(name: string): Promise<Uint8Array> {
    return this.#request(name, async (attempt) => {
      const answer = await this.#get(name, attempt);
      if (answer.status !== 200) throw this.#refuse(name, `HTTP ${answer.status}`);
      this.#note(name, readState(answer));
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      for await (const chunk of chunksOf(answer, attempt)) {
        bytes += chunk.length;
        if (bytes > MAX_FILE_BYTES) throw badFile(this.#path(name), name, 'it is too large');
        chunks.push(chunk);
      }
      return Buffer.concat(chunks);
    });
  }

  async read(
    name: string,
    offset: number,
    into: readonly Uint8Array[],
    { fileBytes }: ReadOptions = {},
  ): Promise<void> {
    const bytes = countParts(into);
    const end = offset + bytes;
    let filled = 0; // Kept over attempts: what has arrived is not asked for again.
    const known = this.#states.get(name);
    if (known !== undefined) this.#checkRange(name, known, { end, fileBytes });
    if (bytes === 0) return;
    await this.#request(name, async (attempt) => {
      const start = offset + filled;
      const answer = await this.#get(name, attempt, `bytes=${start}-${end - 1}`);
      const state = this.#note(name, readState(answer));
      this.#checkRange(name, state, { end, fileBytes });
      let skip = this.#startOf(name, answer, { start, end, state });
      for await (const chunk of chunksOf(answer, attempt)) {
        const wanted = chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - wanted.length;
        const used = wanted.subarray(0, bytes - filled);
        copyInto(sliceParts(into, filled, filled + used.length), used);
        filled += used.length;
        // A part is read to its end, which leaves the connection open for the next request.
        if (filled === bytes && (answer.status === 200 || used.length < wanted.length)) break;
      }
      if (filled < bytes) throw new TemporaryError('the answer ended early');
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const request of this.#requests) request.abort(closedStore());
  }

  /** Runs one request, all its attempts included, when its turn comes. */
  async #request<T>(name: string, once: (attempt: Attempt) => Promise<T>): Promise<T> {
    return this.#limit(async () => {
      if (this.#isClosed) throw closedStore();
      const controller = new AbortController();
      this.#requests.add(controller);
      try {
        return await withRetries(once, this.#policy, controller.signal);
      } catch (error) {
        if (error instanceof TubeletError || controller.signal.aborted) throw error;
        const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
        throw this.#refuse(name, messageText(cause), error);
      } finally {
        this.#requests.delete(controller);
      }
    });
  }

  async #get(name: string, { signal, touch }: Attempt, range?: string): Promise<Response> {
    const headers = new Headers(this.#headers);
    if (range !== undefined) headers.set('range', range);
    const answer = await fetch(this.#url(name), { headers, signal });
    touch();
    const { status } = answer;
    if (status === 404 || status === 410) throw missingFile(this.#path(name), name);
    const temporary = temporaryError(answer);
    if (temporary !== null) throw temporary;
    if (![200, 206, 416].includes(status)) throw this.#refuse(name, `HTTP ${status}`);
    const encoding = answer.headers.get('content-encoding') ?? 'identity';
    if (encoding !== 'identity') throw this.#refuse(name, `the server sends it as ${encoding}`);
    return answer;
  }

  /** Asks for one byte, which every server with range requests answers with the size; not all of them know HEAD. */
  async #probe(name: string, attempt: Attempt): Promise<RemoteState> {
    return this.#note(name, readState(await this.#get(name, attempt, 'bytes=0-0')));
  }

  #note(name: string, state: RemoteState): RemoteState {
    const known = this.#states.get(name) ?? state;
    if (isChanged(known, state)) {
      throw badFile(this.#path(name), name, 'it changed on the server while it was read');
    }
    this.#states.set(name, known);
    return known;
  }

  #checkRange(
    name: string,
    state: RemoteState,
    { end, fileBytes }: { end: number; fileBytes: number | undefined },
  ): void {
    checkSize(this.#path(name), name, { bytes: state.bytes, fileBytes });
    if (state.bytes !== null && end > state.bytes) throw shortFile(this.#path(name));
  }

  /** Where in the body of an answer the wanted bytes start. */
  #startOf(
    name: string,
    answer: Response,
    { start, end, state }: { start: number; end: number; state: RemoteState },
  ): number {
    if (answer.status === 200) {
      if (state.bytes !== null && state.bytes <= MAX_WHOLE_BYTES) return start;
      throw this.#refuse(name, 'the server has no range requests, and the file is large');
    }
    const range = answer.status === 206 ? readPartRange(answer) : null;
    if (range?.first === start && range.last === end - 1) return 0;
    throw this.#refuse(name, 'the server sent another range than the one asked for');
  }

  #url(name: string): URL {
    const url = new URL(this.#base);
    url.pathname = `${url.pathname.replace(/\/$/, '')}/${encodeURIComponent(name)}`;
    return url;
  }

  #path(name: string): string {
    return `${this.location}/${name}`;
  }

  #refuse(name: string, message: string, cause?: unknown): TubeletError {
    return new TubeletError(REMOTE_FAILED, { path: this.#path(name), message }, { cause });
  }
}

/** `fetch` takes no user name in a URL; compressed answers have no ranges. */
function makeHeaders(
  { username, password }: URL,
  given: Readonly<Record<string, string>>,
): Headers {
  const headers = new Headers({ 'accept-encoding': 'identity' });
  if (username !== '' || password !== '') {
    const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    headers.set('authorization', `Basic ${Buffer.from(login).toString('base64')}`);
  }
  for (const [name, value] of Object.entries(given)) headers.set(name, value);
  return headers;
}

async function* chunksOf({ body }: Response, { touch }: Attempt): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  for await (const chunk of body) {
    touch();
    yield chunk as Uint8Array;
  }
}
