// WebSockets opened by hand, so that messages can be announced and not sent.

import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { frame } from '../coordinator/bounds/frames.ts';

export const MEBIBYTE = 1024 * 1024;
const BINARY = 2;

/** Opens a WebSocket and sends the first `sentBytes` of one binary message of `announcedBytes`. */
export async function beginMessage(
  url: URL,
  path: string,
  announcedBytes: number,
  sentBytes: number,
): Promise<Socket> {
  const socket = connect(Number(url.port), url.hostname);
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined);
  const handshake = [
    `GET ${path} HTTP/1.1`,
    `Host: ${url.host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
  ];
  socket.write(`${handshake.join('\r\n')}\r\n\r\n`);
  await Promise.race([new Promise((resolve) => socket.once('data', resolve)), gone]);
  socket.write(frame('', { opcode: BINARY, announcedBytes }));
  const piece = Buffer.alloc(MEBIBYTE, 0x41);
  for (let sent = 0; sent < sentBytes && !socket.destroyed; sent += piece.length) {
    if (!socket.write(piece))
      await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), gone]);
  }
  return socket;
}
