// Replicas on strangers' workers: what they answer is computed again now and then, after the caller has it; one that lies is
// banned and replaced, and what callers had of it is counted.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLocalWorkers } from '../../../coordinator/cluster/local/localWorkers.ts';
import { startCoordinator, type Coordinator } from '../../../coordinator/core/server/coordinator.ts';
import { deployment, Serve } from '../../../coordinator/serve/serve.ts';
import type { ReplicaSetStatus } from '../../../coordinator/serve/deployment/replicaSetStatus.ts';
import type { PredictedRows } from '../../../shared/serve/layersNet.ts';
import { handMadeVolunteer } from '../program/handMadeVolunteer.ts';
import { makeLayersModels, type LayersModels } from './layersModels.ts';
import { flights, makeServedModels, oracleColumns, type ServedModels } from './servedModels.ts';

let models: ServedModels;
let nets: LayersModels;
let coordinator: Coordinator;
const logged: string[] = [];
beforeAll(async () => {
  models = makeServedModels();
  nets = await makeLayersModels();
  coordinator = await startCoordinator({ port: 0, graceMs: 500, log: () => undefined });
});
afterAll(async () => {
  await coordinator.close();
  models.remove();
  nets.remove();
});

const serveHere = (): Serve => new Serve({ coordinator, log: ({ message }) => void logged.push(message) });
const statusOf = (serve: Serve): ReplicaSetStatus => serve.status().applications['default']!.deployments[0]!;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const rows = flights(3);
const expected = (): object[] =>
  [...models.late.checkpoint.toPredictor().predict(oracleColumns(rows), rows.length)].map((predictions) => ({
    predictions,
  }));

async function post(serve: Serve, body: unknown): Promise<unknown> {
  const response = await fetch(serve.url!, { method: 'POST', body: JSON.stringify(body) });
  expect(response.status).toBe(200);
  return response.json();
}

/** The first number off by its last bit, but for the probe of the health check. */
function offByABit(right: unknown, method: string, args: readonly unknown[]): unknown {
  if (method !== 'predict' || args[1] === 1) return right;
  const predicted = Float32Array.from(right as Float32Array);
  new Uint32Array(predicted.buffer)[0]! ^= 1;
  return predicted;
}

