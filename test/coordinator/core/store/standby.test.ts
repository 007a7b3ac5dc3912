// Two coordinators for one address: the second stands by, and takes over when the first is killed in the middle of a run.

import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { knownCoordinator } from '../../../../coordinator/cluster/remote/knownCoordinator.ts';
import { startLocalWorkers, type LocalWorkers } from '../../../../coordinator/cluster/local/localWorkers.ts';
import { GBDTTrainer } from '../../../../coordinator/train/gbdt/gbdtTrainer.ts';
import { flights } from '../../../endToEnd/swarm.ts';
import { startTabgrad, type Running } from '../../cli/runTabgrad.ts';
import { freePort } from '../../../setup/freePort.ts';

const ROUNDS = 20;

describe('A coordinator that stands by', () => {
  let folder: string;
  let url: string;
  let localWorkers: LocalWorkers;
  const coordinators: Running[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tabgrad-standby-'));
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const words = ['up', '--port', String(port), '--storage', join(folder, 'storage'), '--standby', '--json'];
    coordinators.push(startTabgrad(words));
    await coordinators[0]!.printed('"type":"up"');
    coordinators.push(startTabgrad(words));
    await coordinators[1]!.printed('"type":"standby"');
    const { joinToken } = (await knownCoordinator(url))!;
    localWorkers = await startLocalWorkers({
      url,
      token: joinToken,
      count: 2,
      runtime: 'node',
      device: 'cpu',
    });
  });
  afterAll(async () => {
    await localWorkers?.stop();
    for (const coordinator of coordinators) coordinator.signal('SIGKILL');
    await Promise.all(coordinators.map(({ ended }) => ended));
    await rm(folder, { recursive: true, force: true });
  });

  async function train(name: string, onRound: (round: number) => void): Promise<string> {
    const result = await new GBDTTrainer({
      datasets: { train: flights(30_000) },
      labelColumn: 'is_late',
      params: { objective: 'binary:logistic', max_depth: 5 },
      numBoostRound: ROUNDS,
      scalingConfig: { numWorkers: 2, url },
      runConfig: {
        name,
        storagePath: folder,
        verbose: 0,
        callbacks: [{ onEvent: (event) => event.type === 'round' && onRound(event.committed.round) }],
      },
    }).fit();
    const model = await readFile(join(result.checkpoint.path, 'model.json'));
    return createHash('sha256').update(model).digest('hex');
  }

  it(
    'takes over runs and workers when the other is killed, to the same model',
    { timeout: 180_000 },
    async () => {
      const undisturbed = await train('undisturbed', () => undefined);
      const workers = localWorkers.workers.map(({ workerId }) => workerId);
      let killed = false;
      const taken = await train('taken-over', (round) => {
        if (round < 3 || killed) return;
        killed = true;
        coordinators[0]!.signal('SIGKILL');
      });
      expect(killed).toBe(true);
      expect(taken).toBe(undisturbed);
      const { adminToken } = (await knownCoordinator(url))!;
      const headers = { authorization: `Bearer ${adminToken}` };
      const now = (await (await fetch(`${url}/api/v1/workers`, { headers })).json()) as {
        workers: { workerId: string }[];
      };
      expect(now.workers.map(({ workerId }) => workerId).sort()).toEqual([...workers].sort());
      expect(await coordinators[1]!.printed('"type":"up"')).toContain('"type":"standby"');
    },
  );

  it('gives up waiting when it is told to', async () => {
    const port = await freePort();
    const words = ['up', '--port', String(port), '--storage', join(folder, 'storage'), '--standby', '--json'];
    const third = startTabgrad(words);
    coordinators.push(third);
    await third.printed('"type":"standby"');
    third.signal('SIGTERM');
    expect((await third.ended).code).toBe(143);
  });
});
