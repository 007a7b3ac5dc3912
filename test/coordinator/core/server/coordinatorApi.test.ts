// The owner's API at a real server.

import { loopSpec, netSpec, treeSpec } from '../../../setup/runSpecs.ts';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import type { RunRequest } from '../../../../coordinator/core/run/runRequest.ts';
import type { EncodedTree } from '../../../../shared/gbdt/treeCodec.ts';
import { treeOf, treesSha256 } from '../../../simulation/simulatedTree.ts';
import { servedCoordinator, hello, type Reply, errorCode } from './servedCoordinator.ts';

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

const world = servedCoordinator();

describe('coordinator', () => {
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
      world.ask(path, {
        method: 'POST',
        headers,
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });

    it('tells how the coordinator is', async () => {
      await world.greet(world.openControl());
      const status = JSON.parse((await world.ask('/api/v1/status')).body) as Record<string, unknown>;
      expect(status).toMatchObject({ workers: 1, runs: [], counters: { malformedMessages: 0 } });
      const { workers } = JSON.parse((await world.ask('/api/v1/workers')).body) as { workers: object[] };
      expect(workers).toMatchObject([{ runtime: 'node', present: true, session: 1 }]);
      expect(JSON.stringify(workers)).not.toContain('secret');
      expect((await world.ask('/')).body).toContain('workers: 1\n  node on x\n');
    });

    it('gives Prometheus its text', async () => {
      await world.greet(world.openControl());
      const { body, headers } = await world.ask('/metrics');
      expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
      expect(body).toContain('# TYPE tabgrad_workers gauge\ntabgrad_workers{state="present"} 1\n');
      expect(body).toMatch(/^tabgrad_traffic_bytes_total\{purpose="control",direction="sent"\} [1-9]\d*$/m);
    });

    it('runs what another process submits, reports it as events, and gives the outcome', async () => {
      await world.coordinator.blobs.putBytes(shard);
      expect((await post('/api/v1/runs', request())).status).toBe(201);
      expect((await world.ask('/api/v1/runs/flights/outcome')).status).toBe(202);
      const events = world.ask('/api/v1/runs/flights/events');
      trainAlone(world.openControl());
      const stream = (await events).body;
      const types = [...stream.matchAll(/^event: (.*)$/gm)].map((match) => match[1]);
      expect(types).toEqual(['waiting', 'waiting', 'group', 'round', 'round', 'round', 'end']);
      expect(stream).toMatch(/id: 7\nevent: end\ndata: \{"type":"end","status":"finished","atMs":\d+\}\n/);
      const outcome = JSON.parse((await world.ask('/api/v1/runs/flights/outcome')).body) as object;
      expect(outcome).toMatchObject({
        status: 'finished',
        rounds: [0, 1, 2].map((round) => ({
          round,
          payload: [treeOfRound(round)],
          metrics: { loss: round },
        })),
      });
      expect(JSON.parse((await world.ask('/api/v1/runs')).body)).toMatchObject({
        runs: [{ runId: 'flights', status: 'finished', rounds: 3 }],
      });
      const again = world.ask('/api/v1/runs/flights/events', { headers: { 'Last-Event-ID': '6' } });
      expect((await again).body).toMatch(/^id: 7\nevent: end\n/);
    });

    const treeOfRound = (round: number): EncodedTree => treeOf(`${round}`.padStart(16, '0'));

    /** A worker that commits three rounds as soon as it is told to begin. */
    function trainAlone(socket: WebSocket): void {
      const say = (message: object): void => socket.send(JSON.stringify(message));
      socket.on('open', () => say({ ...hello, token: world.coordinator.tokens.join }));
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
      await world.coordinator.blobs.putBytes(shard);
      await post('/api/v1/runs', request());
      const events = await fetch(`${world.coordinator.url}/api/v1/runs/flights/events`, {
        headers: world.asOwner(),
      });
      await events.body?.getReader().read();
      expect(JSON.parse((await world.ask('/api/v1/runs/flights')).body)).toMatchObject({
        status: 'running',
        waiting: 'Waiting for 1 more worker (0 of 1 here).',
      });
      expect((await post('/api/v1/runs/flights/stop', { reason: 'changed my mind' })).status).toBe(202);
      expect(JSON.parse((await world.ask('/api/v1/runs/flights/outcome')).body)).toEqual({
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
      await world.coordinator.blobs.putBytes(shard);
      await post('/api/v1/runs', request());
      const again = await post('/api/v1/runs', request());
      expect([again.status, errorCode(again)]).toEqual([409, 'RUN_EXISTS']);
      const other = await world.ask('/api/v1/runs/other');
      expect([other.status, errorCode(other)]).toEqual([404, 'RUN_UNKNOWN']);
    });

    it('refuses pages of other origins and names that are not ours', async () => {
      const foreign = await post('/api/v1/runs', request(), { Origin: 'https://evil.example' });
      expect([foreign.status, errorCode(foreign)]).toEqual([403, 'ORIGIN_REFUSED']);
      const rebound = await world.ask('/api/v1/status', { headers: { Host: 'evil.example' } });
      expect([rebound.status, errorCode(rebound)]).toEqual([403, 'ORIGIN_REFUSED']);
    });

    it('asks for the admin token', async () => {
      await world.coordinator.close();
      await world.start({ adminToken: 'boss', joinToken: 'guest' });
      const status = async (path: string, token?: string, method = 'GET', body = ''): Promise<number> => {
        const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
        return (await world.ask(path, { method, headers, isStranger: true, ...(body !== '' && { body }) }))
          .status;
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
});
