// Answers on a bare socket, after which it is closed: to what is not HTTP, or did not arrive in time, and to handshakes of
// WebSockets that are refused.

import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { TabgradError, type ErrorCode } from '../../kernels/errors.ts';
import { failureHeaders, statusOf } from './httpErrors.ts';

/** For the answer to get out, whatever the other end goes on sending. */
const REFUSAL_MS = 1_000;

const socketErrors: Readonly<Record<string, readonly [number, ErrorCode, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [
    408,
    'REQUEST_TIMEOUT',
    'The request did not arrive in the time that the server allows.',
  ],
  HPE_HEADER_OVERFLOW: [431, 'BODY_TOO_LARGE', 'The headers of a request may have 16384 bytes.'],
};

/** @param error of Node's reading of HTTP. */
export function refuseSocket(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, code, message] = socketErrors[error.code ?? ''] ?? [
    400,
    'BAD_REQUEST',
    'The request is not HTTP.',
  ];
  const body = `${JSON.stringify({ error: { code, message } })}\n`;
  endSocket(socket, status, { 'Content-Type': 'application/json; charset=utf-8' }, body);
}

/** Refuses a handshake. Failures of the server itself are not told. */
export function refuseUpgrade(error: unknown, socket: Duplex): void {
  const body = error instanceof TabgradError ? `${error.code}: ${error.message}\n` : '';
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', ...failureHeaders(error) };
  endSocket(socket, statusOf(error), headers, body);
}

function endSocket(
  socket: Duplex,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): void {
  const lines = Object.entries({ Connection: 'close', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  const timer = setTimeout(() => socket.destroy(), REFUSAL_MS);
  socket.once('close', () => clearTimeout(timer));
}
