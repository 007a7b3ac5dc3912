// Experiments as a coordinator keeps and lists them, over its API and on the command line.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startCoordinator, type Coordinator } from '../../../coordinator/core/server/coordinator.ts';
import type { ExperimentUpdate } from '../../../shared/api/experiment.ts';
import { runTabgrad } from '../cli/runTabgrad.ts';
import { remoteRecord } from '../../../coordinator/cluster/remoteCluster.ts';

const id = '0b0e7b1c-0000-4000-8000-000000000001';
const update: ExperimentUpdate = {
  name: 'depths',
  folder: '/results/depths',
  metric: 'valid-auc',
  mode: 'max',
  status: 'running',
  startedAtMs: 1,
  trials: [
    {
      number: 0,
      status: 'finished',
      assignment: { 'params.max_depth': 4, kind: 'a' },
      iterations: 20,
      lastScore: 0.71,
      bestScore: 0.72,
      runId: 'abcdefgh-1',
    },
    {
      number: 1,
      status: 'errored',
      assignment: { 'params.max_depth': 0, kind: 'b' },
      iterations: 0,
      errorCode: 'PARAMETER_OUT_OF_RANGE',
    },
  ],
};

let folder = '';
let coordinator: Coordinator;

async function start(): Promise<void> {
  coordinator = await startCoordinator({ port: 0, storagePath: folder, adminToken: 'secret' });
}
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'tabgrad-experiments-'));
  await start();
});
afterEach(async () => {
  await coordinator.close();
  rmSync(folder, { recursive: true });
});

