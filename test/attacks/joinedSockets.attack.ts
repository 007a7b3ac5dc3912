// What holders of the join token can make a coordinator hold and do: messages that do not end, places, churn.

import { treeSpec } from '../setup/runSpecs.ts';
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  attackedCoordinator,
  slowestHealthCheckMs,
  type AttackedCoordinator,
} from './attackedCoordinator.ts';
import { expectAtMost } from './figures.ts';
import { joinWorker, type JoinedWorker } from '../setup/joinedWorker.ts';
import { MEBIBYTE } from './rawWebSocket.ts';

const admin = { authorization: 'Bearer ADMIN' };
const PIECE = 'a'.repeat(MEBIBYTE);

function start(...args: string[]): Promise<AttackedCoordinator> {
  return attackedCoordinator(['--token', 'JOIN', '--admin-token', 'ADMIN', ...args]);
}

const join = (url: string, count: number): Promise<JoinedWorker[]> =>
  Promise.all(Array.from({ length: count }, () => joinWorker(url, 'JOIN')));

async function sendPieces(worker: JoinedWorker, pieces: number): Promise<void> {
  for (let i = 0; i < pieces; i++) await worker.sendPiece(PIECE);
}

/** Puts all workers into one run. */
async function formGroup(url: string, workers: readonly JoinedWorker[]): Promise<void> {
  const rows = Buffer.alloc(64);
  const sha256 = createHash('sha256').update(rows).digest('hex');
  await fetch(`${url}/blobs/${sha256}`, { method: 'PUT', body: rows, headers: admin });
  const shard = (index: number): object => ({
    dataset: 'train',
    index,
    firstRow: index,
    rows: 1,
    sha256,
    sizeBytes: 64,
  });
  const request = {
    runId: 'run',
    name: 'run',
    spec: treeSpec(10),
    shards: workers.map((_, index) => shard(index)),
    workers: { min: workers.length, max: workers.length },
  };
  const submitted = await fetch(`${url}/api/v1/runs`, {
    method: 'POST',
    body: JSON.stringify(request),
    headers: admin,
  });
  expect(submitted.status, await submitted.text()).toBe(201);
  for (const { socket, workerId } of workers)
    socket.send(JSON.stringify({ type: 'available', peerId: workerId }));
  await Promise.all(workers.map((worker) => worker.next('assign')));
}

test('workers in no run begin long messages and never end them', async (context) => {
  await using coordinator = await start();
  const workers = await join(coordinator.url, 60);
  const before = coordinator.residentMiB();
  await Promise.all(workers.map((worker) => sendPieces(worker, 15)));
  const growthMiB = coordinator.residentMiB() - before;
  const open = workers.filter(({ socket }) => socket.readyState === socket.OPEN).length;
  for (const { socket } of workers) socket.terminate();
  expectAtMost(context, { what: 'memory grew by', value: growthMiB, atMost: 100, unit: 'MiB' });
  expectAtMost(context, { what: 'not cut off', value: open, atMost: 0, unit: 'of 60' });
});

test('members of a run begin long messages and never end them', async (context) => {
  await using coordinator = await start();
  const workers = await join(coordinator.url, 60);
  await formGroup(coordinator.url, workers);
  const before = coordinator.residentMiB();
  const begunAt = performance.now();
  const closed = workers.map(
    ({ socket }) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
  );
  await Promise.all(workers.map((worker) => sendPieces(worker, 15)));
  const growthMiB = coordinator.residentMiB() - before;
  // Fragments with pongs between them, which the library sends by itself.
  const dripping = setInterval(() => {
    for (const worker of workers) void worker.sendPiece('a');
  }, 1_000);
  await Promise.all(closed);
  clearInterval(dripping);
  const cutAfterS = (performance.now() - begunAt) / 1_000;
  expectAtMost(context, { what: 'memory grew by', value: growthMiB, atMost: 400, unit: 'MiB' });
  expectAtMost(context, { what: 'all cut off after', value: cutAfterS, atMost: 45, unit: 's' });
});

test('a member sends a message of nothing but brackets', async (context) => {
  await using coordinator = await start();
  const [worker] = await join(coordinator.url, 1);
  await formGroup(coordinator.url, [worker!]);
  const text = `{"type":"committed","payload":${'['.repeat(15 * MEBIBYTE)}`;
  const sent = new Promise<void>((resolve) => worker!.socket.send(text, () => resolve()));
  const slowestMs = await slowestHealthCheckMs(coordinator, Promise.all([sent, worker!.next('ping')]));
  expectAtMost(context, { what: 'computed before an answer', value: slowestMs, atMost: 1_500, unit: 'ms' });
});

test('workers pause and come back all the time', async (context) => {
  await using coordinator = await start();
  const workers = await join(coordinator.url, 200);
  const flood = Promise.all(
    workers.map(async ({ socket, workerId }) => {
      for (let i = 0; i < 250; i++) {
        socket.send(JSON.stringify({ type: 'available', peerId: workerId }));
        socket.send(JSON.stringify({ type: 'leaving', reason: `pause ${i}` }));
      }
      await new Promise((resolve) => socket.once('close', resolve));
    }),
  );
  const slowestMs = await slowestHealthCheckMs(coordinator, flood);
  expectAtMost(context, { what: 'computed before an answer', value: slowestMs, atMost: 1_500, unit: 'ms' });
});

test('one address asks for all places', async (context) => {
  await using coordinator = await start('--trust-proxy', 'loopback');
  const { url } = coordinator;
  const from = (address: string): Promise<JoinedWorker> =>
    joinWorker(url, 'JOIN', { 'x-forwarded-for': address });
  const workers: JoinedWorker[] = [];
  const refusals = new Map<string, number>();
  // As many as may be unjoined at a time, over and over.
  for (let wave = 0; wave < 5; wave++) {
    const settled = await Promise.allSettled(Array.from({ length: 100 }, () => from('198.51.100.7')));
    for (const one of settled) {
      if (one.status === 'fulfilled') workers.push(one.value);
      else refusals.set(String(one.reason), (refusals.get(String(one.reason)) ?? 0) + 1);
    }
  }
  expectAtMost(context, { what: 'places taken', value: workers.length, atMost: 256, unit: 'of 4096' });
  expect([...refusals]).toEqual([['Error: no welcome: ADDRESS_FULL', 500 - 256]]);
  const neighbour = await from('198.51.100.8');
  expect(neighbour.workerId).toMatch(/^w-/);
});

test('one address opens sockets and says nothing', async (context) => {
  await using coordinator = await start('--trust-proxy', 'loopback');
  const { url } = coordinator;
  const { WebSocket } = await import('ws');
  const open = (address: string, path: string): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`, {
        headers: { 'x-forwarded-for': address },
      });
      socket.on('error', () => resolve(false));
      socket.once('open', () => resolve(true));
    });
  const opened: boolean[] = [];
  for (let wave = 0; wave < 4; wave++) {
    const path = wave % 2 === 0 ? '/control' : '/programs';
    opened.push(...(await Promise.all(Array.from({ length: 100 }, () => open('198.51.100.7', path)))));
  }
  expectAtMost(context, {
    what: 'sockets',
    value: opened.filter(Boolean).length,
    atMost: 256,
    unit: 'of 400',
  });
  const neighbour = await joinWorker(url, 'JOIN', { 'x-forwarded-for': '198.51.100.8' });
  expect(neighbour.workerId).toMatch(/^w-/);
});
