import { describe, expect, it } from 'vitest';
import type { DeploymentOptions } from '../../../coordinator/core/store/deploymentSettings.ts';
import { ReplicaSet } from '../../../coordinator/serve/deployment/replicaSet.ts';
import { ManualClock, settled } from '../../setup/manualClock.ts';
import { FakeReplica } from './fakeReplica.ts';
import { readDeploymentOptions } from '../../../coordinator/serve/deployment/deployment.ts';

class World {
  readonly clock = new ManualClock();
  readonly made: FakeReplica[] = [];
  readonly set: ReplicaSet;

  constructor(options: DeploymentOptions) {
    this.set = new ReplicaSet('model', this.spec(options), this.clock, () => undefined);
  }

  spec(options: DeploymentOptions) {
    return {
      settings: readDeploymentOptions(options),
      makeReplica: (id: string) => {
        const replica = new FakeReplica(id);
        this.made.push(replica);
        return replica;
      },
    };
  }

  /** Replicas that have not ended. */
  get alive(): FakeReplica[] {
    return this.made.filter(({ endedHow }) => endedHow === undefined);
  }

  async ready(): Promise<void> {
    for (const replica of this.alive) replica.become();
    await settled();
  }

  call(name: string): Promise<unknown> {
    return this.set.router.call('method', [name, []]);
  }
}

async function started(options: DeploymentOptions): Promise<World> {
  const world = new World(options);
  const start = world.set.start();
  await world.ready();
  await start;
  return world;
}

