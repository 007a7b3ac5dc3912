// The thread of an owner's loop on real workers of all runtimes: what it computes on, what it can't reach, and what is left of
// it afterwards.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DataParallelTrainer } from '../../coordinator/train/neural/dataParallelTrainer.ts';
import type { DataParallelTrainerOptions } from '../../coordinator/train/neural/loopOptions.ts';
import type { ProgressEvent } from '../../coordinator/progress/progressEvent.ts';
import type { DataParallelContext } from '../../shared/neural/loop/dataParallelLoop.ts';
import { prepareTargets, type PreparedTargets } from '../coordinator/program/escapeTargets.ts';
import { Swarm } from './swarm.ts';

let swarm: Swarm;
let targets: PreparedTargets;
let folder = '';
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'tabgrad-threads-'));
  targets = await prepareTargets();
  swarm = await Swarm.start();
});
afterEach(() => swarm.dismiss());
afterAll(async () => {
  await swarm.close();
  await targets.close();
  rmSync(folder, { recursive: true });
});

let runs = 0;
function train(
  trainLoopPerWorker: DataParallelTrainerOptions['trainLoopPerWorker'],
  numWorkers: number | readonly [number, number] = 1,
  trainLoopConfig: unknown = {},
  onEvent: (event: ProgressEvent) => void = () => undefined,
) {
  runs += 1;
  const trainer = new DataParallelTrainer({
    trainLoopPerWorker,
    trainLoopConfig,
    datasets: { train: { x: { values: Float32Array.of(1, 2, 3, 4), shape: [] } } },
    scalingConfig: { numWorkers, url: swarm.coordinator.url, token: swarm.coordinator.tokens.admin },
    runConfig: { name: `run-${runs}`, storagePath: folder, callbacks: [{ onEvent }] },
  });
  return trainer.fit();
}

/** What a tab, Deno or Node multiplies on its GPU. */
async function multiply(_config: unknown, { tf, allReduce, report }: DataParallelContext): Promise<void> {
  const product = tf.matMul(tf.ones([64, 64]), tf.mul(tf.ones([64, 64]), 3));
  const [sum] = await allReduce([tf.sum(product)], 'sum');
  await report({ webgpu: tf.getBackend() === 'webgpu' ? 1 : 0, sum: sum.dataSync()[0]! });
}

/** After its first report it computes without end, and asks for nothing, until it is alone. */
async function endless(config: { gpu: boolean }, context: DataParallelContext): Promise<void> {
  const { tf, size, reports } = context;
  if (size === 1) return context.report({ alone: 1, reports });
  await context.report({ alone: 0 });
  const square = tf.ones([256, 256]);
  // It takes no for an answer.
  while (config.gpu)
    await tf
      .matMul(square, square)
      .data()
      .catch(() => undefined);
  for (;;);
}

/** Breaks what its thread has, after saying whether an earlier loop has. */
async function breakThings(_config: unknown, context: DataParallelContext): Promise<void> {
  const scope = globalThis as { leftover?: boolean };
  const isBroken = scope.leftover === true;
  scope.leftover = true;
  JSON.stringify = () => 'broken';
  JSON.parse = () => 'broken';
  await context.report({ isBroken: isBroken ? 1 : 0 });
}

describe('The thread of a loop', () => {
  it('computes on WebGPU in a tab, in Deno and in Node together', async () => {
    for (const runtime of ['browser', 'deno', 'node'] as const) await swarm.add(runtime, 'webgpu');
    const { metrics } = await train(multiply, 3);
    expect(metrics).toMatchObject({ webgpu: 1, sum: 3 * 64 ** 3 * 3 });
  }, 120_000);

  it.each([
    ['browser', 'cpu'],
    ['deno', 'cpu'],
    ['node', 'cpu'],
    ['browser', 'webgpu'],
    ['deno', 'webgpu'],
    ['node', 'webgpu'],
  ] as const)(
    'in %s on %s is ended in the middle of a computation when another worker is lost, and its worker goes on',
    async (runtime, device) => {
      const [victim] = await swarm.add('node', 'cpu');
      const [survivor] = await swarm.add(runtime, device);
      let kill: Promise<void> | undefined;
      const { metrics, status } = await train(endless, [1, 2], { gpu: device === 'webgpu' }, (event) => {
        if (event.type === 'round') kill ??= victim!.kill();
      });
      await kill;
      expect({ status, ...metrics }).toMatchObject({ status: 'finished', alone: 1, reports: 1 });
      const { metrics: next } = await train(multiply);
      expect(next).toMatchObject({ sum: 3 * 64 ** 3, webgpu: device === 'webgpu' ? 1 : 0 });
      expect(swarm.coordinator.pool.worker(survivor!.workerId)).toMatchObject({ present: true, session: 1 });
    },
    120_000,
  );

  it.each(['browser', 'deno', 'node'] as const)(
    'in %s is alone in what it breaks: neither its worker nor the next loop sees it',
    async (runtime) => {
      await swarm.add(runtime);
      for (let run = 0; run < 2; run += 1) {
        expect(await train(breakThings)).toMatchObject({ status: 'finished', metrics: { isBroken: 0 } });
      }
    },
    60_000,
  );

  it.each(['browser', 'deno'] as const)(
    'in %s calls no native code, reads no files and variables, and reaches nothing on the network',
    async (runtime) => {
      await swarm.add(runtime);
      const module = 'test/coordinator/program/fixtures/escapes.ts';
      const { library, file, written, address } = targets;
      const config = { library, file, written, address };
      const { metrics } = await train({ module, export: 'escapingLoop' }, 1, config);
      expect(metrics).toEqual({ attempted: 1 });
      expect(existsSync(written)).toBe(false);
      expect(targets.asked).toEqual([]);
    },
    60_000,
  );
});
