import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { openRemoteCluster } from '../../../coordinator/cluster/remoteCluster.ts';
import type { RunEvent, RunHandle, RunRequest } from '../../../coordinator/core/run/runRequest.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

let close: () => Promise<void> = () => Promise.resolve();
afterEach(() => close());

/** A server with one handler for all paths. */
async function serve(handler: Handler): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => handler(request, response, Buffer.concat(chunks)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close = () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const json = (response: ServerResponse, status: number, value: unknown): void =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
const event = (id: number, value: object): string => `id: ${id}\ndata: ${JSON.stringify(value)}\n\n`;
const signal = new AbortController().signal;
const pause = (): Promise<void> => Promise.resolve();
const request = { runId: 'run-1', name: 'n', shouldStop: () => false } as unknown as RunRequest;
const rounds = [0, 1].map((round) => ({
  round,
  payload: [{ left: [-1] }],
  metrics: { 'train-rmse': 1 / (round + 1) },
}));
const reported = rounds.map(({ round, metrics }) => ({ type: 'round', round, metrics, timings: [] }));

async function start(url: string, token?: string): Promise<{ run: RunHandle; events: RunEvent[] }> {
  const cluster = await openRemoteCluster({ url, token, signal, pause, outageMs: 3000 });
  const run = await cluster.startRun(request);
  const events: RunEvent[] = [];
  run.onEvent((event) => events.push(event));
  return { run, events };
}

describe('a coordinator elsewhere', () => {
  it('is followed across a dropped connection, from the event where it dropped', async () => {
    const asked: (string | undefined)[] = [];
    let submitted: unknown;
    const url = await serve((incoming, response, body) => {
      const path = incoming.url ?? '';
      if (incoming.method === 'POST') submitted = JSON.parse(body.toString());
      if (!path.endsWith('/events')) {
        return json(response, 200, path.endsWith('/outcome') ? { status: 'finished', rounds } : { runs: [] });
      }
      const last = incoming.headers['last-event-id'] as string;
      asked.push(last);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      if (last === '0') {
        // The second event is cut off in the middle.
        response.write(`: hello\n\n${event(1, reported[0]!)}${event(2, reported[1]!).slice(0, 20)}`);
        return void setImmediate(() => response.destroy());
      }
      response.end(`${event(2, reported[1]!)}${event(3, { type: 'end', status: 'finished' })}`);
    });
    const { run, events } = await start(url);
    expect(await run.done).toEqual({ status: 'finished', rounds });
    expect(asked).toEqual(['0', '1']);
    expect(events).toEqual(
      rounds.map(({ round, metrics }) => ({
        type: 'round',
        committed: { round, metrics, payload: [] },
        timings: [],
      })),
    );
    expect(submitted).toEqual({ runId: 'run-1', name: 'n' });
  });

  it('fails with the code and message that the run failed with there', async () => {
    const failure = { code: 'WORKER_FAILED', message: 'worker w1: bad shard' };
    const url = await serve((incoming, response) => {
      if (incoming.url?.endsWith('/outcome')) return json(response, 409, { error: failure });
      if (!incoming.url?.endsWith('/events')) return json(response, 200, {});
      response.end(event(1, { type: 'end', status: 'failed', error: failure }));
    });
    const { run } = await start(url);
    await expect(run.done).rejects.toMatchObject(failure);
  });

  it('is given up when it has been out of reach for too long', async () => {
    const url = await serve((incoming, response) => {
      if (incoming.url?.endsWith('/events')) response.destroy();
      else json(response, 200, {});
    });
    const { run } = await start(url);
    await expect(run.done).rejects.toMatchObject({
      code: 'COORDINATOR_UNREACHABLE',
      message: expect.stringContaining('out of reach for 3 s; run run-1 may go on there') as string,
    });
  });

  it('gets shards and runs when it is back after a restart, the run once', async () => {
    const asked: string[] = [];
    /** Every request is lost once: before the coordinator took it, or (a PUT or POST) after that. */
    const seen = new Set<string>();
    const url = await serve((incoming, response) => {
      const key = `${incoming.method} ${incoming.url?.slice(0, 12)}`;
      asked.push(key);
      const isFirst = !seen.has(key);
      seen.add(key);
      if (isFirst && key !== 'GET /api/v1/runs') return void response.destroy();
      if (key.startsWith('HEAD')) return void response.writeHead(404).end();
      if (key.startsWith('POST'))
        return json(response, 409, { error: { code: 'RUN_EXISTS', message: 'it has it' } });
      if (incoming.url?.startsWith('/blobs')) return void response.end('bytes');
      if (incoming.url?.endsWith('/outcome')) return json(response, 200, { status: 'finished', rounds });
      if (incoming.url?.endsWith('/events'))
        return response.end(event(1, { type: 'end', status: 'finished' }));
      json(response, 200, {});
    });
    const cluster = await openRemoteCluster({ url, signal, pause });
    const blob = await cluster.blobs.putBytes(Buffer.from('bytes'));
    expect(Buffer.from(await cluster.readBlob(blob)).toString()).toBe('bytes');
    const run = await cluster.startRun(request);
    expect(await run.done).toEqual({ status: 'finished', rounds });
    expect(asked.slice(0, 9)).toEqual([
      'GET /api/v1/runs',
      ...['HEAD', 'HEAD', 'PUT', 'PUT', 'GET', 'GET'].map(
        (method) => `${method} /blobs/${blob.sha256.slice(0, 5)}`,
      ),
      'POST /api/v1/runs',
      'POST /api/v1/runs',
    ]);
  });

  it('that has a run of that id already refuses a second one', async () => {
    const url = await serve((incoming, response) =>
      incoming.method === 'POST'
        ? json(response, 409, { error: { code: 'RUN_EXISTS', message: 'taken' } })
        : json(response, 200, {}),
    );
    const cluster = await openRemoteCluster({ url, signal, pause });
    await expect(cluster.startRun(request)).rejects.toMatchObject({ code: 'RUN_EXISTS' });
  });

  it('is waited for at first only where that is asked for', async () => {
    let asked = 0;
    const url = await serve((_, response) => {
      if (++asked < 3) response.destroy();
      else json(response, 200, {});
    });
    await expect(openRemoteCluster({ url, signal, pause })).rejects.toMatchObject({
      code: 'COORDINATOR_UNREACHABLE',
    });
    await openRemoteCluster({ url, signal, pause, firstContactMs: 10_000 });
    expect(asked).toBe(3);
  });

  it('is stopped through its API', async () => {
    let reason: unknown;
    let end: () => void = () => undefined;
    let followed: () => void = () => undefined;
    const following = new Promise<void>((resolve) => (followed = resolve));
    const url = await serve((incoming, response, body) => {
      const path = incoming.url ?? '';
      if (path.endsWith('/outcome')) return json(response, 200, { status: 'stopped', rounds: [] });
      if (path.endsWith('/events')) {
        end = () => void response.end(event(1, { type: 'end', status: 'stopped' }));
        followed();
        return response.flushHeaders();
      }
      if (path.endsWith('/stop')) {
        reason = JSON.parse(body.toString());
        end();
      }
      json(response, 200, {});
    });
    const { run } = await start(url);
    await following;
    run.stop('enough');
    expect(await run.done).toEqual({ status: 'stopped', rounds: [] });
    expect(reason).toEqual({ reason: 'enough' });
  });

  it('gets a blob only when it does not have it, under its hash and with the token', async () => {
    const seen: string[] = [];
    const url = await serve((incoming, response) => {
      seen.push(`${incoming.method} ${incoming.url?.slice(0, 12)} ${incoming.headers.authorization}`);
      const known = incoming.url?.startsWith('/blobs/2d71') === true;
      response.writeHead(incoming.method === 'HEAD' && !known ? 404 : 200).end();
    });
    const cluster = await openRemoteCluster({ url, token: 't', signal });
    await cluster.blobs.putBytes(Uint8Array.of(1));
    const address = await cluster.blobs.putBytes(new TextEncoder().encode('x'));
    expect(address).toEqual({
      sha256: '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881',
      sizeBytes: 1,
    });
    expect(seen.slice(1)).toEqual([
      'HEAD /blobs/4bf51 Bearer t',
      'PUT /blobs/4bf51 Bearer t',
      'HEAD /blobs/2d711 Bearer t',
    ]);
  });

  it('refuses a wrong token, and says when nobody or somebody else answers', async () => {
    const error = { code: 'TOKEN_REQUIRED', message: 'The token is wrong' };
    const refusing = await serve((_, response) => json(response, 401, { error }));
    await expect(openRemoteCluster({ url: refusing, signal })).rejects.toMatchObject(error);
    await close();
    await expect(openRemoteCluster({ url: refusing, signal })).rejects.toMatchObject({
      code: 'COORDINATOR_UNREACHABLE',
      message: expect.stringContaining('ECONNREFUSED') as string,
    });
    const other = await serve((_, response) => void response.writeHead(404).end('<html>nginx'));
    await expect(openRemoteCluster({ url: other, signal })).rejects.toThrow(
      /no tabgrad coordinator.*404.*nginx/,
    );
  });
});
