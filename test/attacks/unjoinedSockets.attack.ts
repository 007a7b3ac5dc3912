// What strangers without a token can make a coordinator hold: messages that they begin and never end.

import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { test } from 'vitest';
import { attackedCoordinator } from './attackedCoordinator.ts';
import { expectAtMost } from './figures.ts';

const MIBIBYTE = 1024 * 1024;
const GROWTH_MIB = 100;

/** Opens a WebSocket by hand and sends the first `sentBytes` of one binary message of `announcedBytes`. */
async function beginMessage(
  url: URL,
  path: string,
  announcedBytes: number,
  sentBytes: number,
): Promise<Socket> {
  const socket = connect(Number(url.port), url.hostname);
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined);
  const upgrade = [
    `GET ${path} HTTP/1.1`,
    `Host: ${url.host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
  ];
  socket.write(`${upgrade.join('\r\n')}\r\n\r\n`);
  await Promise.race([new Promise((resolve) => socket.once('data', resolve)), gone]);
  const header = Buffer.alloc(14);
  header[0] = 0x82;
  header[1] = 0x80 | 127;
  header.writeBigUInt64BE(BigInt(announcedBytes), 2);
  socket.write(header);
  const piece = Buffer.alloc(MIBIBYTE, 0x41);
  for (let sent = 0; sent < sentBytes && !socket.destroyed; sent += piece.length) {
    if (!socket.write(piece))
      await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), gone]);
  }
  return socket;
}

for (const [path, sockets, sentMiB] of [
  ['/control', 100, 15],
  ['/programs', 30, 60],
] as const) {
  test(`strangers begin long messages at ${path}: memory stays bounded`, async (context) => {
    await using coordinator = await attackedCoordinator(['--token', 'JOIN', '--admin-token', 'ADMIN']);
    const before = coordinator.residentMiB();
    const url = new URL(coordinator.url);
    const bytes = sentMiB * MIBIBYTE;
    const opened = await Promise.all(
      Array.from({ length: sockets }, () => beginMessage(url, path, bytes + 1, bytes)),
    );
    const growthMiB = coordinator.residentMiB() - before;
    for (const socket of opened) socket.destroy();
    expectAtMost(context, { what: 'memory grew by', value: growthMiB, atMost: GROWTH_MIB, unit: 'MiB' });
  });
}
