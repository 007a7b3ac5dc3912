// Groups whose steps are checked: real sessions over memory links.

import { afterEach, describe, expect, it } from 'vitest';
import type { NeuralSpec } from '../../../../shared/neural/run/neuralSpec.ts';
import type { TrainingEngine } from '../../../../shared/neural/trainingEngine.ts';
import type { WorkerMessageOf } from '../../../../shared/protocol/control.ts';
import { openNodeGpuAdapter } from '../../../setup/nodeGpu.ts';
import { lying } from './lyingEngine.ts';
import { flat, NetWorld } from './netWorld.ts';

const worlds: NetWorld[] = [];

async function start(
  change: Partial<NeuralSpec> = {},
  wrap?: (engine: TrainingEngine, workerId: string) => TrainingEngine,
): Promise<NetWorld> {
  const world = await NetWorld.start({ engine: 'compiled', ...change }, wrap);
  worlds.push(world);
  return world;
}

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

const names = (count: number): string[] => Array.from({ length: count }, (_, at) => `w${at}`);

async function trained(
  size: number,
  checkEverySteps: number,
): Promise<{ weights: number[]; passed: number }> {
  // One epoch and no report before the end: shares then do not follow what was measured.
  const change = { globalBatchSize: 9, microbatchSize: 3, reportEverySteps: 100, checkEverySteps };
  const world = await start(change);
  world.isChecked = true;
  names(size).forEach((name) => world.addWorker(name));
  await world.begin(1, names(size));
  const saved = await world.hear('w0', 'saved');
  await world.hear('w0', 'committed', ({ round }) => round === world.spec.steps - 1);
  const told = world.heard('w0').flatMap((message) => (message.type === 'checkedSteps' ? [message] : []));
  return { weights: flat(world.state(saved)), passed: told.at(-1)?.passed ?? 0 };
}

describe('A group whose steps are checked', () => {
  it('ends with the bits of one whose steps are not', async () => {
    for (const size of [2, 3, 4]) {
      const plain = await trained(size, 0);
      const checked = await trained(size, 1);
      expect(plain.passed).toBe(0);
      expect(checked.passed).toBeGreaterThan(0);
      expect(checked.weights).toEqual(plain.weights);
    }
  });

  it('stops at a step in which one member lied, and each member tells who did', async () => {
    const size = 4;
    const world = await start({ steps: 90, checkEverySteps: 1 }, (engine, workerId) =>
      workerId === 'w2' ? lying(engine, (step) => step >= 3) : engine,
    );
    world.isChecked = true;
    names(size).forEach((name) => world.addWorker(name));
    await world.begin(1, names(size));
    const rounds = new Set<number>();
    const disputes: NonNullable<WorkerMessageOf<'checkedSteps'>['dispute']>[] = [];
    for (const name of names(size)) {
      const told = await world.hear(name, 'checkedSteps', ({ dispute }) => dispute !== undefined);
      rounds.add(told.round);
      disputes.push(told.dispute!);
    }
    for (const dispute of disputes) {
      expect(dispute).toMatchObject({ what: 'gradient', rank: 2 });
      expect(dispute.found).toBe(dispute.again);
      expect(dispute.found).not.toBe(dispute.claimed);
    }
    const [round] = rounds;
    expect(rounds.size).toBe(1);
    expect(round).toBeGreaterThanOrEqual(3);
    // Nobody has applied it.
    expect(await world.halt(1, names(size), 'now')).toEqual([round, round, round, round]);
  });

  it('of one member that computes on WebGPU accuses nobody, and finds who lies beyond what devices differ by', async () => {
    const disputed = async (lie: number): Promise<string[]> => {
      const wrap = (engine: TrainingEngine, workerId: string): TrainingEngine =>
        workerId === 'w2' && lie > 0 ? lying(engine, (step) => step >= 3, lie) : engine;
      const adapterOf = (workerId: string): Promise<GPUAdapter | undefined> =>
        workerId === 'w1' ? openNodeGpuAdapter() : Promise.resolve(undefined);
      const change = { engine: 'compiled', steps: 30, checkEverySteps: 1 } as const;
      const world = await NetWorld.start(change, wrap, undefined, adapterOf);
      worlds.push(world);
      world.onLog = () => undefined;
      world.isChecked = true;
      names(3).forEach((name) => world.addWorker(name));
      await world.begin(1, names(3));
      const isLast = (round: number): boolean => round === world.spec.steps - 1;
      for (;;) {
        const message = await world.hearAny('w0', ['checkedSteps', 'committed']);
        if (message.type === 'checkedSteps' && message.dispute) {
          const { what, rank, claimed, found } = message.dispute;
          return [what, String(rank), found === claimed ? 'right' : found];
        }
        if (message.type === 'committed' && isLast(message.round)) break;
      }
      const passed = world.heard('w0').flatMap((one) => (one.type === 'checkedSteps' ? [one.passed] : []));
      expect(Math.max(...passed)).toBeGreaterThan(15);
      return [];
    };
    expect(await disputed(0)).toEqual([]);
    expect(await disputed(0.5)).toEqual(['gradient', '2', 'f'.repeat(32)]);
  });
});
