// A web server for data files whose answers a test makes.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Starts servers, which are stopped after each test. */
export function dataServers(): (handler: Handler) => Promise<string> {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });
  return async (handler) => {
    const server = createServer(handler);
    servers.push(server);
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
}

/** The bytes that a request asks for, first and last. */
export function askedRange(request: IncomingMessage, sizeBytes: number): readonly [number, number] {
  const [, start, end] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [];
  return [Number(start), Math.min(Number(end), sizeBytes - 1)];
}

/** @returns how many bytes were sent. */
export function sendRange(
  request: IncomingMessage,
  response: ServerResponse,
  bytes: Buffer,
  etag = '"1"',
): number {
  const [from, to] = askedRange(request, bytes.length);
  response.writeHead(206, { 'content-range': `bytes ${from}-${to}/${bytes.length}`, etag });
  response.end(bytes.subarray(from, to + 1));
  return to - from + 1;
}
