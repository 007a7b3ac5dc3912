// Bounds on the sockets of the real library: they hold whatever a new version of it does with what it receives.

import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { boundMessages, type MessageBounds } from '../../../coordinator/bounds/boundMessages.ts';
import { ManualClock } from '../../setup/manualClock.ts';
import { frame, type FrameOptions } from './frames.ts';

const MEBIBYTE = 1024 * 1024;

describe('boundMessages', () => {
  let http: Server;
  let clock: ManualClock;
  let bounds: { maxMessageBytes: number; held: number; cuts: string[] };
  let messages: number[];
  let client: Socket;
  let taken: () => void;

  beforeEach(async () => {
    clock = new ManualClock();
    bounds = { maxMessageBytes: 1_000, held: 0, cuts: [] };
    messages = [];
    const server = new WebSocketServer({
      noServer: true,
      maxPayload: 16 * MEBIBYTE,
      perMessageDeflate: false,
    });
    http = createServer();
    http.on('upgrade', (request, socket, head) =>
      server.handleUpgrade(request, socket, head, (webSocket: WebSocket) => {
        webSocket.on('error', () => undefined);
        webSocket.on('message', (data: Buffer) => {
          if (webSocket.readyState !== webSocket.OPEN) return;
          messages.push(data.length);
          taken();
        });
        const options: MessageBounds = {
          clock,
          maxMessageBytes: () => bounds.maxMessageBytes,
          messageTimeoutMs: () => 30_000,
          hold: (bytes) => {
            bounds.held = bytes;
            taken();
          },
          cut: (why) => {
            bounds.cuts.push(why);
            webSocket.terminate();
          },
        };
        boundMessages(socket, options);
      }),
    );
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    taken = () => undefined;
  });
  afterEach(async () => {
    client.destroy();
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  });

  /** Opens a WebSocket by hand; `first` goes in the same packet as the handshake. */
  async function open(first: Buffer = Buffer.alloc(0)): Promise<void> {
    client = connect((http.address() as AddressInfo).port, '127.0.0.1');
    client.on('error', () => undefined);
    client.on('close', () => taken());
    const handshake = [
      'GET / HTTP/1.1',
      'Host: 127.0.0.1',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ];
    client.write(Buffer.concat([Buffer.from(`${handshake.join('\r\n')}\r\n\r\n`), first]));
    await new Promise((resolve) => client.once('data', resolve));
  }

  const send = (bytes: Buffer | string, options?: FrameOptions): void =>
    void client.write(frame(bytes, options));
  const when = (isThere: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (isThere()) resolve();
      };
      taken = look;
      look();
    });
  const whenGone = (): Promise<void> =>
    new Promise((resolve) => {
      if (client.destroyed) resolve();
      client.once('close', () => resolve());
      client.resume();
    });

  it('lets messages pass that are within the bounds', async () => {
    await open(frame('x'.repeat(1_000)));
    send('y'.repeat(1_000));
    send('');
    await when(() => messages.length === 3);
    expect([messages, bounds.cuts, bounds.held]).toEqual([[1_000, 1_000, 0], [], 0]);
  });

  it('cuts off a message that is announced to be longer, before any of it has come', async () => {
    await open();
    send('', { announcedBytes: 1_001 });
    await whenGone();
    expect(bounds.cuts).toEqual(['a message has 1001 bytes or more, 1000 are accepted']);
  });

  it('cuts off a message that comes in the same packet as the handshake', async () => {
    await open(frame('', { announcedBytes: 1_001 }));
    await whenGone();
    expect([messages, bounds.cuts.length]).toEqual([[], 1]);
  });

  it('cuts off fragments that add up to more', async () => {
    await open();
    send('x'.repeat(600), { isFinal: false });
    send('pong', { opcode: 10 });
    send('x'.repeat(600), { opcode: 0 });
    await whenGone();
    expect([messages, bounds.cuts]).toEqual([[], ['a message has 1200 bytes or more, 1000 are accepted']]);
  });

  it('goes by the bound of the moment', async () => {
    await open();
    bounds.maxMessageBytes = 2 * MEBIBYTE;
    send(Buffer.alloc(2 * MEBIBYTE));
    await when(() => messages.length === 1);
    expect([messages, bounds.cuts]).toEqual([[2 * MEBIBYTE], []]);
    bounds.maxMessageBytes = 0;
    send('x');
    await whenGone();
    expect(bounds.cuts).toEqual(['a message has 1 bytes or more, 0 are accepted']);
  });

  it('tells what an unfinished message holds', async () => {
    await open();
    bounds.maxMessageBytes = MEBIBYTE;
    send(Buffer.alloc(300_000), { announcedBytes: MEBIBYTE });
    await when(() => bounds.held >= 300_000);
    expect(bounds.held).toBeLessThan(400_000);
    client.write(Buffer.alloc(MEBIBYTE - 300_000));
    await when(() => messages.length === 1);
    send('x');
    await when(() => messages.length === 2);
    expect([messages, bounds.held]).toEqual([[MEBIBYTE, 1], 0]);
  });

  it('cuts off a message that does not end, whatever else is sent meanwhile', async () => {
    await open();
    send('x', { isFinal: false });
    await when(() => bounds.held > 0);
    for (let i = 0; i < 29; i++) {
      clock.advance(1_000);
      const before = bounds.held;
      send('pong', { opcode: 10 });
      send('x', { isFinal: false, opcode: 0 });
      await when(() => bounds.held > before);
    }
    expect(bounds.cuts).toEqual([]);
    clock.advance(1_000);
    await whenGone();
    expect(bounds.cuts).toEqual(['a message was not complete within 30000 ms']);
    expect(clock.pending).toBe(0);
  });

  it('gives each message the whole time', async () => {
    await open();
    for (let i = 1; i <= 3; i++) {
      send('x', { isFinal: false });
      await when(() => bounds.held > 0);
      clock.advance(29_000);
      // The next one begins in the packet that ends this one.
      const begun = frame('x', { isFinal: false });
      client.write(Buffer.concat([frame('x', { opcode: 0 }), begun]));
      await when(() => messages.length === 2 * i - 1);
      clock.advance(29_000);
      send('x', { opcode: 0 });
      await when(() => messages.length === 2 * i);
    }
    clock.advance(60_000);
    expect([messages, bounds.cuts]).toEqual([[2, 2, 2, 2, 2, 2], []]);
  });
});
