// Two lives of a coordinator on one storage folder, as those outside see it.

import { PROTOCOL_VERSION } from '../../../../shared/protocol/control.ts';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { endFacts } from '../../../../coordinator/core/run/facts.ts';
import { RunLog } from '../../../../coordinator/core/run/runLog.ts';
import type { RunRequest } from '../../../../coordinator/core/run/runRequest.ts';
import { FolderBlobStore } from '../../../../coordinator/core/blobs/folderBlobStore.ts';
import { startCoordinator } from '../../../../coordinator/core/server/coordinator.ts';
import type { Coordinator } from '../../../../coordinator/core/server/coordinator.ts';
import { openStore } from '../../../../coordinator/core/store/openStore.ts';
import type { EncodedTree } from '../../../../shared/gbdt/treeCodec.ts';
import { contentOf, treeOf, treesSha256 } from '../../../simulation/simulatedTree.ts';
import { requestOf } from './storeFacts.ts';

const bytes = Buffer.from('rows');
const shard = {
  dataset: 'train',
  index: 0,
  firstRow: 0,
  rows: 4,
  sha256: createHash('sha256').update(bytes).digest('hex'),
  sizeBytes: bytes.byteLength,
};
const request = requestOf('flights', { shards: [shard], workers: { min: 1, max: 1 } });
const hello = {
  type: 'hello',
  protocol: PROTOCOL_VERSION,
  runtime: 'node',
  device: { kind: 'cpu', name: 'x' },
  cores: 1,
};

let storagePath: string;
let coordinator: Coordinator;
const sockets: WebSocket[] = [];

async function start(options: { host?: string } = {}): Promise<void> {
  // Its workers are made by hand, and its shards are none: there is nothing to check.
  coordinator = await startCoordinator({ port: 0, storagePath, checkWork: 'never', ...options });
}

async function startAgain(options: { host?: string } = {}): Promise<void> {
  await coordinator.close();
  await start(options);
}

beforeEach(async () => {
  storagePath = await mkdtemp(join(tmpdir(), 'tabgrad-lives-'));
  await start();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  await coordinator.close();
  await rm(storagePath, { recursive: true, force: true });
});

const asOwner = (): Record<string, string> => ({ authorization: `Bearer ${coordinator.tokens.admin}` });

async function ask(path: string, init: RequestInit = {}): Promise<string> {
  return (await fetch(new URL(path, coordinator.url), { ...init, headers: asOwner() })).text();
}

async function submit(): Promise<void> {
  await coordinator.blobs.putBytes(bytes);
  await ask('/api/v1/runs', { method: 'POST', body: JSON.stringify(request) });
}

/** A worker that says hello, and then what `answer` gives for each message. */
function joinAs(identity: object | undefined, answer: (message: Said) => readonly object[]): Promise<Said> {
  const socket = new WebSocket(new URL('/control', coordinator.url.replace('http', 'ws')));
  sockets.push(socket);
  const { join: token } = coordinator.tokens;
  socket.on('open', () => socket.send(JSON.stringify({ ...hello, token, ...(identity && { identity }) })));
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as Said;
      if (message.type === 'welcome') resolve(message);
      for (const said of answer(message)) socket.send(JSON.stringify(said));
    });
  });
}

interface Said {
  readonly type: string;
  readonly workerId: string;
  readonly secret: string;
  readonly runId: string;
  readonly generation: number;
  readonly committedRounds: number;
}

/** Trains alone from where it is told to go on, up to `rounds`. */
function trainUpTo(rounds: number): (message: Said) => readonly object[] {
  let known = 0;
  return ({ type, workerId, runId, generation, committedRounds }) => {
    if (type === 'welcome') return [{ type: 'available', peerId: workerId }];
    if (type === 'assign') {
      known = committedRounds;
      return [{ type: 'ready', runId, generation, links: [] }];
    }
    if (type === 'halt') return [{ type: 'halted', runId, generation, committedRounds: known, rounds: [] }];
    if (type !== 'begin') return [];
    return Array.from({ length: rounds - known }, (_, i) => ({
      type: 'committed',
      runId,
      generation,
      round: known + i,
      computeMs: 1,
      exchangeMs: 0,
      bytesSent: 0,
      ...roundOf(known + i, generation),
    }));
  };
}

/** Trees that tell which generation made them. */
function roundOf(round: number, generation: number): object {
  const trees = [treeOf(`${generation}`.padStart(8, '0') + `${round}`.padStart(8, '0'))];
  return { payload: trees, payloadSha256: treesSha256(trees), metrics: { loss: round } };
}

/** The events of the run from after `last` until one of type `until`. */
async function eventsUntil(until: string, last = 0): Promise<{ id: number; type: string }[]> {
  const headers = { ...asOwner(), 'Last-Event-ID': String(last) };
  const url = new URL('/api/v1/runs/flights/events', coordinator.url);
  const { body } = await fetch(url, { headers });
  let text = '';
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString();
    const events = [...text.matchAll(/^id: (\d+)\nevent: (.*)$/gm)].map(([, id, type]) => ({
      id: Number(id),
      type: type ?? '',
    }));
    if (events.some(({ type }) => type === until)) return events;
  }
  throw new Error(`the stream ended without "${until}": ${text}`);
}

