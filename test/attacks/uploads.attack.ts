// What holders of the join token can put on a coordinator's disk.

import { netSpec } from '../setup/runSpecs.ts';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { workerAuthorization } from '../../shared/protocol/workerCredentials.ts';
import { joinWorker, type JoinedWorker } from '../setup/joinedWorker.ts';
import { attackedCoordinator, type AttackedCoordinator } from './attackedCoordinator.ts';
import { expectAtMost } from './figures.ts';
import { MEBIBYTE } from './rawWebSocket.ts';

const BLOB_BYTES = 16 * MEBIBYTE;
const admin = { authorization: 'Bearer ADMIN' };
let folder: string;

beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'uploads-attack-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

function start(): Promise<AttackedCoordinator> {
  return attackedCoordinator(['--token', 'JOIN', '--admin-token', 'ADMIN', '--storage', folder]);
}

/** Stores a blob that is like no other. */
async function put(url: string, serial: number, headers: Record<string, string>): Promise<number> {
  const bytes = Buffer.alloc(BLOB_BYTES);
  bytes.writeUInt32LE(serial);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const response = await fetch(`${url}/blobs/${sha256}`, { method: 'PUT', body: bytes, headers });
  await response.arrayBuffer();
  return response.status;
}

async function storedMiB(): Promise<number> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return sizes.reduce((sum, size) => sum + size, 0) / MEBIBYTE;
}

/** A run of a net of nothing, whose only member is the worker. */
async function formGroup(url: string, worker: JoinedWorker): Promise<void> {
  const spec = netSpec(10, { initialState: { sha256: 'a'.repeat(64), sizeBytes: 1_000 } });
  const rows = Buffer.alloc(64);
  const sha256 = createHash('sha256').update(rows).digest('hex');
  await fetch(`${url}/blobs/${sha256}`, { method: 'PUT', body: rows, headers: admin });
  const shards = [{ dataset: 'train', index: 0, firstRow: 0, rows: 8, sha256, sizeBytes: 64 }];
  const request = { runId: 'run', name: 'run', spec, shards, workers: { min: 1, max: 1 } };
  const submitted = await fetch(`${url}/api/v1/runs`, {
    method: 'POST',
    body: JSON.stringify(request),
    headers: admin,
  });
  expect(submitted.status, await submitted.text()).toBe(201);
  worker.socket.send(JSON.stringify({ type: 'available', peerId: worker.workerId }));
  await worker.next('assign');
}

test('a worker in no run stores blobs', async (context) => {
  await using coordinator = await start();
  const worker = await joinWorker(coordinator.url, 'JOIN');
  const before = await storedMiB();
  const ways = [workerAuthorization(worker), 'Bearer JOIN', `Worker ${worker.workerId}:guess`];
  const statuses: number[] = [];
  for (const authorization of ways)
    for (let i = 0; i < 4; i++) statuses.push(await put(coordinator.url, i, { authorization }));
  expect(statuses.filter((status) => status < 400)).toEqual([]);
  expectAtMost(context, {
    what: 'disk grew by',
    value: (await storedMiB()) - before,
    atMost: 1,
    unit: 'MiB of 192',
  });
});

test('a member of a run stores as fast as it can, and names nothing', async (context) => {
  await using coordinator = await start();
  const worker = await joinWorker(coordinator.url, 'JOIN');
  await formGroup(coordinator.url, worker);
  const before = await storedMiB();
  const authorization = workerAuthorization(worker);
  const statuses: number[] = [];
  for (let i = 0; i < 80; i += 4) {
    const wave = Array.from({ length: 4 }, (_, k) => put(coordinator.url, i + k, { authorization }));
    statuses.push(...(await Promise.all(wave)));
  }
  expect(statuses.filter((status) => status === 201).length).toBeGreaterThan(10);
  expect(new Set(statuses)).toEqual(new Set([201, 429]));
  expectAtMost(context, {
    what: 'disk grew by',
    value: (await storedMiB()) - before,
    atMost: 1024,
    unit: 'MiB of 1280',
  });
});