function put(body: unknown, token = 'secret', to = id): Promise<Response> {
  return fetch(`${coordinator.url}/api/v1/experiments/${to}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function ask(
  method: 'GET' | 'POST',
  place: string,
  experimentId: string,
  token: string,
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${coordinator.url}/api/v1/experiments/${experimentId}${place}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(method === 'POST' && { body: '{}' }),
  });
  return { status: response.status, body: await response.json() };
}
const get = (place: string, of = id, token = 'secret'): ReturnType<typeof ask> =>
  ask('GET', place, of, token);
const post = (place: string, token = 'secret'): ReturnType<typeof ask> => ask('POST', place, id, token);

async function list(command: string, ...options: string[]): Promise<string> {
  const { stdout } = await runTabgrad([command, '--url', coordinator.url, '--token', 'secret', ...options]);
  return stdout;
}

describe('experiments of a coordinator', () => {
  it('are listed with their trials, after a restart too', async () => {
    const { url } = coordinator;
    const record = remoteRecord({ url, token: 'secret', signal: new AbortController().signal });
    await record.save(id, update);
    await coordinator.close();
    await start();
    expect(await list('runs')).toBe(
      [
        'no runs yet',
        'experiments: 1',
        '0b0e7b1c  depths  running  2 trials  valid-auc max  /results/depths',
        '  trial 0  finished  max_depth=4 kind=a  20 iterations  last 0.71000  best 0.72000  run abcdefgh',
        '  trial 1  errored   max_depth=0 kind=b  0 iterations                               PARAMETER_OUT_OF_RANGE',
        '',
      ].join('\n'),
    );
    expect(JSON.parse(await list('runs', '--json'))).toMatchObject({
      ...update,
      experimentId: id,
      trialCount: 2,
    });
    expect(await list('status')).toMatch(/experiments: 1\n0b0e7b1c +depths +running +2 trials/);
    // What is asked for every two seconds has no trials in it.
    expect(JSON.parse(await list('status', '--json'))).toMatchObject({
      experiments: [
        {
          ...update,
          experimentId: id,
          trialCount: 2,
          counts: { errored: 1, finished: 1 },
          best: { number: 0, score: 0.71 },
          trials: [],
        },
      ],
    });
  });

  it('are taken from who may, and in their own form', async () => {
    const [trial] = update.trials;
    const bad: [unknown, string][] = [
      [{ ...update, status: 'odd' }, 'status'],
      [{ ...update, extra: 1 }, 'Unrecognized key'],
      [{ ...update, name: 'x'.repeat(201) }, 'name'],
      [{ ...update, trials: [{ ...trial, number: -1 }] }, 'trials.0.number'],
      [{ ...update, trials: [{ ...trial, bestScore: null }] }, 'trials.0.bestScore'],
      [{ ...update, trials: [{ ...trial, assignment: { x: 'x'.repeat(30_000) } }] }, 'trials.0.assignment'],
      [{ ...update, trials: Array(501).fill(trial) }, 'trials'],
      [{ ...update, trials: [{ ...trial, reports: [[1, null]] }] }, 'trials.0.reports.0.1'],
      [{ ...update, trials: [{ ...trial, reports: [[-1, 0]] }] }, 'trials.0.reports.0.0'],
      [
        {
          ...update,
          trials: [
            {
              ...trial,
              reports: [
                [2, 0],
                [2, 1],
              ],
            },
          ],
        },
        'trials.0.reports',
      ],
      [
        { ...update, trials: [{ ...trial, reports: Array.from({ length: 257 }, (_, i) => [i, 0]) }] },
        'reports',
      ],
      [[], 'The body'],
    ];
    for (const [body, where] of bad) {
      const response = await put(body);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({
        error: { code: 'BAD_REQUEST', message: expect.stringContaining(where) as string },
      });
    }
    expect((await put(update, 'wrong')).status).toBe(401);
    expect((await put(update, 'secret', 'no-uuid')).status).toBe(400);
    expect(await list('runs', '--json')).toBe('');
    expect((await put(update)).status).toBe(200);
  });

  it('are told one by one, with curves, and in parts', async () => {
    const reports: [number, number][] = [
      [1, 0.5],
      [2, 0.6],
    ];
    await put({ ...update, trials: [{ ...update.trials[0], reports }, update.trials[1]] });
    expect(await get('')).toMatchObject({
      status: 200,
      body: { ...update, experimentId: id, trialCount: 2 },
    });
    expect(await get('?after=0')).toMatchObject({ status: 200, body: { trials: [update.trials[1]] } });
    expect(await get('/curves')).toEqual({
      status: 200,
      body: { trialCount: 1, curves: [{ number: 0, points: reports }] },
    });
    for (const query of ['?after=x', '?after=', '?after=-2', '?after=0.5'])
      expect(await get(query)).toMatchObject({ status: 400, body: { error: { code: 'BAD_REQUEST' } } });
    for (const place of ['', '/curves'])
      expect(await get(place, id.replace(/1$/, '2'))).toMatchObject({
        status: 404,
        body: { error: { code: 'NOT_FOUND' } },
      });
    expect((await get('', 'no-uuid')).status).toBe(400);
    expect((await get('', id, 'wrong')).status).toBe(401);
  });

  it('can be wished to end: their process is told with its next update', async () => {
    const open = { ...update, trials: [{ ...update.trials[0], number: 2, status: 'running' }] };
    expect(await (await put(update)).json()).toEqual({ experimentId: id, stop: false, stopTrials: [] });
    await put(open);
    expect(await post('/trials/2/stop')).toEqual({ status: 202, body: { wished: true } });
    expect(await post('/trials/0/stop')).toMatchObject({
      status: 409,
      body: { error: { code: 'EXPERIMENT_OVER', message: expect.stringContaining('trial 0') as string } },
    });
    expect((await post('/trials/7/stop')).status).toBe(404);
    for (const number of ['x', '%20', '0x2', '2e0'])
      expect((await post(`/trials/${number}/stop`)).status).toBe(400);
    expect((await post('/stop', 'wrong')).status).toBe(401);
    expect(await post('/stop')).toEqual({ status: 202, body: { wished: true } });
    const record = remoteRecord({
      url: coordinator.url,
      token: 'secret',
      signal: new AbortController().signal,
    });
    expect(await record.save(id, { ...update, trials: [] })).toMatchObject({ stop: true, stopTrials: [2] });
    await put({ ...update, trials: [], status: 'stopped', endedAtMs: 2 });
    expect(await post('/stop')).toMatchObject({ status: 409, body: { error: { code: 'EXPERIMENT_OVER' } } });
  });
});
