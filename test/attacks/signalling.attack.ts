// What a worker with a token can do to signalling and to the relay: places, memory, time, and the peace of others.

import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import {
  attackedCoordinator,
  slowestHealthCheckMs,
  type AttackedCoordinator,
} from './attackedCoordinator.ts';
import {
  groupByHand,
  joinByHand,
  openSocket,
  type CoordinatorAccess,
  type HandmadeWorker,
} from '../setup/handmadeGroup.ts';
import { expectAtMost } from './figures.ts';

const KIBIBYTE = 1024;
const MIBIBYTE = 1024 * KIBIBYTE;
const YIELD_BYTES = 256 * KIBIBYTE;

const tokens = { join: 'JOIN', admin: 'ADMIN' };

async function start(): Promise<AttackedCoordinator & CoordinatorAccess> {
  const coordinator = await attackedCoordinator(['--token', tokens.join, '--admin-token', tokens.admin]);
  return Object.assign(coordinator, { tokens });
}

function signallingPath({ welcome }: HandmadeWorker, more = ''): string {
  return `/peerjs/peerjs?key=tabgrad&id=${welcome.workerId}&token=${welcome.signallingToken}${more}`;
}

/** Types of the first message of a socket, or "closed". */
async function answerOf(socket: WebSocket): Promise<string> {
  const answer = once(socket, 'message').then(
    ([data]) => (JSON.parse(String(data)) as { type: string }).type,
  );
  return Promise.race([answer, once(socket, 'close').then(() => 'closed')]);
}

async function present(coordinator: CoordinatorAccess, member: HandmadeWorker): Promise<WebSocket> {
  const socket = openSocket(coordinator, signallingPath(member));
  expect(await answerOf(socket)).toBe('OPEN');
  return socket;
}

function offerTo(dst: string, sdpBytes: number): string {
  const payload = {
    type: 'data',
    connectionId: 'dc_1',
    sdp: { type: 'offer', sdp: 'x'.repeat(sdpBytes) },
    serialization: 'raw',
    metadata: { from: 'a', to: 'b', group: 'run/1' },
  };
  return JSON.stringify({ type: 'OFFER', dst, payload });
}

