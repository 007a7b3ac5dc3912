import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { mountPeerServer } from '../../../../coordinator/core/signalling/peerServer.ts';
import {
  startSignalling,
  tokenOf,
  type SignallingServer,
} from '../../../client/transport/fixtures/signallingServer.ts';

let server: SignallingServer;
let sockets: WebSocket[];

beforeEach(async () => {
  server = await startSignalling();
  sockets = [];
});

afterEach(async () => {
  for (const socket of sockets) socket.terminate();
  await server.close();
});

async function open(path: string): Promise<WebSocket> {
  const socket = new WebSocket(server.url.replace('http', 'ws') + path);
  sockets.push(socket);
  socket.on('error', () => undefined);
  await once(socket, 'open');
  return socket;
}

async function join(worker: string, peer: string, token = tokenOf(worker)): Promise<WebSocket> {
  const socket = await open('/relay');
  socket.send(JSON.stringify({ type: 'join', worker, token, peer, group: 'run/1' }));
  return socket;
}

/** The next message, as text. */
async function next(socket: WebSocket): Promise<string> {
  const [data] = (await once(socket, 'message')) as [Buffer];
  return data.toString();
}

async function closeReason(socket: WebSocket): Promise<string> {
  const [, reason] = (await once(socket, 'close')) as [number, Buffer];
  return reason.toString();
}

describe('WebSocket servers on one HTTP server', () => {
  it('each answer their own path', async () => {
    const control = new WebSocket(`${server.url.replace('http', 'ws')}/control`);
    sockets.push(control);
    expect(await next(control)).toBe('hello from control');
    const peer = new WebSocket(
      `${server.url.replace('http', 'ws')}/peerjs/peerjs?key=test-key&id=w-1&token=token-of-w`,
    );
    sockets.push(peer);
    expect(JSON.parse(await next(peer))).toEqual({ type: 'OPEN' });
    const [a, b] = await Promise.all([join('a', 'b'), join('b', 'a')]);
    expect(await Promise.all([a, b].map(next))).toEqual(['{"type":"joined"}', '{"type":"joined"}']);
  });

  it('stop their timers when closed, so that a process can end', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    const mounted = mountPeerServer({ key: 'k' });
    expect(timers()).toBe(before + 2);
    await mounted.close();
    expect(timers()).toBe(before);
  });
});

describe('the PeerJS server', () => {
  it('refuses a wrong key, a missing id and a token that does not fit the id, and counts them', async () => {
    for (const query of [
      'key=wrong&id=w-1&token=token-of-w',
      'key=test-key&token=t',
      'key=test-key&id=w-1&token=token-of-v',
    ]) {
      const socket = new WebSocket(`${server.url.replace('http', 'ws')}/peerjs/peerjs?${query}`);
      sockets.push(socket);
      expect(JSON.parse(await next(socket))).toMatchObject({ type: 'ERROR' });
      await once(socket, 'close');
    }
    expect(server.peers.stats.refused).toBe(3);
  });
});

describe('the relay', () => {
  it('passes text and bytes both ways, counts them, and ends both halves together', async () => {
    const [a, b] = await Promise.all([join('a', 'b'), join('b', 'a')]);
    await Promise.all([a, b].map(next));
    expect(server.relay.stats).toMatchObject({ openPipes: 1, waitingHalves: 0 });
    const [atA, atB] = [once(a, 'message'), once(b, 'message')] as Promise<[Buffer, boolean]>[];
    a.send(Buffer.from([1, 2, 3]));
    b.send('text');
    expect(await atB).toEqual([Buffer.from([1, 2, 3]), true]);
    expect(await atA).toEqual([Buffer.from('text'), false]);
    expect(server.relay.stats.bytesRelayed).toBe(7);
    const closed = once(b, 'close');
    a.close();
    await closed;
    expect(server.relay.stats.openPipes).toBe(0);
  });

  it('refuses wrong tokens and anything that is no introduction', async () => {
    expect(await closeReason(await join('a', 'b', 'token-of-b'))).toBe('the token is wrong');
    for (const text of ['{', '{}', JSON.stringify({ type: 'join', worker: 'a' })]) {
      const socket = await open('/relay');
      socket.send(text);
      expect(await closeReason(socket)).toBe('it did not say whom it wants');
    }
    expect(server.relay.stats).toMatchObject({ refused: 4, openPipes: 0, waitingHalves: 0 });
  });

  it('joins only halves that name each other', async () => {
    const sides = await Promise.all([join('a', 'b'), join('b', 'c'), join('c', 'a')]);
    const heard: unknown[] = [];
    for (const side of sides) side.on('message', (data) => heard.push(data));
    const b = await join('b', 'a');
    expect(await next(b)).toBe('{"type":"joined"}');
    expect(server.relay.stats).toMatchObject({ openPipes: 1, waitingHalves: 2 });
    expect(heard.length).toBeLessThanOrEqual(1);
  });

  it('delivers everything to a half that did not read for a while, and serves others meanwhile', async () => {
    const [a, b] = await Promise.all([join('a', 'b'), join('b', 'a')]);
    await Promise.all([a, b].map(next));
    b.pause();
    const message = Buffer.alloc(256 * 1024);
    for (let at = 0; at < 400; at += 1) a.send(message);
    // A third half shares the relay's event loop with the 100 MB that were offered.
    const pair = await Promise.all([join('c', 'd'), join('d', 'c')]);
    await Promise.all(pair.map(next));
    expect(a.bufferedAmount).toBeGreaterThan(40_000_000);
    let received = 0;
    const all = new Promise<void>((resolve) =>
      b.on('message', (data: Buffer) => {
        received += data.length;
        if (received === 400 * message.length) resolve();
      }),
    );
    b.resume();
    await all;
  });
});
