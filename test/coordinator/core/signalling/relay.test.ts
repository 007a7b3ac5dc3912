// Who gets a place at the relay.

import type { IncomingMessage } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { RelayServerOptions } from '../../../../coordinator/core/signalling/relay.ts';
import type { RelayLimits } from '../../../../coordinator/core/signalling/relayAccount.ts';
import {
  startSignalling,
  tokenOf,
  type SignallingServer,
} from '../../../client/transport/fixtures/signallingServer.ts';
import { HeardSocket } from './fixtures/heardSocket.ts';

let server: SignallingServer;
const sockets: HeardSocket[] = [];

afterEach(async () => {
  for (const { socket } of sockets.splice(0)) socket.terminate();
  await server.close();
});

async function start(
  limits: Partial<RelayLimits> = {},
  options: Partial<RelayServerOptions> = {},
): Promise<void> {
  server = await startSignalling({}, { limits, ...options });
}

async function open(): Promise<HeardSocket> {
  const socket = new HeardSocket(`${server.url}/relay`);
  sockets.push(socket);
  return socket.opened();
}

async function join(worker: string, peer: string, group = 'run/1'): Promise<HeardSocket> {
  const socket = await open();
  socket.send({ type: 'join', worker, token: tokenOf(worker), peer, group });
  return socket;
}

const refusal = async (socket: HeardSocket): Promise<string> => {
  const { code, reason } = await socket.closed;
  expect(code).toBe(1008);
  return reason;
};

describe('the relay', () => {
  it('joins members of a common group alone', async () => {
    await start({}, { mayMeet: (one, other) => `${one}${other}` !== 'ac' });
    expect(await refusal(await join('a', 'c'))).toBe('it shares no group with worker c');
    const [a] = await Promise.all([join('a', 'b'), join('b', 'a')]);
    expect(await a.next()).toBe('{"type":"joined"}');
  });

  it('gives one worker no more halves than agreed, in all and towards one other', async () => {
    await start({ maxHalvesPerWorker: 3, maxHalvesPerPair: 2 });
    await Promise.all([join('a', 'b', 'run/1'), join('a', 'b', 'run/2')]);
    expect(await refusal(await join('a', 'b', 'run/3'))).toBe('worker a has 2 links to worker b already');
    const last = await join('a', 'c');
    expect(await refusal(await join('a', 'd'))).toBe('worker a has 3 relayed links already');
    await join('b', 'a', 'run/2');
    last.socket.close();
    await last.closed;
    while (server.relay.stats.waitingHalves > 1) await new Promise((resolve) => setImmediate(resolve));
    await join('a', 'd');
    await (await join('d', 'a')).next();
  });

  it('has room for so many halves of all workers', async () => {
    await start({ maxHalves: 2 });
    await Promise.all([join('a', 'b'), join('b', 'a')]);
    expect(await refusal(await join('c', 'd'))).toBe('the relay is full');
  });

  it('counts those among the unjoined that have not said who they are', async () => {
    const unjoined = new Set<IncomingMessage>();
    const admit = (request: IncomingMessage): (() => void) => {
      unjoined.add(request);
      return () => void unjoined.delete(request);
    };
    await start({}, { admit });
    const silent = await open();
    expect(unjoined.size).toBe(1);
    const pair = await Promise.all([join('a', 'b'), join('b', 'a')]);
    await Promise.all(pair.map((socket) => socket.next()));
    expect(unjoined.size).toBe(1);
    silent.send({ type: 'join' });
    expect(await refusal(silent)).toBe('it did not say whom it wants');
    while (unjoined.size > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it('reads no more than an introduction of who has not said who it is', async () => {
    await start();
    const socket = await open();
    socket.socket.send('x'.repeat(4_097));
    expect(await socket.closed).toEqual({ code: 1006, reason: '' });
  });

  it('refuses who sends something while it waits for its partner', async () => {
    await start();
    const socket = await join('a', 'b');
    socket.send('more');
    expect(await refusal(socket)).toBe('it sent something before it was joined');
    expect(server.relay.stats).toMatchObject({ refused: 1 });
  });

  it('closes what a worker has there that is gone for good', async () => {
    await start();
    const linked = await Promise.all([join('a', 'b'), join('b', 'a')]);
    await Promise.all(linked.map((socket) => socket.next()));
    const waiting = await join('a', 'c');
    while (server.relay.stats.waitingHalves === 0) await new Promise((resolve) => setImmediate(resolve));
    server.relay.drop('a');
    expect(await Promise.all(linked.map(refusal))).toEqual(Array(2).fill('worker a is gone'));
    expect(await refusal(waiting)).toBe('the worker is gone');
  });
});
