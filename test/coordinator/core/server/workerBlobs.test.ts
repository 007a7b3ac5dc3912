// What workers may read and store over HTTP, and what they are told when that fails.

import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startCoordinator, type Coordinator } from '../../../../coordinator/core/server/coordinator.ts';
import type { RunRequest } from '../../../../coordinator/core/run/runRequest.ts';
import { workerAuthorization } from '../../../../shared/protocol/workerCredentials.ts';
import { joinWorker, type JoinedWorker } from '../../../setup/joinedWorker.ts';

const STATE_BYTES = 1_000;
const ALLOWED_BYTES = 4 * STATE_BYTES + 16 * 1024 * 1024;

describe('blobs of workers', () => {
  let folder: string;
  let coordinator: Coordinator;
  let worker: JoinedWorker;
  const logged: string[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'worker-blobs-'));
    logged.length = 0;
    coordinator = await startCoordinator({
      port: 0,
      storagePath: folder,
      joinToken: 'guest',
      adminToken: 'boss',
      log: ({ message }) => void logged.push(message),
    });
    worker = await joinWorker(coordinator.url, 'guest');
  });
  afterEach(async () => {
    worker.socket.terminate();
    await coordinator.close();
    await rm(folder, { recursive: true });
  });

  const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  const asWorker = (): Record<string, string> => ({ authorization: workerAuthorization(worker) });
  const asOwner = { authorization: 'Bearer boss' };

  function put(
    bytes: Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = asWorker(),
  ): Promise<Response> {
    return fetch(`${coordinator.url}/blobs/${sha256(bytes)}`, { method: 'PUT', body: bytes, headers });
  }
  const get = (name: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${coordinator.url}/blobs/${name}`, { headers });
  async function errorOf(response: Response): Promise<{ status: number; code: string; message: string }> {
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    return { status: response.status, ...error };
  }

  /** Puts the worker into a run of that kind. */
  async function run(spec: object): Promise<void> {
    const rows = await coordinator.blobs.putBytes(new Uint8Array(8));
    coordinator.startRun({
      runId: 'run',
      name: 'run',
      spec,
      shards: [{ dataset: 'train', index: 0, firstRow: 0, rows: 1, ...rows }],
      workers: { min: 1, max: 1 },
      maxFailures: 0,
    } as unknown as RunRequest);
    worker.socket.send(JSON.stringify({ type: 'available', peerId: worker.workerId }));
    await worker.next('assign');
  }
  const neural = {
    trainer: 'neural',
    steps: 10,
    firstStep: 0,
    globalBatchSize: 8,
    microbatchSize: 8,
    initialState: { sha256: 'a'.repeat(64), sizeBytes: STATE_BYTES },
  };

  it('that are refused before they have come completely get an answer that says why', async () => {
    const bytes = new Uint8Array(32 * 1024 * 1024);
    const refused = [await put(bytes), await put(bytes, { authorization: 'Bearer guess' })];
    expect(await Promise.all(refused.map(errorOf))).toMatchObject([
      { status: 429, code: 'UPLOAD_REFUSED' },
      { status: 401, code: 'TOKEN_REQUIRED' },
    ]);
    const body = new ReadableStream({ pull: (stream) => stream.enqueue(bytes.subarray(0, 1024 * 1024)) });
    const endless = { method: 'POST', headers: asOwner, body, duplex: 'half' } as RequestInit;
    expect((await errorOf(await fetch(`${coordinator.url}/api/v1/runs`, endless))).code).toBe(
      'BODY_TOO_LARGE',
    );
  });

  it('are read by workers of the pool, who show id and secret, and by nobody else', async () => {
    const { sha256: name } = await coordinator.blobs.putBytes(Buffer.from('rows'));
    expect((await get(name)).status).toBe(401);
    expect((await get(name, { authorization: 'Bearer guest' })).status).toBe(401);
    const wrong = workerAuthorization({ workerId: worker.workerId, secret: 'guess' });
    expect(await errorOf(await get(name, { authorization: wrong }))).toEqual({
      status: 401,
      code: 'TOKEN_REQUIRED',
      message: 'No worker of that id and secret is in the pool.',
    });
    const read = await get(name, asWorker());
    expect([read.status, await read.text()]).toEqual([200, 'rows']);
    // Not for a cache that others share.
    expect(read.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
    const left = new Promise((resolve) => worker.socket.once('close', resolve));
    worker.socket.close(1000);
    await left;
    expect((await get(name, asWorker())).status).toBe(401);
  });

  it('are not stored by a worker that is in no run', async () => {
    expect(await errorOf(await put(Buffer.from('state')))).toEqual({
      status: 429,
      code: 'UPLOAD_REFUSED',
      message: `Worker ${worker.workerId} is in no run whose members store anything`,
    });
    expect((await put(Buffer.from('state'), { authorization: 'Bearer guest' })).status).toBe(401);
    expect((await put(Buffer.from('state'), asOwner)).status).toBe(201);
  });

  it('are not stored by members of a run that records every round', async () => {
    await run({ trainer: 'gbdt', numBoostRound: 1 });
    expect(await errorOf(await put(Buffer.from('state')))).toMatchObject({ code: 'UPLOAD_REFUSED' });
  });

  it('are stored by members of a run whose state they hold, as large as its state may be', async () => {
    await run(neural);
    const state = Buffer.alloc(ALLOWED_BYTES);
    expect((await put(state)).status).toBe(201);
    expect((await put(state)).status).toBe(200);
    expect(await errorOf(await put(Buffer.alloc(ALLOWED_BYTES + 1)))).toEqual({
      status: 413,
      code: 'BODY_TOO_LARGE',
      message: `A blob of worker ${worker.workerId} may have ${ALLOWED_BYTES} bytes in its run, not ${ALLOWED_BYTES + 1}`,
    });
  });

  it('are stored only when their length is known', async () => {
    await run(neural);
    const chunked = await fetch(`${coordinator.url}/blobs/${sha256(Buffer.from('state'))}`, {
      method: 'PUT',
      body: new Blob(['state']).stream(),
      duplex: 'half',
      headers: asWorker(),
    } as RequestInit);
    expect(await errorOf(chunked)).toEqual({
      status: 400,
      code: 'BAD_REQUEST',
      message: 'A worker says how long its blob is: send Content-Length',
    });
  });

  it('fail without a word about the folders of the server, but to the owner', async () => {
    await run(neural);
    await rm(join(folder, 'blobs'), { recursive: true });
    await writeFile(join(folder, 'blobs'), 'a file where the folder was');
    const told = await errorOf(await put(Buffer.from('state')));
    expect(told).toEqual({
      status: 500,
      code: 'STORAGE_FAILED',
      message: expect.stringMatching(
        /^The coordinator storage can not be read or written\. The coordinator's log says more, under [0-9a-f]{12}\.$/,
      ) as string,
    });
    expect(logged.join('\n')).toContain(folder);
    const toOwner = await errorOf(await put(Buffer.from('state'), asOwner));
    expect(toOwner).toMatchObject({ status: 500, code: 'STORAGE_FAILED' });
    expect(toOwner.message).toContain(folder);
  });
});
