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
    expect(JSON.parse(await list('status', '--json'))).toMatchObject({
      experiments: [{ ...update, experimentId: id }],
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
});
