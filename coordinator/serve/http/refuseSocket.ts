// The answer to what is not HTTP, or did not arrive in time, after which the connection is closed.

import type { Duplex } from 'node:stream';
import type { ErrorCode } from '../../../kernels/errors.ts';

const socketErrors: Readonly<Record<string, readonly [string, ErrorCode, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [
    '408 Request Timeout',
    'REQUEST_TIMEOUT',
    'The request did not arrive in the time that the server allows.',
  ],
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    'BODY_TOO_LARGE',
    'The headers of a request may have 16384 bytes.',
  ],
};

export function refuseSocket(error: NodeJS.ErrnoException, socket: Duplex): void {
  const [status, code, message] = socketErrors[error.code ?? ''] ?? [
    '400 Bad Request',
    'BAD_REQUEST',
    'The request is not HTTP.',
  ];
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const body = `${JSON.stringify({ error: { code, message } })}\n`;
  const head = `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${body.length}`;
  socket.end(`${head}\r\n\r\n${body}`, () => socket.destroy());
}
