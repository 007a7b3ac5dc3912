// Workers whose processor computes on several threads, in each runtime: they start them, and the trees are those of one thread.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLocalWorkers } from '../../../coordinator/cluster/local/localWorkers.ts';
import { startCoordinator } from '../../../coordinator/core/server/coordinator.ts';
import { runtimes, type Runtime } from '../../../shared/protocol/runtimes.ts';
import { SessionWorld, smallRun } from '../session/sessionWorld.ts';

const ROUNDS = 12;
const world = new SessionWorld();
/** 100,000 rows of 30 features: long enough that threads are worth starting. */
const run = smallRun(world, 200, ROUNDS, false, 30);

interface Trained {
  readonly trees: string;
  readonly lines: readonly string[];
}

async function train(runtime: Runtime, threads: number): Promise<Trained> {
  const coordinator = await startCoordinator({ port: 0 });
  const lines: string[] = [];
  const workers = await startLocalWorkers({
    url: coordinator.url,
    token: coordinator.tokens.local,
    count: 1,
    runtime,
    device: 'cpu',
    threads,
    onLine: (line) => lines.push(line),
  });
  try {
    for (const blob of world.blobs.values()) await coordinator.blobs.putBytes(blob);
    const handle = coordinator.startRun({
      runId: 'threads',
      name: 'threads',
      spec: run.spec,
      shards: run.leases,
      workers: { min: 1, max: 1 },
      maxFailures: 0,
    });
    const { status, rounds } = await handle.done;
    expect(status).toBe('finished');
    return { trees: JSON.stringify(rounds.map(({ payload }) => payload)), lines };
  } finally {
    await workers.stop();
    await coordinator.close();
  }
}

let alone: Trained;
beforeAll(async () => {
  alone = await train('node', 1);
});
afterAll(() => world.close());

test('one thread is what there is where one is asked for', () => {
  expect(alone.lines.join('\n')).not.toMatch(/threads of the processor/);
});

test.each(runtimes)('threads of a worker in %s help it, and change no bit', async (runtime) => {
  const { trees, lines } = await train(runtime, 3);
  expect(lines.join('\n')).toMatch(/Computing on 3 threads of the processor\./);
  expect(trees).toBe(alone.trees);
});
