// The coordinator as others meet it: over real sockets, with good and with bad input.

import { loopSpec, netSpec, treeSpec } from '../../../setup/runSpecs.ts';
import { PROTOCOL_VERSION } from '../../../../shared/protocol/control.ts';
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { FolderBlobStore } from '../../../../coordinator/core/blobs/folderBlobStore.ts';
import { startCoordinator } from '../../../../coordinator/core/server/coordinator.ts';
import type { CoordinatorOptions } from '../../../../coordinator/core/server/coordinatorOptions.ts';
import type { Coordinator } from '../../../../coordinator/core/server/coordinator.ts';
import type { RunRequest } from '../../../../coordinator/core/run/runRequest.ts';
import type { EncodedTree } from '../../../../shared/gbdt/treeCodec.ts';
import { treeOf, treesSha256 } from '../../../simulation/simulatedTree.ts';

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Ask {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  /** Whether it comes without the admin token. */
  readonly isStranger?: boolean;
}

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
const hello = {
  type: 'hello',
  protocol: PROTOCOL_VERSION,
  runtime: 'node',
  device: { kind: 'cpu', name: 'x' },
  cores: 1,
};

describe('coordinator', () => {
  let folder: string;
  let coordinator: Coordinator;
  const sockets: WebSocket[] = [];

  async function start(options: CoordinatorOptions = {}): Promise<void> {
    // Its workers are made by hand, and its shards are none: there is nothing to check.
    coordinator = await startCoordinator({
      port: 0,
      pageFolder: join(folder, 'page'),
      checkWork: 'never',
      ...options,
    });
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'coordinator-'));
    await mkdir(join(folder, 'page/assets'), { recursive: true });
    await writeFile(join(folder, 'page/join.html'), '<p>lend</p>');
    await writeFile(join(folder, 'page/assets/join-1a2b.js'), 'lend()');
    await writeFile(join(folder, 'secret.txt'), 'secret');
    await start();
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.terminate();
    await coordinator.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** A request of the owner, whose path is sent as it is: fetch would tidy it up. */
  function ask(
    path: string,
    { method = 'GET', headers: given = {}, body, isStranger = false }: Ask = {},
  ): Promise<Reply> {
    const { hostname, port } = new URL(coordinator.url);
    const headers = isStranger ? given : { ...asOwner(), ...given };
    return new Promise((resolve, reject) => {
      const request = httpRequest({ hostname, port, path, method, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString('latin1'),
          }),
        );
        response.on('error', reject);
      });
      request.on('error', reject);
      request.end(body);
    });
  }

  const asOwner = (): Record<string, string> => ({ Authorization: `Bearer ${coordinator.tokens.admin}` });

  const errorCode = (reply: Reply): string =>
    (JSON.parse(reply.body) as { error: { code: string } }).error.code;

  function openControl(headers: Record<string, string> = {}, path = '/control'): WebSocket {
    const socket = new WebSocket(`${coordinator.url.replace('http', 'ws')}${path}`, { headers });
    socket.on('error', () => undefined);
    sockets.push(socket);
    return socket;
  }

  function nextMessage(socket: WebSocket): Promise<{ type: string; code?: string; message?: string }> {
    return new Promise((resolve) => {
      socket.once('message', (data: Buffer) => resolve(JSON.parse(data.toString()) as { type: string }));
    });
  }

  const whenOpen = (socket: WebSocket): Promise<void> =>
    new Promise((resolve) => socket.once('open', () => resolve()));
  const whenClosed = (socket: WebSocket): Promise<number> =>
    new Promise((resolve) => socket.once('close', resolve));
  const refusalStatus = (socket: WebSocket): Promise<number> =>
    new Promise((resolve, reject) => {
      socket.once('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
      socket.once('open', () => reject(new Error('the handshake was accepted')));
    });

  async function greet(
    socket: WebSocket,
    message: unknown = { ...hello, token: coordinator.tokens.join },
  ): Promise<Awaited<ReturnType<typeof nextMessage>>> {
    await whenOpen(socket);
    const answer = nextMessage(socket);
    socket.send(typeof message === 'string' ? message : JSON.stringify(message));
    return answer;
  }

  describe('pages', () => {
    it('serves the join page and its assets, strictly', async () => {
      const page = await ask('/join');
      expect(page).toMatchObject({ status: 200, body: '<p>lend</p>' });
      expect(page.headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-cache',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
      });
      expect(page.headers['content-security-policy']).toContain("default-src 'self'");
      const asset = await ask('/assets/join-1a2b.js');
      expect(asset).toMatchObject({ status: 200, body: 'lend()' });
      expect(asset.headers['cache-control']).toContain('immutable');
    });

    it.each([
      '/../secret.txt',
      '/assets/../../secret.txt',
      '/assets/..%2f..%2fsecret.txt',
      '/assets/%2e%2e/%2e%2e/secret.txt',
      '/assets/..\\..\\secret.txt',
      '//secret.txt',
      '/assets/',
      '/assets',
      '/%00',
      '/join.html',
    ])('serves nothing at %s', async (path) => {
      const reply = await ask(path);
      expect([reply.status, errorCode(reply)]).toEqual([404, 'NOT_FOUND']);
    });

    it('says what is wrong with a path that is none, and with a method that is not for it', async () => {
      const bad = await ask('*', { method: 'OPTIONS' });
      expect([bad.status, errorCode(bad)]).toEqual([400, 'BAD_REQUEST']);
      const method = await ask('/join', { method: 'POST', body: 'x' });
      expect([method.status, errorCode(method)]).toEqual([405, 'METHOD_NOT_ALLOWED']);
    });

    it('says how to build the pages when they are missing', async () => {
      await coordinator.close();
      await rm(join(folder, 'page'), { recursive: true });
      await mkdir(join(folder, 'page'));
      await start();
      expect((await ask('/join')).status).toBe(404);
    });

    it('answers HEAD without a body', async () => {
      expect(await ask('/join', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
    });
  });

  describe('blobs', () => {
    const bytes = Buffer.from(Uint8Array.from({ length: 1000 }, (_, i) => i & 255));

    it('takes, verifies and gives back', async () => {
      const path = `/blobs/${sha256(bytes)}`;
      const put = await ask(path, { method: 'PUT', body: bytes });
      expect(put.status).toBe(201);
      expect(JSON.parse(put.body)).toEqual({ sha256: sha256(bytes), sizeBytes: 1000 });
      expect((await ask(path, { method: 'PUT', body: bytes })).status).toBe(200);
      const got = await ask(path);
      expect(got.body).toBe(bytes.toString('latin1'));
      expect(got.headers).toMatchObject({
        etag: `"${sha256(bytes)}"`,
        'content-length': '1000',
        'cache-control': 'private, max-age=31536000, immutable',
      });
      expect((await ask(path, { headers: { 'If-None-Match': `"${sha256(bytes)}"` } })).status).toBe(304);
    });

    it.each([
      ['bytes=0-0', 206, 'bytes 0-0/1000', 1],
      ['bytes=990-', 206, 'bytes 990-999/1000', 10],
      ['bytes=-5', 206, 'bytes 995-999/1000', 5],
      ['bytes=-5000', 206, 'bytes 0-999/1000', 1000],
      ['bytes=10-5000', 206, 'bytes 10-999/1000', 990],
      ['bytes=1000-', 416, 'bytes */1000', undefined],
      ['bytes=9-3', 416, 'bytes */1000', undefined],
      ['bytes=0-1,5-6', 200, undefined, 1000],
      ['lines=1-2', 200, undefined, 1000],
    ])('answers the range %s', async (range, status, contentRange, length) => {
      const { sha256: name } = await coordinator.blobs.putBytes(bytes);
      const reply = await ask(`/blobs/${name}`, { headers: { Range: range } });
      expect([reply.status, reply.headers['content-range']]).toEqual([status, contentRange]);
      if (length !== undefined) expect(reply.body).toHaveLength(length);
    });

    it('refuses bytes of another name and keeps nothing', async () => {
      const reply = await ask(`/blobs/${sha256('other')}`, { method: 'PUT', body: bytes });
      expect([reply.status, errorCode(reply)]).toEqual([422, 'BLOB_MISMATCH']);
      expect((await ask(`/blobs/${sha256('other')}`)).status).toBe(404);
    });

    it('refuses a blob that is too large, announced or not', async () => {
      await coordinator.close();
      await start({ maxBlobBytes: 500 });
      const path = `/blobs/${sha256(bytes)}`;
      const announced = await ask(path, { method: 'PUT', body: bytes });
      expect([announced.status, errorCode(announced)]).toEqual([413, 'BODY_TOO_LARGE']);
      const headers = { 'Transfer-Encoding': 'chunked' };
      const chunked = await ask(path, { method: 'PUT', headers, body: bytes });
      expect([chunked.status, errorCode(chunked)]).toEqual([413, 'BODY_TOO_LARGE']);
    });

    it('reads a blob again for who wants its digest, and drops one that lost bytes', async () => {
      const { sha256: name } = await coordinator.blobs.putBytes(bytes);
      const look = { method: 'HEAD', headers: { 'Want-Repr-Digest': 'sha-256=10' } };
      const digest = createHash('sha256').update(bytes).digest('base64');
      const whole = await ask(`/blobs/${name}`, look);
      expect([whole.status, whole.headers['repr-digest']]).toEqual([200, `sha-256=:${digest}:`]);
      await writeFile((coordinator.blobs as FolderBlobStore).pathOf(name), 'rotten');
      expect((await ask(`/blobs/${name}`, { method: 'HEAD' })).status).toBe(200);
      expect((await ask(`/blobs/${name}`, look)).status).toBe(404);
      expect((await ask(`/blobs/${name}`, { method: 'HEAD' })).status).toBe(404);
    });

    it.each(['nonsense', '..%2f..%2fsecret.txt', 'A'.repeat(64), 'a'.repeat(63)])(
      'refuses the name %s',
      async (name) => {
        const reply = await ask(`/blobs/${name}`);
        expect([reply.status, errorCode(reply)]).toEqual([400, 'BAD_REQUEST']);
      },
    );
  });

  describe('control sockets', () => {
    it('welcome a worker and count their bytes as control', async () => {
      expect(await greet(openControl())).toMatchObject({ type: 'welcome' });
      const { control, relay, signalling, blobs } = coordinator.traffic();
      expect(control.sentBytes).toBeGreaterThan(150);
      expect(control.receivedBytes).toBeGreaterThan(150);
      for (const idle of [relay, signalling, blobs]) expect(idle).toEqual({ sentBytes: 0, receivedBytes: 0 });
    });

    it('refuse malformed JSON with a code', async () => {
      const socket = openControl();
      const closed = whenClosed(socket);
      expect(await greet(socket, '{"type":')).toMatchObject({ type: 'refused', code: 'BAD_REQUEST' });
      expect(await closed).toBe(1008);
    });

    it('refuse binary messages and messages that are too large', async () => {
      const binary = openControl();
      await whenOpen(binary);
      binary.send(Buffer.from('{}'));
      expect(await whenClosed(binary)).toBe(1008);
      const large = openControl();
      await greet(large);
      large.send('x'.repeat(64 * 1024 + 1));
      // Cut off, without a word to who might not listen.
      expect(await whenClosed(large)).toBe(1006);
    });

    it('refuse a wrong token, and none', async () => {
      await coordinator.close();
      await start({ joinToken: 'open sesame' });
      expect(coordinator.joinUrl).toBe(`${coordinator.url}/join#token=open%20sesame`);
      expect(await greet(openControl(), hello)).toMatchObject({ code: 'TOKEN_REQUIRED' });
      expect(await greet(openControl(), { ...hello, token: 'sesame' })).toMatchObject({
        code: 'TOKEN_REQUIRED',
      });
      expect(await greet(openControl(), { ...hello, token: 'open sesame' })).toMatchObject({
        type: 'welcome',
      });
    });

    it('refuse pages of other origins, and names that are not ours', async () => {
      expect(await refusalStatus(openControl({ Origin: 'https://evil.example' }))).toBe(403);
      expect(await refusalStatus(openControl({ Origin: 'null' }))).toBe(403);
      // A page of evil.example whose name now points to this machine (DNS rebinding).
      expect(await refusalStatus(openControl({ Origin: 'http://evil.example', Host: 'evil.example' }))).toBe(
        403,
      );
      expect(await greet(openControl({ Origin: coordinator.url }))).toMatchObject({ type: 'welcome' });
    });

    it('are served at their own paths only', async () => {
      expect(await refusalStatus(openControl({}, '/'))).toBe(404);
      expect(await refusalStatus(openControl({}, '/controls'))).toBe(404);
    });

    it('let only known workers signal', async () => {
      interface Welcome {
        readonly workerId: string;
        readonly secret: string;
        readonly signallingToken: string;
      }
      const welcome = (await greet(openControl())) as unknown as Welcome;
      const other = (await greet(openControl())) as unknown as Welcome;
      const path = (token: string, id = welcome.workerId): string =>
        `/peerjs/peerjs?key=tabgrad&id=${id}&token=${token}`;
      for (const wrong of [
        path('guess'),
        path(welcome.secret),
        path(other.signallingToken),
        // The first values are checked by one reader, the last ones used by another.
        `${path(other.signallingToken, other.workerId)}&id=${welcome.workerId}&token=any`,
        `${path('any')}&id=${other.workerId}&token=${other.signallingToken}`,
        '/peerjs/peerjs?key=wrong&id=a&token=b',
      ]) {
        const stranger = openControl({}, wrong);
        const closed = whenClosed(stranger);
        expect(await nextMessage(stranger)).toMatchObject({ type: 'ERROR' });
        await closed;
      }
      expect(await nextMessage(openControl({}, path(welcome.signallingToken)))).toEqual({ type: 'OPEN' });
      expect(coordinator.traffic().signalling.sentBytes).toBeGreaterThan(0);
    });
  });

  describe('slow and broken clients', () => {
    beforeEach(async () => {
      await coordinator.close();
      await start({ timeouts: { headersMs: 300, idleMs: 300 } });
    });

    /** Sends raw text and resolves with all that comes back until the server hangs up. */
    function raw(text: string): Promise<string> {
      return new Promise((resolve, reject) => {
        const { hostname, port } = new URL(coordinator.url);
        const socket = connect(Number(port), hostname, () => socket.write(text));
        let answer = '';
        socket.on('data', (data: Buffer) => (answer += data.toString()));
        socket.on('close', () => resolve(answer));
        socket.on('error', reject);
      });
    }

    it('cuts off who never ends the headers', async () => {
      expect(await raw('GET /join HTTP/1.1\r\nHost: localhost\r\nX-Slow: ')).toMatch(
        /^(HTTP\/1\.1 408 .*|$)/s,
      );
    });

    it('cuts off who never ends the body, and keeps nothing of it', async () => {
      const name = sha256('x');
      const head = `PUT /blobs/${name} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${coordinator.tokens.admin}`;
      await raw(`${head}\r\nContent-Length: 100\r\n\r\nhalf`);
      expect(await coordinator.blobs.has(name)).toBe(false);
    });

    it('answers what is not HTTP with an error and goes on', async () => {
      expect(await raw('hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400/);
      expect((await ask('/healthz')).body).toBe('ok\n');
    });

    it('survives a client that resets the connection in the middle of a download', async () => {
      const { sha256: name } = await coordinator.blobs.putBytes(new Uint8Array(8_000_000));
      const { hostname, port } = new URL(coordinator.url);
      await new Promise<void>((resolve) => {
        const socket = connect(Number(port), hostname, () =>
          socket.write(
            `GET /blobs/${name} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${coordinator.tokens.admin}\r\n\r\n`,
          ),
        );
        socket.once('data', () => {
          socket.resetAndDestroy();
          resolve();
        });
      });
      expect((await ask('/healthz')).status).toBe(200);
    });
  });

  describe('the API', () => {
    const shard = Buffer.from('rows');
    const request = (change: Partial<RunRequest> = {}): RunRequest => ({
      runId: 'flights',
      name: 'flights',
      spec: treeSpec(3),
      shards: [
        {
          dataset: 'train',
          index: 0,
          firstRow: 0,
          rows: 4,
          sha256: sha256(shard),
          sizeBytes: shard.byteLength,
        },
      ],
      workers: { min: 1, max: 1 },
      maxFailures: 0,
      ...change,
    });
    const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> =>
      ask(path, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) });

    it('tells how the coordinator is', async () => {
      await greet(openControl());
      const status = JSON.parse((await ask('/api/v1/status')).body) as Record<string, unknown>;
      expect(status).toMatchObject({ workers: 1, runs: [], counters: { malformedMessages: 0 } });
      const { workers } = JSON.parse((await ask('/api/v1/workers')).body) as { workers: object[] };
      expect(workers).toMatchObject([{ runtime: 'node', present: true, session: 1 }]);
      expect(JSON.stringify(workers)).not.toContain('secret');
      expect((await ask('/')).body).toContain('workers: 1\n  node on x\n');
    });

    it('gives Prometheus its text', async () => {
      await greet(openControl());
      const { body, headers } = await ask('/metrics');
      expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
      expect(body).toContain('# TYPE tabgrad_workers gauge\ntabgrad_workers{state="present"} 1\n');
      expect(body).toMatch(/^tabgrad_traffic_bytes_total\{purpose="control",direction="sent"\} [1-9]\d*$/m);
    });

    it('runs what another process submits, reports it as events, and gives the outcome', async () => {
      await coordinator.blobs.putBytes(shard);
      expect((await post('/api/v1/runs', request())).status).toBe(201);
      expect((await ask('/api/v1/runs/flights/outcome')).status).toBe(202);
      const events = ask('/api/v1/runs/flights/events');
      trainAlone(openControl());
      const stream = (await events).body;
      const types = [...stream.matchAll(/^event: (.*)$/gm)].map((match) => match[1]);
      expect(types).toEqual(['waiting', 'waiting', 'group', 'round', 'round', 'round', 'end']);
      expect(stream).toMatch(/id: 7\nevent: end\ndata: \{"type":"end","status":"finished","atMs":\d+\}\n/);
      const outcome = JSON.parse((await ask('/api/v1/runs/flights/outcome')).body) as object;
      expect(outcome).toMatchObject({
        status: 'finished',
        rounds: [0, 1, 2].map((round) => ({
          round,
          payload: [treeOfRound(round)],
          metrics: { loss: round },
        })),
      });
      expect(JSON.parse((await ask('/api/v1/runs')).body)).toMatchObject({
        runs: [{ runId: 'flights', status: 'finished', rounds: 3 }],
      });
      const again = ask('/api/v1/runs/flights/events', { headers: { 'Last-Event-ID': '6' } });
      expect((await again).body).toMatch(/^id: 7\nevent: end\n/);
    });

    const treeOfRound = (round: number): EncodedTree => treeOf(`${round}`.padStart(16, '0'));

    /** A worker that commits three rounds as soon as it is told to begin. */
    function trainAlone(socket: WebSocket): void {
      const say = (message: object): void => socket.send(JSON.stringify(message));
      socket.on('open', () => say({ ...hello, token: coordinator.tokens.join }));
      socket.on('message', (data: Buffer) => {
        const { type, workerId, runId, generation } = JSON.parse(data.toString()) as Record<string, unknown>;
        if (type === 'welcome') say({ type: 'available', peerId: workerId });
        if (type === 'assign') say({ type: 'ready', runId, generation, links: [] });
        if (type !== 'begin') return;
        for (let round = 0; round < 3; round += 1) {
          const times = { computeMs: 1, exchangeMs: 0, bytesSent: 0 };
          const trees = [treeOfRound(round)];
          const result = { payload: trees, payloadSha256: treesSha256(trees), metrics: { loss: round } };
          say({ type: 'committed', runId, generation, round, ...times, ...result });
        }
      });
    }

    it('stops a run that waits, and says what it waits for', async () => {
      await coordinator.blobs.putBytes(shard);
      await post('/api/v1/runs', request());
      const events = await fetch(`${coordinator.url}/api/v1/runs/flights/events`, { headers: asOwner() });
      await events.body?.getReader().read();
      expect(JSON.parse((await ask('/api/v1/runs/flights')).body)).toMatchObject({
        status: 'running',
        waiting: 'Waiting for 1 more worker (0 of 1 here).',
      });
      expect((await post('/api/v1/runs/flights/stop', { reason: 'changed my mind' })).status).toBe(202);
      expect(JSON.parse((await ask('/api/v1/runs/flights/outcome')).body)).toEqual({
        status: 'stopped',
        rounds: [],
      });
    });

    it.each([
      ['text that is not JSON', '{', 'BAD_REQUEST', 400],
      ['a missing field', { runId: 'x' }, 'RUN_REQUEST_INVALID', 400],
      ['a run id with slashes', request({ runId: '../x' }), 'RUN_REQUEST_INVALID', 400],
      ['no shards', request({ shards: [] }), 'RUN_REQUEST_INVALID', 400],
      [
        'a trainer that is not there',
        request({ spec: { trainer: 'x' } as never }),
        'RUN_REQUEST_INVALID',
        400,
      ],
      [
        'fewer workers at most than at least',
        request({ workers: { min: 3, max: 2 } }),
        'RUN_REQUEST_INVALID',
        400,
      ],
      ['shards that are not stored', request(), 'RUN_REQUEST_INVALID', 400],
      [
        'trees without a device',
        request({ spec: { ...treeSpec(3), device: undefined } as never }),
        'RUN_REQUEST_INVALID',
        400,
      ],
      [
        'a net of steps that are no number',
        request({ spec: netSpec('3' as never) }),
        'RUN_REQUEST_INVALID',
        400,
      ],
      [
        'a loop without datasets',
        request({ spec: { ...loopSpec(), datasets: undefined } as never }),
        'RUN_REQUEST_INVALID',
        400,
      ],
    ])('refuses %s', async (_, body, code, status) => {
      const reply = await post('/api/v1/runs', body);
      expect([reply.status, errorCode(reply)]).toEqual([status, code]);
    });

    it('refuses a second run of the same id and knows no others', async () => {
      await coordinator.blobs.putBytes(shard);
      await post('/api/v1/runs', request());
      const again = await post('/api/v1/runs', request());
      expect([again.status, errorCode(again)]).toEqual([409, 'RUN_EXISTS']);
      const other = await ask('/api/v1/runs/other');
      expect([other.status, errorCode(other)]).toEqual([404, 'RUN_UNKNOWN']);
    });

    it('refuses pages of other origins and names that are not ours', async () => {
      const foreign = await post('/api/v1/runs', request(), { Origin: 'https://evil.example' });
      expect([foreign.status, errorCode(foreign)]).toEqual([403, 'ORIGIN_REFUSED']);
      const rebound = await ask('/api/v1/status', { headers: { Host: 'evil.example' } });
      expect([rebound.status, errorCode(rebound)]).toEqual([403, 'ORIGIN_REFUSED']);
    });

    it('asks for the admin token', async () => {
      await coordinator.close();
      await start({ adminToken: 'boss', joinToken: 'guest' });
      const status = async (path: string, token?: string, method = 'GET', body = ''): Promise<number> => {
        const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
        return (await ask(path, { method, headers, isStranger: true, ...(body !== '' && { body }) })).status;
      };
      expect(await status('/api/v1/status')).toBe(401);
      expect(await status('/api/v1/status', 'guest')).toBe(401);
      expect(await status('/api/v1/status', 'boss')).toBe(200);
      expect(await status('/metrics')).toBe(401);
      expect(await status('/healthz')).toBe(200);
      const blob = `/blobs/${sha256('x')}`;
      expect(await status(blob, undefined, 'PUT', 'x')).toBe(401);
      expect(await status(blob, 'guest', 'PUT', 'x')).toBe(401);
      expect(await status(blob, 'boss', 'PUT', 'x')).toBe(201);
      expect(await status(blob)).toBe(401);
      expect(await status(blob, 'guest')).toBe(401);
      expect(await status(blob, 'boss')).toBe(200);
    });
  });

  describe('starting and closing', () => {
    it('names host and port when the port is in use', async () => {
      const port = Number(new URL(coordinator.url).port);
      await expect(startCoordinator({ port })).rejects.toMatchObject({
        code: 'PORT_IN_USE',
        message: `Port ${port} of 127.0.0.1 is in use. Stop the other program, or choose another port.`,
      });
    });

    it('says when it cannot listen on an address', async () => {
      // 192.0.2.0/24 is reserved for documentation (RFC 5737): no machine has it.
      await expect(startCoordinator({ port: 0, host: '192.0.2.1' })).rejects.toMatchObject({
        code: 'LISTEN_FAILED',
      });
    });

    it.each(['127.0.0.1', '0.0.0.0'])('makes tokens of its own when it listens on %s', async (host) => {
      await coordinator.close();
      await start({ host });
      const { admin, join, local } = coordinator.tokens;
      for (const token of [admin, join, local]) expect(token).toMatch(/^[\w-]{43}$/);
      expect(new Set([admin, join, local]).size).toBe(3);
      expect(new URL(coordinator.joinUrl).hash).toBe(`#token=${join}`);
      expect((await ask('/api/v1/status', { isStranger: true })).status).toBe(401);
      for (const token of [undefined, admin, 'guess']) {
        expect(await greet(openControl(), { ...hello, token })).toMatchObject({ code: 'TOKEN_REQUIRED' });
      }
      for (const token of [join, local]) {
        expect(await greet(openControl(), { ...hello, token })).toMatchObject({ type: 'welcome' });
      }
    });

    it('is known under its public URL', async () => {
      await coordinator.close();
      await start({ publicUrl: 'https://gpu.example/' });
      expect(coordinator.joinUrl).toBe(`https://gpu.example/join#token=${coordinator.tokens.join}`);
      expect((await ask('/join', { headers: { Host: 'gpu.example' } })).status).toBe(200);
    });

    it('ends its runs with an error, says goodbye to workers and removes its temporary folder', async () => {
      const socket = openControl();
      await greet(socket);
      const { sha256: name } = await coordinator.blobs.putBytes(new Uint8Array(1));
      const run = coordinator.startRun({
        runId: 'r',
        name: 'r',
        spec: { trainer: 'gbdt', numBoostRound: 1 },
        shards: [{ dataset: 'train', index: 0, firstRow: 0, rows: 1, sha256: name, sizeBytes: 1 }],
        workers: { min: 2, max: 2 },
        maxFailures: 0,
      } as unknown as RunRequest);
      const goodbye = nextMessage(socket);
      const closed = whenClosed(socket);
      await Promise.all([coordinator.close(), coordinator.close()]);
      await expect(run.done).rejects.toMatchObject({ code: 'COORDINATOR_CLOSED' });
      expect(await goodbye).toMatchObject({ type: 'shutdown', reconnect: true });
      expect(await closed).toBe(1001);
      await expect(access(dirname(coordinator.blobs.place))).rejects.toMatchObject({ code: 'ENOENT' });
      expect(() => coordinator.startRun({} as unknown as RunRequest)).toThrow('The coordinator is closed');
    });

    it('keeps the blobs of a storage folder', async () => {
      await coordinator.close();
      await start({ storagePath: join(folder, 'storage') });
      const { sha256: name } = await coordinator.blobs.putBytes(new Uint8Array(5));
      await coordinator.close();
      await start({ storagePath: join(folder, 'storage') });
      expect((await ask(`/blobs/${name}`)).status).toBe(200);
    });
  });
});
