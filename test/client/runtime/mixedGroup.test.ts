// Real workers of all runtimes train one small model together. Whatever they are, compute on, or suffer, the trees are
// those of a single worker.

import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunEvent } from '../../../coordinator/core/run/runRequest.ts';
import { startCoordinator, type Coordinator } from '../../../coordinator/core/server/coordinator.ts';
import { SessionWorld, smallRun } from '../session/sessionWorld.ts';
import { startLocalWorkers, type LocalWorkers } from '../../../coordinator/cluster/local/localWorkers.ts';
import type { LocalWorkersOptions } from '../../../coordinator/cluster/local/localWorkersOptions.ts';

const ROUNDS = 30;
const world = new SessionWorld();
const run = smallRun(world, 8, ROUNDS);

interface Trained {
  readonly trees: string;
  readonly relayedBytes: number;
  readonly stalls: readonly string[];
}

/** Trains with these workers; `meddle` is called once, when five rounds are committed. */
async function train(
  groups: readonly Pick<LocalWorkersOptions, 'runtime' | 'device' | 'count'>[],
  meddle: (workers: readonly LocalWorkers[]) => void = () => {},
): Promise<Trained> {
  const coordinator: Coordinator = await startCoordinator({ port: 0 });
  const workers: LocalWorkers[] = [];
  try {
    for (const group of groups) {
      workers.push(
        await startLocalWorkers({
          url: coordinator.url,
          token: coordinator.tokens.local,
          softwareGpu: true,
          ...group,
        }),
      );
    }
    for (const blob of world.blobs.values()) await coordinator.blobs.putBytes(blob);
    const stalls: string[] = [];
    coordinator.pool.on((event) => {
      if (event.type === 'message' && event.message.type === 'stalled') stalls.push(event.message.code);
    });
    const count = groups.reduce((sum, group) => sum + group.count, 0);
    const handle = coordinator.startRun({
      runId: 'mixed',
      name: 'mixed',
      spec: run.spec,
      shards: run.leases,
      workers: { min: count, max: count },
      maxFailures: 0,
    });
    handle.onEvent((event: RunEvent) => {
      if (event.type === 'round' && event.committed.round === 5) meddle(workers);
    });
    const { status, rounds } = await handle.done;
    expect(status).toBe('finished');
    expect(rounds).toHaveLength(ROUNDS);
    const { relay } = coordinator.traffic();
    return {
      trees: JSON.stringify(rounds.map(({ payload }) => payload)),
      relayedBytes: relay.sentBytes + relay.receivedBytes,
      stalls,
    };
  } finally {
    await Promise.all(workers.map((group) => group.stop()));
    await coordinator.close();
  }
}

let alone: Trained;
beforeAll(async () => {
  alone = await train([{ count: 1, runtime: 'node', device: 'cpu' }]);
});
afterAll(() => world.close());

test('a tab, a Deno and two Node workers, on WebGPU and on the processor, grow the same trees over direct links', async () => {
  const mixed = await train([
    { count: 3, runtime: ['browser', 'deno', 'node'], device: 'webgpu' },
    { count: 1, runtime: 'node', device: 'cpu' },
  ]);
  expect(mixed.trees).toBe(alone.trees);
  expect(mixed.relayedBytes).toBe(0);
});

test('a tab whose GPU process dies in mid-run comes back with a new device, and the trees are the same', async () => {
  const shaken = await train(
    [
      { count: 1, runtime: 'browser', device: 'webgpu' },
      { count: 1, runtime: 'node', device: 'cpu' },
    ],
    ([tabs]) => {
      const [gpuProcess] = descendants(tabs!.workers[0]!.pid).filter((pid) =>
        readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--type=gpu-process'),
      );
      process.kill(gpuProcess!, 'SIGKILL');
    },
  );
  expect(shaken.stalls).toContain('DEVICE_LOST');
  expect(shaken.trees).toBe(alone.trees);
});

/** Processes below one, from Linux's /proc. */
function descendants(ancestor: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const [, parent] = /\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8')) ?? [];
      parents.set(Number(name), Number(parent));
    } catch {
      // Ended meanwhile.
    }
  }
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid);
    return parent !== undefined && (parent === ancestor || isBelow(parent));
  };
  return [...parents.keys()].filter(isBelow);
}