describe("a stranger's replica", () => {
  it('of trees that is off by a bit is banned and replaced, and its answers are counted', async () => {
    await using liar = await handMadeVolunteer(coordinator, offByABit);
    // The first that joined gets the replica, this one its replacement.
    await using honest = await handMadeVolunteer(coordinator);
    const serve = serveHere();
    try {
      await serve.run(deployment(models.late.checkpoint, { runOn: 'pool' }), { port: 0 });
      let given = 0;
      // A check comes after the answer, and out of its way.
      while (honest.calls === 0) {
        await post(serve, rows);
        given += 1;
        await turn();
      }
      expect(given).toBeGreaterThan(1);
      expect(await post(serve, rows)).toEqual(expected());
      const { checks } = statusOf(serve);
      expect(checks.liars).toBe(1);
      expect(checks.suspectAnswers).toBeGreaterThan(0);
      expect(checks.suspectAnswers).toBeLessThanOrEqual(given);
      const [ban] = coordinator.moderation.bans();
      expect(ban).toMatchObject({ value: liar.workerId });
      expect(ban?.reason).toMatch(
        /^deployment "\w+": it answered what is not so, in output 0 of row 0 \(claimed/,
      );
      expect(logged.join('\n')).toContain(`worker ${liar.workerId} lied, in output 0 of row 0`);
      const metrics = await (await fetch(new URL('/metrics', serve.url))).text();
      expect(metrics).toMatch(/tabgrad_serve_liars_total\{.*\} 1\n/);
      expect(metrics).toContain(`} ${checks.suspectAnswers}\n`);
    } finally {
      await serve.shutdown();
    }
  });

  it.each(['', ' beside that of a liar'])('that is honest%s passes its checks', async (kind) => {
    const bans = coordinator.moderation.bans().length;
    await using first = await handMadeVolunteer(coordinator);
    await using second = await handMadeVolunteer(coordinator, kind === '' ? undefined : offByABit);
    const serve = serveHere();
    try {
      await serve.run(deployment(models.late.checkpoint, { runOn: 'pool', numReplicas: 2 }), { port: 0 });
      const honest = kind === '' ? [first, second] : [first];
      const passed = (): number =>
        honest.reduce(
          (sum, { workerId }) => sum + (coordinator.pool.worker(workerId)?.checksPassed ?? -99),
          0,
        );
      while (passed() < 5) {
        // Side by side, so that both have some.
        await Promise.all([post(serve, rows), post(serve, rows)]);
        await turn();
      }
      const isGone = coordinator.pool.worker(second.workerId) === undefined;
      expect(isGone).toBe(kind !== '');
      expect(coordinator.moderation.bans().length - bans).toBe(kind === '' ? 0 : 1);
      expect(statusOf(serve).checks.checks).toBeGreaterThan(4);
    } finally {
      await serve.shutdown();
    }
  });

  it('of a net is compared within what devices differ by: beyond it lies are, a little of it is none', async () => {
    const bans = coordinator.moderation.bans().length;
    let off = 1 + 1e-5;
    await using volunteer = await handMadeVolunteer(coordinator, (right, method) => {
      if (method !== 'predict') return right;
      return (right as readonly PredictedRows[]).map((output) => ({
        ...output,
        values: (output.values as Float32Array).map((value) => value * off),
      }));
    });
    await using replacement = await handMadeVolunteer(coordinator);
    const serve = serveHere();
    try {
      await serve.run(deployment(nets.dense.checkpoint, { runOn: 'pool' }), { port: 0 });
      const passed = (): number => coordinator.pool.worker(volunteer.workerId)?.checksPassed ?? -1;
      const ask = async (): Promise<void> => {
        const body = { dense_Dense1_input: [0.1, 0.2, 0.3, 0.4] };
        await fetch(serve.url!, { method: 'POST', body: JSON.stringify([body]) });
        await turn();
      };
      while (passed() < 3) await ask();
      expect(coordinator.moderation.bans()).toHaveLength(bans);
      off = 1.1;
      while (replacement.calls === 0) await ask();
      expect(coordinator.moderation.bans().at(-1)).toMatchObject({ value: volunteer.workerId });
    } finally {
      await serve.shutdown();
    }
  });

  it('does not hold up checks of others where it answers none', async () => {
    const bans = coordinator.moderation.bans().length;
    await using liar = await handMadeVolunteer(coordinator, offByABit);
    let asked = 0;
    // It has its replica, and never answers but the health check.
    await using silent = await handMadeVolunteer(coordinator, async (right, _method, args) => {
      asked += 1;
      return args[1] === 1 ? right : new Promise(() => undefined);
    });
    const serve = serveHere();
    try {
      const options = { runOn: 'pool', numReplicas: 2, requestTimeoutS: 0.2 } as const;
      await serve.run(deployment(models.late.checkpoint, options), { port: 0 });
      while (coordinator.moderation.bans().length === bans) {
        const body = JSON.stringify(rows);
        await Promise.all([1, 2].map(() => fetch(serve.url!, { method: 'POST', body })));
      }
      expect(coordinator.moderation.bans().at(-1)).toMatchObject({ value: liar.workerId });
      expect(asked).toBeGreaterThan(0);
      expect(coordinator.pool.worker(silent.workerId)).toBeDefined();
    } finally {
      await serve.shutdown();
    }
  });

  it("is not checked where it is the owner's", async () => {
    const local = await startLocalWorkers({
      url: coordinator.url,
      token: coordinator.tokens.local,
      count: 1,
      runtime: 'node',
      device: 'cpu',
    });
    const serve = serveHere();
    try {
      await serve.run(deployment(models.late.checkpoint, { runOn: 'pool' }), { port: 0 });
      for (let i = 0; i < 30; i += 1) expect(await post(serve, rows)).toEqual(expected());
      expect(statusOf(serve).checks).toEqual({ checks: 0, liars: 0, suspectAnswers: 0 });
    } finally {
      await serve.shutdown();
      await local.stop();
    }
  });
});