describe('replicas that end', () => {
  it('are replaced at once at first, then after 0.25 s, 0.5 s, 1 s …, at most 30 s', async () => {
    const world = await started({});
    const delays: number[] = [];
    for (let i = 0; i < 10; i++) {
      const before = world.made.length;
      const endedAt = world.clock.now();
      await world.alive[0]!.kill('killed');
      await settled();
      while (world.made.length === before) world.clock.step();
      delays.push(world.clock.now() - endedAt);
      await world.ready();
    }
    expect(delays).toEqual([0, 250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    expect(world.set.status()).toMatchObject({ restarts: 10, message: 'Replica model#10 ended: killed' });
  });

  it('hand their calls to others, in order, and the caller notices nothing', async () => {
    const world = await started({ numReplicas: 2, maxOngoingRequests: 2 });
    const calls = ['a', 'b', 'c', 'd', 'e'].map((name) => world.call(name));
    const [first, second] = world.made as [FakeReplica, FakeReplica];
    expect([first, second].map(({ calls }) => [...calls.values()].map(({ args }) => args[0]))).toEqual([
      ['a', 'c'],
      ['b', 'd'],
    ]);
    await first.kill('killed');
    second.answer('B');
    second.answer('D');
    second.answer('E');
    second.answer('A');
    second.answer('C');
    expect(await Promise.all(calls)).toEqual(['A', 'B', 'C', 'D', 'E']);
    expect(world.set.router.counts).toEqual({ retries: 2, overloads: 0, timeouts: 0 });
  });

  it('are replaced when their health check does not answer in time, and when it fails', async () => {
    const world = await started({ healthCheckPeriodS: 10, healthCheckTimeoutS: 30 });
    await world.clock.advanceSettled(10_000);
    world.made[0]!.answer(undefined, undefined, 'health');
    await world.clock.advanceSettled(10_000 + 29_999);
    expect(world.made).toHaveLength(1);
    await world.clock.advanceSettled(1);
    expect(world.made).toHaveLength(2);
    expect(world.made[0]!.endedHow).toBe('its health check did not answer within 30 s');
    await world.ready();
    await world.clock.advanceSettled(10_000);
    world.made[1]!.answer(undefined, new Error('no memory'), 'health');
    await world.clock.advanceSettled(1_000);
    expect(world.made[1]!.endedHow).toBe('its health check failed: no memory');
    expect(world.made).toHaveLength(3);
  });

  it('while they start fail the start, and leave none behind', async () => {
    const world = new World({ numReplicas: 3 });
    const start = world.set.start();
    world.made[0]!.become();
    await settled();
    world.made[1]!.failToStart(new Error('no weights'));
    await expect(start).rejects.toThrow('no weights');
    expect(world.alive).toEqual([]);
    await world.clock.advanceSettled(100_000);
    expect(world.made).toHaveLength(3);
  });
});

describe('calls', () => {
  it('have a deadline in line and in hand; a replica with nothing but overdue ones is replaced', async () => {
    const world = await started({ requestTimeoutS: 5, maxOngoingRequests: 2, healthCheckPeriodS: 1000 });
    const calls = ['a', 'b', 'c'].map((name) => world.call(name).catch((error: Error) => error.message));
    await world.clock.advanceSettled(5_000);
    expect(await Promise.all(calls)).toEqual([
      'Replica model#1 of deployment "model" did not answer within 5 s.',
      'Replica model#1 of deployment "model" did not answer within 5 s.',
      'No replica of deployment "model" was free within 5 s.',
    ]);
    expect(world.made[0]!.cancelled).toEqual([1, 2]);
    expect(world.made[0]!.endedHow).toBe('it answers none of the requests in its hands');
    expect(world.made).toHaveLength(2);
    expect(world.set.router).toMatchObject({ ongoing: 0, queued: 0 });
  });

  it('beyond maxQueuedRequests are refused: as too many while replicas run, as unavailable while none does', async () => {
    const world = await started({
      maxOngoingRequests: 2,
      maxQueuedRequests: 8,
      requestTimeoutS: 100,
      healthCheckPeriodS: 86_400,
    });
    const refusal = (): Promise<object> =>
      world.call('over').catch((error: object) => error) as Promise<object>;
    const calls = Array.from({ length: 10 }, (_, i) => world.call(String(i)));
    expect(await refusal()).toMatchObject({ code: 'SERVE_OVERLOADED', retryAfterS: 1 });
    // Two at a time, each for 5 s: the eight in line take 20 s.
    for (let i = 0; i < 60; i++) {
      await world.clock.advanceSettled(i % 2 === 0 ? 5_000 : 0);
      world.made[0]!.answer(i);
      calls.push(world.call('more'));
    }
    const { retryAfterS } = (await refusal()) as { retryAfterS: number };
    expect(retryAfterS).toBeGreaterThan(15);
    expect(retryAfterS).toBeLessThanOrEqual(20);
    await world.made[0]!.kill('killed');
    expect(world.set.router.queued).toBeGreaterThan(8);
    expect(await refusal()).toMatchObject({
      code: 'SERVE_UNAVAILABLE',
      message: 'No replica of deployment "model" runs at the moment, and 10 requests wait for one already.',
    });
    expect(world.set.router.counts.overloads).toBe(3);
    await world.ready();
    for (let i = 0; i < 10; i++) world.made[1]!.answer(i);
    expect(await Promise.all(calls)).toHaveLength(70);
  });

  it('are tried on three replicas at most', async () => {
    const world = await started({ numReplicas: 4 });
    const call = world.call('poison').catch((error: Error) => error.message);
    const killed: string[] = [];
    for (let i = 0; i < 3; i++) {
      const holder = world.alive.find(({ calls }) => calls.size > 0)!;
      killed.push(holder.id);
      await holder.kill('poisoned');
    }
    expect(await call).toBe('model#3 ended: poisoned');
    expect(killed).toEqual(['model#1', 'model#2', 'model#3']);
  });
});

describe('a rolling update', () => {
  it('starts a quarter at a time and lets an old one go only when a new one runs and its calls are answered', async () => {
    const world = await started({ numReplicas: 4, maxOngoingRequests: 1, version: '1' });
    const inHand = ['a', 'b', 'c', 'd'].map((name) => world.call(name));
    const old = [...world.made];
    const update = world.set.update(world.spec({ numReplicas: 4, maxOngoingRequests: 1, version: '2' }));
    const running: number[] = [];
    for (let i = 0; i < 4; i++) {
      const news = world.made.slice(4);
      expect(news).toHaveLength(i + 1);
      news[i]!.become();
      await settled();
      running.push(world.set.status().replicas.running);
    }
    await update;
    expect(running).toEqual([4, 4, 4, 4]);
    expect(old.map(({ endedHow }) => endedHow)).toEqual([undefined, undefined, undefined, undefined]);
    for (const replica of old) replica.answer(replica.id);
    expect(await Promise.all(inHand)).toEqual(['model#1', 'model#2', 'model#3', 'model#4']);
    expect(old.map(({ endedHow }) => endedHow)).toEqual(Array(4).fill('no longer needed'));
  });

  it('tells the replicas of both versions, and what each has answered', async () => {
    const world = await started({ numReplicas: 2, version: '1' });
    const calls = ['a', 'b', 'c'].map((name) => world.call(name));
    world.made[0]!.answer('A');
    const update = world.set.update(world.spec({ numReplicas: 2, version: '2' }));
    await settled();
    const { status, members } = world.set.status();
    expect(status).toBe('updating');
    const common = { state: 'running', workerId: undefined };
    expect(members).toEqual([
      { ...common, id: 'model#1', version: '1', isCurrent: false, ongoing: 1, answered: 1 },
      { ...common, id: 'model#2', version: '1', isCurrent: false, ongoing: 1, answered: 0 },
      { ...common, id: 'model#3', version: '2', isCurrent: true, state: 'starting', ongoing: 0, answered: 0 },
    ]);
    world.made[0]!.answer('C');
    world.made[1]!.answer('B');
    for (let i = 0; i < 2; i++) await world.ready();
    await update;
    expect(await Promise.all(calls)).toEqual(['A', 'B', 'C']);
    expect(world.set.status().members.map(({ version }) => version)).toEqual(['2', '2']);
  });

  it('that fails in the middle goes back to as many of the old revision', async () => {
    const world = await started({ numReplicas: 2 });
    const update = world.set.update(world.spec({ numReplicas: 2 }));
    world.made[2]!.become();
    await settled();
    world.made[3]!.failToStart(new Error('no weights'));
    await expect(update).rejects.toThrow('no weights');
    await world.ready();
    expect(world.alive.map(({ id }) => id)).toEqual(['model#2', 'model#5']);
    expect(world.set.status()).toMatchObject({ status: 'running', replicas: { running: 2, starting: 0 } });
  });
});

describe('autoscaling', () => {
  it('follows the mean load after its delays, within its bounds', async () => {
    const autoscalingConfig = { minReplicas: 1, maxReplicas: 3, targetOngoingRequests: 2 };
    const world = await started({ autoscalingConfig, healthCheckPeriodS: 86_400, requestTimeoutS: 86_400 });
    const calls = Array.from({ length: 5 }, (_, i) => world.call(String(i)));
    await world.clock.advanceSettled(30_000);
    expect(world.made).toHaveLength(1);
    await world.clock.advanceSettled(2_000);
    expect(world.made).toHaveLength(3);
    await world.ready();
    for (let i = 0; i < 5; i++) world.made[0]!.answer(i);
    await Promise.all(calls);
    await world.clock.advanceSettled(599_000);
    expect(world.alive).toHaveLength(3);
    await world.clock.advanceSettled(3_000);
    expect(world.alive).toHaveLength(1);
    await world.set.close();
    expect(world.alive).toHaveLength(0);
  });

  it('is not moved by a short burst', async () => {
    const autoscalingConfig = { maxReplicas: 10, upscaleDelayS: 5 };
    const world = await started({ autoscalingConfig, healthCheckPeriodS: 86_400 });
    for (let second = 0; second < 20; second++) {
      const calls = Array.from({ length: 5 }, (_, i) => world.call(String(i)));
      await world.clock.advanceSettled(second % 4 === 0 ? 1_500 : 100);
      for (let i = 0; i < 5; i++) world.made[0]!.answer(i);
      await Promise.all(calls);
      await world.clock.advanceSettled(1_000);
    }
    expect(world.made).toHaveLength(1);
  });
});

describe('options', () => {
  const cases: readonly [DeploymentOptions & Record<string, unknown>, RegExp][] = [
    [{ numReplica: 2 }, /^numReplica is not an option; did you mean numReplicas\?$/],
    [{ numReplicas: 0 }, /numReplicas/],
    [{ maxOngoingRequests: 1.5 }, /maxOngoingRequests/],
    [{ requestTimeoutS: -1 }, /requestTimeoutS/],
    [{ name: 'a/b' }, /^name is "a\/b"; expected letters/],
    [{ autoscalingConfig: { minReplicas: 3, maxReplicas: 2 } }, /maxReplicas.*must not be below minReplicas/],
    [{ numReplicas: 2, autoscalingConfig: { maxReplicas: 2 } }, /leave numReplicas out/],
    [
      { autoscalingConfig: { maxReplica: 2 } as object },
      /^autoscalingConfig\.maxReplica is not an option; did you mean maxReplicas\?$/,
    ],
  ];
  it.each(cases)('refuse %o', (options, message) => {
    expect(() => readDeploymentOptions(options)).toThrow(message);
  });
});
