/** A real web server with files in memory, which counts its requests and can be told to misbehave. */

import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';

/** One request as the server saw it. */
export interface SeenRequest {
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

/** A running server. */
export interface FileServer {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly port: number;
  readonly files: Map<string, { content: Uint8Array; etag?: string; modified?: string }>;
  /** In order of arrival. */
  readonly requests: SeenRequest[];
  /** Answers in place of the server if it returns true; `number` counts requests from 1. */
  behave: ((request: IncomingMessage, response: ServerResponse, number: number) => boolean) | null;
}

/** Starts a server that stops after the test. */
export async function startServer(
  t: ExecutionContext,
  files: Readonly<Record<string, Uint8Array>> = {},
): Promise<FileServer> {
  const http = createServer((request, response) => {
    const { url: path = '', headers } = request;
    const { range, authorization } = headers;
    server.requests.push({ path, range, authorization });
    if (server.behave?.(request, response, server.requests.length) !== true) {
      serve(server, request, response);
    }
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const server: FileServer = {
    url: `http://127.0.0.1:${port}`,
    port,
    files: new Map(
      Object.entries(files).map(([name, content]) => [`/${name}`, { content, etag: '"1"' }]),
    ),
    requests: [],
    behave: null,
  };
  t.teardown(async () => {
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  });
  return server;
}

/** Bounds of a range header, end exclusive. */
export function rangeOf(request: IncomingMessage): { start: number; end: number } {
  const [, start, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
  return { start: Number(start), end: Number(last) + 1 };
}

/** Answers with status and headers and nothing else. */
export function refuse(
  response: ServerResponse,
  status: number,
  headers: Record<string, string> = {},
): true {
  response.writeHead(status, headers).end();
  return true;
}

/** Answers as a good server does. */
export function serve(
  { files }: FileServer,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const file = files.get(new URL(request.url ?? '', 'http://x').pathname);
  if (file === undefined) return void refuse(response, 404);
  const { content, etag, modified } = file;
  const headers: Record<string, string | number> = {};
  if (etag !== undefined) headers['etag'] = etag;
  if (modified !== undefined) headers['last-modified'] = modified;
  if (request.headers.range === undefined) {
    response.writeHead(200, { ...headers, 'content-length': content.length }).end(content);
    return;
  }
  const { start, end: wanted } = rangeOf(request);
  if (start >= content.length) {
    response.writeHead(416, { ...headers, 'content-range': `bytes */${content.length}` }).end();
    return;
  }
  const end = Math.min(wanted, content.length);
  response
    .writeHead(206, {
      ...headers,
      'content-range': `bytes ${start}-${end - 1}/${content.length}`,
      'content-length': end - start,
    })
    .end(content.subarray(start, end));
}
