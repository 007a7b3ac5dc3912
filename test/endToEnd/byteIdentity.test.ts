// The promise the project stands on: who takes part, on what, and who dies on the way changes no byte of the model.

import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Dataset } from '../../coordinator/data/dataset.ts';
import type { LocalDevice, LocalRuntime } from '../../coordinator/options/localWorker.ts';
import { Swarm, flights } from './swarm.ts';
import type { Trained } from './swarm.ts';

const ROWS = 400_000;

let swarm: Swarm;
let datasets: { train: Dataset; valid: Dataset };
let alone: Trained;

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

beforeAll(async () => {
  swarm = await Swarm.start();
  const [train, valid] = (await flights(ROWS).materialize()).trainTestSplit(0.3, { shuffle: true, seed: 1 });
  datasets = { train, valid };
  await swarm.add('node');
  alone = await swarm.train({ datasets }, 1);
  await swarm.dismiss();
});
afterEach(() => swarm.dismiss());
afterAll(() => swarm.close());

describe('A model trained by a swarm', () => {
  it('is worth something: the reference run learns', () => {
    expect(alone.result.metrics['valid-auc']).toBeGreaterThan(0.6);
    expect(JSON.parse(alone.modelText).learner.gradient_booster.model.trees).toHaveLength(4);
  });

  const groups: readonly (readonly [LocalRuntime, LocalDevice])[][] = [
    [
      ['node', 'cpu'],
      ['deno', 'cpu'],
    ],
    [
      ['browser', 'cpu'],
      ['deno', 'cpu'],
      ['node', 'cpu'],
    ],
    [
      ['browser', 'webgpu'],
      ['node', 'webgpu'],
      ['deno', 'cpu'],
      ['node', 'cpu'],
    ],
  ];
  for (const group of groups) {
    const names = group.map(([runtime, device]) => `${runtime}/${device}`).join(', ');
    it(
      `is byte-identical on ${names} to that of one Node worker, metrics included`,
      { timeout: 180_000 },
      async () => {
        for (const [runtime, device] of group) {
          const [worker] = await swarm.add(runtime, device);
          expect(worker!.device.kind).toBe(device);
        }
        const trained = await swarm.train({ datasets }, group.length);
        expect(digest(trained.modelText)).toBe(digest(alone.modelText));
        expect(trained.result.metrics).toEqual(alone.result.metrics);
      },
    );
  }

  it('is byte-identical when a worker is killed in mid-round and its rows are taken over', async () => {
    const workers = await swarm.add('node', 'cpu', 3);
    const killed = workers[1]!;
    let kill: Promise<void> | undefined;
    const trained = await swarm.train({ datasets }, [2, 3], (event) => {
      if (event.type === 'round' && event.committed.round === 1) kill ??= killed.kill();
    });
    await kill;
    expect(digest(trained.modelText)).toBe(digest(alone.modelText));
    const lost = trained.events.filter((event) => event.type === 'workerLost');
    expect(lost.map((event) => event.workerId)).toEqual([killed.workerId]);
    const sizes = trained.events.flatMap((event) => (event.type === 'group' ? [event.workers.length] : []));
    expect(sizes).toEqual([3, 2]);
  });

  it('is byte-identical when a worker joins in the middle', async () => {
    // The first worker is slow, so that the second one can join while rounds are left.
    await swarm.add('node', 'webgpu');
    let joining: Promise<unknown> | undefined;
    const trained = await swarm.train({ datasets, numBoostRound: 12 }, [1, 2], (event) => {
      if (event.type === 'round' && event.committed.round === 1) joining ??= swarm.add('node');
    });
    await joining;
    const sizes = trained.events.flatMap((event) => (event.type === 'group' ? [event.workers.length] : []));
    expect(sizes).toEqual([1, 2]);
    const first = JSON.parse(trained.modelText).learner.gradient_booster.model.trees.slice(0, 4);
    expect(first).toEqual(JSON.parse(alone.modelText).learner.gradient_booster.model.trees);
    await swarm.dismiss();
    await swarm.add('deno');
    const again = await swarm.train({ datasets, numBoostRound: 12 }, 1);
    expect(digest(trained.modelText)).toBe(digest(again.modelText));
  });

  it('waits below the minimum, says for what, and goes on when somebody joins', async () => {
    const workers = await swarm.add('node', 'cpu', 2);
    let helping: Promise<unknown> | undefined;
    const trained = await swarm.train({ datasets }, 2, (event) => {
      if (event.type === 'round' && event.committed.round === 0) void workers[0]!.kill();
      if (event.type === 'waiting' && event.reason.includes('1 of 2')) helping ??= swarm.add('node');
    });
    await helping;
    expect(digest(trained.modelText)).toBe(digest(alone.modelText));
  });

  it('never sends gradients through the coordinator while links are direct', async () => {
    await swarm.add('node', 'cpu', 3);
    const before = swarm.coordinator.traffic();
    const trained = await swarm.train({ datasets }, 3);
    const after = swarm.coordinator.traffic();
    const between = trained.events.flatMap((event) => (event.type === 'round' ? event.timings : []));
    const peerBytes = between.reduce((bytes, timing) => bytes + timing.bytesSent, 0);
    expect(peerBytes).toBeGreaterThan(1_000_000);
    expect(after.relay).toEqual(before.relay);
    const control = after.control.receivedBytes - before.control.receivedBytes;
    expect(control).toBeLessThan(peerBytes / 10);
  });
});
