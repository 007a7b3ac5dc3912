// Ray's second style: the owner's own loop over rounds, run by every worker.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Dataset } from '../../coordinator/data/dataset.ts';
import type { TrainLoopContext } from '../../shared/gbdt/trainLoop.ts';
import { Swarm, flights } from './swarm.ts';

let swarm: Swarm;
let datasets: { train: Dataset; valid: Dataset };

beforeAll(async () => {
  swarm = await Swarm.start();
  const [train, valid] = (await flights(60_000).materialize()).trainTestSplit(0.3, {
    shuffle: true,
    seed: 1,
  });
  datasets = { train, valid };
});
afterEach(() => swarm.dismiss());
afterAll(() => swarm.close());

async function decayingLoop(
  config: { decay: number; stopAt: number },
  context: TrainLoopContext,
): Promise<void> {
  while (context.round < context.numBoostRound) {
    const metrics = await context.boost({ eta: 0.3 * config.decay ** context.round });
    if ((metrics['valid-logloss'] ?? 0) < config.stopAt) return;
  }
}

/** Largest leaf of each tree. */
function largestLeaves(modelText: string): number[] {
  const { trees } = JSON.parse(modelText).learner.gradient_booster.model;
  return trees.map((tree: { left_children: number[]; split_conditions: number[] }) =>
    Math.max(...tree.split_conditions.filter((_, node) => tree.left_children[node] === -1).map(Math.abs)),
  );
}

describe("An owner's own loop", () => {
  it('decides on the learning rate of each round, in tabs, Deno and Node, and gives the same bytes on one worker', async () => {
    const options = {
      datasets,
      numBoostRound: 5,
      trainLoopPerWorker: decayingLoop,
      trainLoopConfig: { decay: 0.5, stopAt: 0 },
    };
    for (const runtime of ['browser', 'deno', 'node'] as const) await swarm.add(runtime);
    const together = await swarm.train(options, 3);
    await swarm.dismiss();
    await swarm.add('node');
    const alone = await swarm.train(options, 1);
    expect(together.modelText).toBe(alone.modelText);
    const leaves = largestLeaves(together.modelText);
    expect(leaves).toHaveLength(5);
    leaves.slice(1).forEach((leaf, at) => expect(leaf / leaves[at]!).toBeCloseTo(0.5, 0));
  });

  it('ends the run by returning', async () => {
    await swarm.add('node', 'cpu', 2);
    const { result } = await swarm.train(
      {
        datasets,
        numBoostRound: 50,
        trainLoopPerWorker: decayingLoop,
        trainLoopConfig: { decay: 1, stopAt: 0.55 },
      },
      2,
    );
    expect(result.status).toBe('finished');
    expect(result.metricsTable.length).toBeGreaterThan(1);
    expect(result.metricsTable.length).toBeLessThan(50);
    expect(result.metrics['valid-logloss']).toBeLessThan(0.55);
  });

  it('goes on at context.round when the group changes', async () => {
    const workers = await swarm.add('node', 'cpu', 2);
    const options = {
      datasets,
      numBoostRound: 8,
      trainLoopPerWorker: decayingLoop,
      trainLoopConfig: { decay: 0.9, stopAt: 0 },
    };
    let kill: Promise<void> | undefined;
    const disturbed = await swarm.train(options, [1, 2], (event) => {
      if (event.type === 'round' && event.committed.round === 2) kill ??= workers[0]!.kill();
    });
    await kill;
    const undisturbed = await swarm.train(options, 1);
    expect(disturbed.modelText).toBe(undisturbed.modelText);
  });

  it('fails the run with what the loop threw, and where', async () => {
    await swarm.add('node');
    const failing = swarm.train(
      {
        datasets,
        trainLoopPerWorker: () => {
          throw new RangeError('my own mistake');
        },
      },
      1,
    );
    await expect(failing).rejects.toThrow(/trainLoopPerWorker threw: RangeError: my own mistake/);
  });

  it('refuses a function that cannot travel and a parameter that may not change', async () => {
    await swarm.add('node');
    const native = swarm.train({ datasets, trainLoopPerWorker: parseInt as never }, 1);
    await expect(native).rejects.toThrow(/trainLoopPerWorker is not a function with source text/);
    const loop = async (_: unknown, context: TrainLoopContext): Promise<void> => {
      await context.boost({ etta: 1 } as never);
    };
    await expect(swarm.train({ datasets, trainLoopPerWorker: loop }, 1)).rejects.toThrow(/etta.*eta/s);
    const fixed = async (_: unknown, context: TrainLoopContext): Promise<void> => {
      await context.boost({ subsample: 0.5 } as never);
    };
    await expect(swarm.train({ datasets, trainLoopPerWorker: fixed }, 1)).rejects.toThrow(
      /boost takes eta, .*; subsample can't change from round to round/,
    );
  });

  it('does not run on a Node worker whose owner did not allow it', async () => {
    await swarm.add('node', 'cpu', 1, false);
    const refused = swarm.train({ datasets, trainLoopPerWorker: decayingLoop }, 1);
    await expect(refused).rejects.toThrow(/does not run code of owners/);
  });
});
