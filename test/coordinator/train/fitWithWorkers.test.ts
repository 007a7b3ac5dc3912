// The trainer with everything real: an embedded coordinator, worker processes, links between them.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GBDTTrainer, readCsv, startCoordinator, startLocalWorkers } from '../../../coordinator/index.ts';
import type { GBDTTrainerOptions, ScalingConfig } from '../../../coordinator/index.ts';
import { inProcessWorld } from './inProcessCluster.ts';

let storagePath = '';
beforeAll(() => void (storagePath = mkdtempSync(path.join(tmpdir(), 'tabgrad-fit-workers-'))));
afterAll(() => rmSync(storagePath, { recursive: true }));

const file = path.resolve(
  import.meta.dirname,
  '../../../node_modules/@observablehq/sample-datasets/diamonds.csv',
);

function options(name: string, scalingConfig: ScalingConfig): GBDTTrainerOptions {
  const [train, valid] = readCsv(file).limit(12_000).trainTestSplit(0.3, { shuffle: true, seed: 1 });
  return {
    datasets: { train, valid },
    labelColumn: 'price',
    params: { objective: 'reg:squarederror', max_depth: 4, base_score: 3000, subsample: 0.8 },
    numBoostRound: 4,
    scalingConfig,
    runConfig: { name, storagePath },
  };
}

const model = (name: string): string =>
  readFileSync(path.join(storagePath, name, 'checkpoints', '4', 'model.json'), 'utf8');

describe('GBDTTrainer with real workers', () => {
  beforeAll(async () => void (await new GBDTTrainer(options('reference', {}), inProcessWorld()).fit()));

  it.each([
    [1, 'node'],
    [3, 'node'],
    [2, ['deno', 'node']],
  ] as const)('writes the model of one process with %i workers on %j', async (numWorkers, runtime) => {
    const name = `with-${numWorkers}`;
    const result = await new GBDTTrainer(options(name, { numWorkers, runtime, device: 'cpu' })).fit();
    expect(result.workers).toHaveLength(numWorkers);
    expect(model(name)).toBe(model('reference'));
  });

  it('writes the same model on a coordinator in another place, which keeps its workers', async () => {
    const coordinator = await startCoordinator({ port: 0, adminToken: 'secret' });
    const workers = await startLocalWorkers({
      url: coordinator.url,
      token: coordinator.tokens.local,
      count: 2,
      runtime: 'node',
      device: 'cpu',
    });
    try {
      await new GBDTTrainer(
        options('elsewhere', { numWorkers: 2, url: coordinator.url, token: 'secret' }),
      ).fit();
      expect(model('elsewhere')).toBe(model('reference'));
      expect(coordinator.pool.workers()).toHaveLength(2);
    } finally {
      await workers.stop();
      await coordinator.close();
    }
  });

  it('ends its workers when it is called off', async () => {
    const calledOff = new AbortController();
    const pids: number[] = [];
    const slow = options('called-off', { numWorkers: 2, device: 'cpu' });
    const trainer = new GBDTTrainer({
      ...slow,
      numBoostRound: 1000,
      runConfig: {
        ...slow.runConfig,
        callbacks: [
          {
            onEvent(event) {
              if (event.type !== 'round' || event.committed.round !== 1) return;
              pids.push(...childPids());
              calledOff.abort();
            },
          },
        ],
      },
    });
    await expect(trainer.fit({ signal: calledOff.signal })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(pids.length).toBeGreaterThanOrEqual(2);
    const remaining = childPids();
    expect(pids.filter((pid) => remaining.includes(pid))).toEqual([]);
    expect(readdirSync(path.join(storagePath, 'called-off', 'checkpoints'))).toHaveLength(1);
  });

  it('refuses to start more local workers than a machine can use', async () => {
    const asked = new GBDTTrainer(options('crowd', { numWorkers: [2, 65] })).fit();
    await expect(asked).rejects.toMatchObject({
      code: 'TRAIN_ARGUMENT',
      message: expect.stringContaining('asks for 65 workers on this machine, expected at most 64') as string,
    });
  });
});

/** Processes that this one started and that are still there. */
function childPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => parentOf(pid) === process.pid)
    .map(Number);
}

/** Parent of a process; undefined when it is gone. */
function parentOf(pid: string): number | undefined {
  try {
    // The name in parentheses may have spaces; state and parent follow it.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}