/** Sends as fast as the other end reads, for some time. @returns bytes that were sent. */
async function flood(socket: WebSocket, message: string | Buffer, forMs: number): Promise<number> {
  const until = performance.now() + forMs;
  let sent = 0;
  while (performance.now() < until && socket.readyState === socket.OPEN) {
    // Not much more than the network takes: the attacker's own buffers are none of the coordinator's.
    if (socket.bufferedAmount > MIBIBYTE / 2) await delay(50);
    else {
      socket.send(message);
      sent += message.length;
      // The members of the test answer pings in this thread, too.
      if (sent % YIELD_BYTES < message.length) await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return sent;
}

test('a worker opens sockets for ids of others and thousands of its own: it has one place', async (context) => {
  await using coordinator = await start();
  const [thief, victim] = [await joinByHand(coordinator), await joinByHand(coordinator)];
  const taken: string[] = [];
  for (let at = 0; at < 5000; at += 250) {
    const answers = Array.from({ length: 250 }, (_, i) => {
      const more = i % 2 === 0 ? '' : `&id=${i === 1 ? victim.welcome.workerId : `x${at + i}`}&token=any`;
      return answerOf(openSocket(coordinator, signallingPath(thief, more)));
    });
    taken.push(...(await Promise.all(answers)).filter((answer) => answer === 'OPEN'));
  }
  const before = coordinator.computedMs();
  await present(coordinator, victim);
  const computedMs = coordinator.computedMs() - before;
  expectAtMost(context, { what: 'sockets taken', value: taken.length, atMost: 100, unit: 'of 5000' });
  expectAtMost(context, {
    what: 'computed before the next worker is let in',
    value: computedMs,
    atMost: 500,
    unit: 'ms',
  });
});

for (const [what, atMostMiB, prepare] of [
  ['that is not there', 50, (): Promise<unknown> => Promise.resolve()],
  [
    'that reads nothing',
    50,
    async (coordinator: CoordinatorAccess, victim: HandmadeWorker): Promise<unknown> =>
      (await present(coordinator, victim)).pause(),
  ],
] as const) {
  test(`a member floods one ${what} with offers: memory and answers stay bounded`, async (context) => {
    await using coordinator = await start();
    const [attacker, victim] = (await groupByHand(coordinator, 2)) as [HandmadeWorker, HandmadeWorker];
    await prepare(coordinator, victim);
    const socket = await present(coordinator, attacker);
    const before = coordinator.residentMiB();
    const flooding = flood(socket, offerTo(victim.welcome.workerId, 30 * KIBIBYTE), 6_000);
    const slowestMs = await slowestHealthCheckMs(coordinator, flooding);
    const growthMiB = coordinator.residentMiB() - before;
    expectAtMost(context, { what: 'memory grew by', value: growthMiB, atMost: atMostMiB, unit: 'MiB' });
    expectAtMost(context, { what: 'computed before an answer', value: slowestMs, atMost: 1_000, unit: 'ms' });
  });
}

test('a member sends a hundred thousand small messages over signalling: others are answered', async (context) => {
  await using coordinator = await start();
  const [attacker, victim] = (await groupByHand(coordinator, 2)) as [HandmadeWorker, HandmadeWorker];
  const heard = await present(coordinator, victim);
  let passed = 0;
  heard.on('message', () => (passed += 1));
  const socket = await present(coordinator, attacker);
  const begunAt = performance.now();
  const flooding = (async () => {
    for (let at = 0; at < 100_000; at += 1) socket.send(offerTo(victim.welcome.workerId, 0));
    await delay(5_000);
  })();
  const slowestMs = await slowestHealthCheckMs(coordinator, flooding);
  // A burst, what comes with it in one packet, and 200 a second.
  const atMost = 7_000 + (200 * (performance.now() - begunAt)) / 1_000;
  expectAtMost(context, { what: 'passed on', value: passed, atMost, unit: 'of 100000' });
  expectAtMost(context, { what: 'computed before an answer', value: slowestMs, atMost: 1_500, unit: 'ms' });
});

/** One half of a relayed link; resolves when it is joined to the other, or with why it is not. */
async function half(
  coordinator: CoordinatorAccess,
  { welcome }: HandmadeWorker,
  peer: HandmadeWorker,
  group: string,
): Promise<WebSocket | string> {
  const socket = openSocket(coordinator, '/relay');
  await once(socket, 'open');
  socket.send(
    JSON.stringify({
      type: 'join',
      worker: welcome.workerId,
      token: welcome.secret,
      peer: peer.welcome.workerId,
      group,
    }),
  );
  const refused = once(socket, 'close').then(([, reason]) => String(reason));
  return Promise.race([once(socket, 'message').then(() => socket), refused]);
}

test('a member fills a hundred relayed links that nobody reads: memory stays bounded, others get through', async (context) => {
  await using coordinator = await start();
  const members = await groupByHand(coordinator, 28);
  const [attacker, honest, other, ...readers] = members as [
    HandmadeWorker,
    HandmadeWorker,
    HandmadeWorker,
    ...HandmadeWorker[],
  ];
  const writers: WebSocket[] = [];
  for (const reader of readers) {
    for (let link = 0; link < 4; link += 1) {
      const [near, far] = await Promise.all([
        half(coordinator, attacker, reader, `run/${link}`),
        half(coordinator, reader, attacker, `run/${link}`),
      ]);
      if (typeof near === 'string') throw new Error(`a half of a link was refused: ${near}`);
      if (typeof far === 'string') throw new Error(`a half of a link was refused: ${far}`);
      far.pause();
      writers.push(near);
    }
  }
  const refused = await half(coordinator, attacker, readers[0] as HandmadeWorker, 'run/4');
  expect(refused).toMatch(/has 4 links to worker .* already/);
  const before = coordinator.residentMiB();
  const frame = Buffer.alloc(256 * KIBIBYTE);
  const flooding = Promise.all(writers.map((socket) => flood(socket, frame, 10_000)));
  const slowestMs = await slowestHealthCheckMs(coordinator, flooding);
  const growthMiB = coordinator.residentMiB() - before;
  const [near, far] = await Promise.all([
    half(coordinator, honest, other, 'run/1'),
    half(coordinator, other, honest, 'run/1'),
  ]);
  if (typeof near === 'string') throw new Error(`a half of a link was refused: ${near}`);
  if (typeof far === 'string') throw new Error(`a half of a link was refused: ${far}`);
  const computedBeforeMs = coordinator.computedMs();
  let received = 0;
  const all = new Promise<void>((resolve) =>
    far.on('message', (data: Buffer) => {
      received += data.length;
      if (received >= 16 * MIBIBYTE) resolve();
    }),
  );
  for (let sent = 0; sent < 16 * MIBIBYTE; sent += frame.length) near.send(frame);
  await all;
  const computedMs = coordinator.computedMs() - computedBeforeMs;
  expectAtMost(context, { what: 'links filled', value: writers.length, atMost: 100, unit: '' });
  expectAtMost(context, { what: 'memory grew by', value: growthMiB, atMost: 200, unit: 'MiB' });
  expectAtMost(context, { what: 'computed before an answer', value: slowestMs, atMost: 1_500, unit: 'ms' });
  expectAtMost(context, {
    what: 'computed for 16 MiB of others',
    value: computedMs,
    atMost: 3_000,
    unit: 'ms',
  });
});

test('a worker that is in no group gets no place at the relay', async (context) => {
  await using coordinator = await start();
  const [stranger, another] = [await joinByHand(coordinator), await joinByHand(coordinator)];
  const outcomes = await Promise.all(
    Array.from({ length: 300 }, () => half(coordinator, stranger, another, 'run/1')),
  );
  const places = outcomes.filter((outcome) => typeof outcome !== 'string').length;
  expectAtMost(context, { what: 'places', value: places, atMost: 0, unit: 'of 300' });
  expect(new Set(outcomes)).toEqual(new Set([`it shares no group with worker ${another.welcome.workerId}`]));
});