describe('A coordinator that is started again on its storage folder', () => {
  it('goes on with the run of a worker that comes back, and numbers events on', async () => {
    await submit();
    const { workerId, secret } = await joinAs(undefined, trainUpTo(2));
    const before = await eventsUntil('round');
    await startAgain();
    expect(JSON.parse(await ask('/api/v1/runs/flights'))).toMatchObject({
      status: 'running',
      waiting: 'The coordinator was restarted; waiting for its group of 1 to come back.',
    });
    const again = await joinAs({ workerId, secret }, trainUpTo(3));
    expect(again.workerId).toBe(workerId);
    const last = before.at(-1)?.id ?? 0;
    const after = await eventsUntil('end', last);
    expect(after.map(({ id }) => id)).toEqual(after.map((_, i) => last + 1 + i));
    const types = [...before, ...after].map(({ type }) => type);
    expect(types.filter((type) => type === 'round' || type === 'end')).toEqual([
      'round',
      'round',
      'round',
      'end',
    ]);
    const outcome = JSON.parse(await ask('/api/v1/runs/flights/outcome')) as {
      rounds: { payload: EncodedTree[] }[];
    };
    expect(outcome.rounds.map(({ payload }) => contentOf(payload[0]!))).toEqual([
      '0000000100000000',
      '0000000100000001',
      '0000000200000002',
    ]);
  });

  it('lists and answers for runs that ended in an earlier life, and takes their ids no more', async () => {
    await submit();
    await joinAs(undefined, trainUpTo(3));
    const events = await eventsUntil('end');
    const outcome = await ask('/api/v1/runs/flights/outcome');
    await startAgain();
    expect(JSON.parse(await ask('/api/v1/runs'))).toMatchObject({
      runs: [{ runId: 'flights', status: 'finished', rounds: 3, lastMetrics: { loss: 2 } }],
    });
    expect(await ask('/api/v1/runs/flights/outcome')).toBe(outcome);
    expect(await eventsUntil('end')).toEqual(events);
    const refused = await ask('/api/v1/runs', { method: 'POST', body: JSON.stringify(request) });
    expect(JSON.parse(refused)).toMatchObject({ error: { code: 'RUN_EXISTS' } });
  });

  it('ends a run that the process of its owner took with it', async () => {
    await coordinator.close();
    const store = await openStore({ folder: storagePath, durable: true, onError: () => undefined });
    const attended: RunRequest = { ...request, shouldStop: () => false };
    await new RunLog(store.runs, 'flights').write([{ type: 'started', request: attended }]);
    await store.close();
    await start();
    expect(JSON.parse(await ask('/api/v1/runs/flights'))).toMatchObject({
      status: 'failed',
      error: { code: 'RUN_ABANDONED' },
    });
    expect((await eventsUntil('end')).map(({ type }) => type)).toEqual(['end']);
  });

  it('keeps the last state of a run that ended while its owner was away, when it clears blobs away', async () => {
    const state = await coordinator.blobs.putBytes(Buffer.from('weights'));
    const other = await coordinator.blobs.putBytes(Buffer.from('rows of nobody'));
    const { blobs } = coordinator;
    if (!(blobs instanceof FolderBlobStore)) throw new Error('blobs are not in a folder');
    await coordinator.close();
    const store = await openStore({ folder: storagePath, durable: true, onError: () => undefined });
    await new RunLog(store.runs, 'flights').write([
      { type: 'started', request },
      { type: 'event', event: { type: 'checkpoint', rounds: 3, ...state } },
      ...endFacts({ status: 'finished', rounds: [] }),
    ]);
    await store.close();
    const hoursAgo = new Date(Date.now() - 9 * 60 * 60_000);
    for (const { sha256 } of [state, other]) await utimes(blobs.pathOf(sha256), hoursAgo, hoursAgo);
    await start();
    await vi.waitFor(async () => expect(await coordinator.blobs.sizeBytes(other.sha256)).toBeUndefined());
    expect(await coordinator.blobs.sizeBytes(state.sha256)).toBe(7);
  });

  it('gives an identity to nobody who can not prove it', async () => {
    const { workerId } = await joinAs(undefined, () => []);
    await startAgain();
    const thief = await joinAs({ workerId, secret: 'guess' }, () => []);
    expect(thief.workerId).not.toBe(workerId);
  });

  it('keeps the tokens that it made', async () => {
    await startAgain({ host: '0.0.0.0' });
    const { admin, join } = coordinator.tokens;
    for (const token of [admin, join]) expect(token).toMatch(/^[\w-]{43}$/);
    await startAgain({ host: '0.0.0.0' });
    expect([coordinator.tokens.admin, coordinator.tokens.join]).toEqual([admin, join]);
  });

  it('is refused while the first one is up', async () => {
    await expect(startCoordinator({ port: 0, storagePath })).rejects.toMatchObject({
      code: 'STORAGE_IN_USE',
    });
  });

  it('wants a folder for blobs beside a database', async () => {
    const opening = startCoordinator({ port: 0, databaseUrl: 'postgres://127.0.0.1/x' });
    await expect(opening).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });
});
