import { afterEach, describe, expect, it } from 'vitest';
import type { NeuralSpec } from '../../../../shared/neural/run/neuralSpec.ts';
import type { TrainingEngine } from '../../../../shared/neural/trainingEngine.ts';
import { flat, largestDifference, NetWorld } from './netWorld.ts';

const worlds: NetWorld[] = [];

async function start(
  change: Partial<NeuralSpec> = {},
  wrap?: (engine: TrainingEngine, workerId: string) => TrainingEngine,
): Promise<NetWorld> {
  const world = await NetWorld.start(change, wrap);
  worlds.push(world);
  return world;
}

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

const names = (count: number): string[] => Array.from({ length: count }, (_, at) => `w${at}`);

interface Trained {
  readonly losses: readonly number[];
  readonly weights: readonly number[];
}

async function undisturbed(size: number, change: Partial<NeuralSpec> = {}): Promise<Trained> {
  const world = await start(change);
  const members = names(size);
  members.forEach((name) => world.addWorker(name));
  await world.begin(1, members);
  const losses = await world.losses('w0', 0, world.spec.steps - 1);
  const saved = await world.hear('w0', 'saved');
  expect(saved.rounds).toBe(world.spec.steps);
  losses.push(...(await world.losses('w0', world.spec.steps - 1, world.spec.steps)));
  return { losses, weights: flat(world.state(saved)) };
}

describe('A neural run in a group', () => {
  it('has the same losses and weights with 1, 2, 3 and 4 members, to rounding', async () => {
    const alone = await undisturbed(1);
    expect(alone.losses.at(-1)).toBeLessThan(0.9 * alone.losses[0]!);
    for (const size of [2, 3, 4]) {
      const group = await undisturbed(size);
      expect(largestDifference(group.losses, alone.losses)).toBeLessThan(2e-6);
      expect(largestDifference(group.weights, alone.weights)).toBeLessThan(2e-5);
    }
  });

  it('goes on without a member that died in the middle of a step, as if nothing had happened', async () => {
    const expected = await undisturbed(3);
    const world = await start({}, (engine, workerId) => (workerId === 'w2' ? dying(engine, 7) : engine));
    const dying = (engine: TrainingEngine, calls: number): TrainingEngine => {
      let left = calls;
      const accumulate = engine.accumulate.bind(engine);
      engine.accumulate = (batch, options) => {
        left -= 1;
        if (left > 0) return accumulate(batch, options);
        world.kill('w2');
        return new Promise(() => undefined);
      };
      return engine;
    };
    names(3).forEach((name) => world.addWorker(name));
    await world.begin(1, names(3));
    const losses = await world.losses('w0', 0, 3);
    const survivors = ['w0', 'w1'];
    for (const workerId of survivors) {
      expect(await world.hear(workerId, 'stalled')).toMatchObject({ code: 'PEER_LOST', missing: ['w2'] });
    }
    const [first, second] = await world.halt(1, survivors, 'now');
    expect([first, second]).toEqual([3, 3]);
    await world.begin(2, survivors);
    losses.push(...(await world.losses('w0', 3, 8)));
    const saved = await world.hear('w0', 'saved');
    losses.push(...(await world.losses('w0', 8, 9)));
    expect(largestDifference(losses, expected.losses)).toBeLessThan(2e-6);
    expect(largestDifference(flat(world.state(saved)), expected.weights)).toBeLessThan(2e-5);
  });

  it('ends a generation at one step for all, and gives newcomers the state from peers', async () => {
    const expected = await undisturbed(1);
    const world = await start();
    names(4).forEach((name) => world.addWorker(name));
    await world.begin(1, ['w0', 'w1']);
    await world.losses('w0', 0, 2);
    const halted = await world.halt(1, ['w0', 'w1'], 'commit');
    expect(halted[0]).toBe(halted[1]);
    const step = halted[0]!;
    // The newcomers come first: what counts is who has the state, not who leads.
    const members = ['w3', 'w1', 'w2', 'w0'];
    await world.begin(2, members);
    await world.losses('w3', step, 8);
    const saved = await world.hear('w3', 'saved');
    expect(largestDifference(flat(world.state(saved)), expected.weights)).toBeLessThan(2e-5);
  });

  it('goes back to the stored state when all who had a later one are gone', async () => {
    const expected = await undisturbed(2);
    const world = await start({ checkpointEverySteps: 2 });
    names(4).forEach((name) => world.addWorker(name));
    await world.begin(1, ['w0', 'w1']);
    const saved = await world.hear('w0', 'saved');
    expect(saved.rounds).toBe(2);
    world.kill('w0');
    world.kill('w1');
    const { rounds, sha256, sizeBytes } = saved;
    await world.form(2, ['w2', 'w3'], { rounds, sha256, sizeBytes });
    world.sayAll(['w2', 'w3'], { type: 'begin', runId: 'net-1', generation: 2 });
    const losses = await world.losses('w2', 2, 8);
    expect(largestDifference(losses, expected.losses.slice(2, 8))).toBeLessThan(2e-6);
  });

  it('takes the parameters of the first rank where members round differently', async () => {
    const world = await start({}, (engine, workerId) => {
      if (workerId !== 'w1') return engine;
      // As a GPU might: the last bit of an update is another.
      const update = engine.update.bind(engine);
      engine.update = (options) => update({ ...options, learningRate: options.learningRate * (1 + 1e-7) });
      return engine;
    });
    const logged: string[] = [];
    world.onLog = (line) => logged.push(line);
    names(2).forEach((name) => world.addWorker(name));
    await world.begin(1, names(2));
    await world.losses('w0', 0, 8);
    const saved = await world.hear('w0', 'saved');
    const expected = await undisturbed(2);
    expect(largestDifference(flat(world.state(saved)), expected.weights)).toBeLessThan(2e-5);
    expect(logged.some((line) => line.includes('those of rank 0 count'))).toBe(true);
  });

  it('tells the same metrics and the same states at every member; the first stores them', async () => {
    const world = await start({ checkpointEverySteps: 4 });
    names(3).forEach((name) => world.addWorker(name));
    await world.begin(1, names(3));
    const told: Record<string, unknown[]> = {};
    for (const name of names(3)) {
      const said: unknown[] = (told[name] = []);
      for (;;) {
        const message = await world.hearAny(name, ['committed', 'state', 'saved']);
        if (message.type === 'committed') {
          expect('measured' in message).toBe(name === 'w0');
          said.push(['metrics', message.round, message.metrics]);
          if (message.round === 8) break;
        } else {
          expect(message.type).toBe(name === 'w0' ? 'saved' : 'state');
          said.push(['state', message.rounds, message.sha256, message.sizeBytes]);
        }
      }
    }
    const parts = (name: string, kind: string): unknown[] =>
      told[name]!.filter((one) => (one as unknown[])[0] === kind);
    expect(parts('w0', 'metrics')).toHaveLength(9);
    expect(parts('w0', 'state').map((one) => (one as unknown[])[1])).toEqual([4, 8, 9]);
    for (const name of ['w1', 'w2'])
      for (const kind of ['metrics', 'state']) expect(parts(name, kind)).toEqual(parts('w0', kind));
  });

  it('tells one state where members round differently, optimizer and all', async () => {
    const world = await start({}, (engine, workerId) => {
      if (workerId !== 'w1') return engine;
      const update = engine.update.bind(engine);
      engine.update = (options) => update({ ...options, learningRate: options.learningRate * (1 + 1e-7) });
      const takeTotals = engine.takeTotals.bind(engine);
      // Adam's arrays differ too.
      engine.takeTotals = async () => {
        const optimizer = await engine.read('optimizer');
        optimizer[0] = optimizer[0]! + 1e-6;
        engine.write('optimizer', optimizer);
        return takeTotals();
      };
      return engine;
    });
    world.onLog = () => undefined;
    names(2).forEach((name) => world.addWorker(name));
    await world.begin(1, names(2));
    const [saved, state] = await Promise.all([world.hear('w0', 'saved'), world.hear('w1', 'state')]);
    expect([state.rounds, state.sha256]).toEqual([9, saved.sha256]);
  });

  it('goes on from the state that most members have, whoever leads', async () => {
    const expected = await undisturbed(1);
    const engines = new Map<string, TrainingEngine>();
    const world = await start({}, (engine, workerId) => {
      engines.set(workerId, engine);
      return engine;
    });
    names(3).forEach((name) => world.addWorker(name));
    await world.begin(1, names(3));
    await world.losses('w0', 0, 2);
    const [step] = await world.halt(1, names(3), 'commit');
    const forged = engines.get('w2')!;
    forged.write('parameters', (await forged.read('parameters')).fill(1));
    await world.begin(2, ['w2', 'w0', 'w1']);
    await world.losses('w2', step!, 8);
    const saved = await world.hear('w2', 'saved');
    expect(largestDifference(flat(world.state(saved)), expected.weights)).toBeLessThan(2e-5);
  });

  it('has with synchronised batch norm the curve of one microbatch of all rows, also where members lack one', async () => {
    // Three microbatches a step for four members, and two in the last step of an epoch.
    const engine = 'compiled';
    const alone = await undisturbed(1, { engine, microbatchSize: 36 });
    const group = await undisturbed(4, { engine, microbatchSize: 12, syncBatchNorm: true });
    expect(largestDifference(group.losses, alone.losses)).toBeLessThan(1e-5);
    expect(largestDifference(group.weights, alone.weights)).toBeLessThan(1e-4);
    // The oracle tells them apart from statistics of each microbatch alone.
    const apart = await undisturbed(1, { engine, microbatchSize: 12 });
    expect(largestDifference(apart.losses, alone.losses)).toBeGreaterThan(1e-3);
  });

  it.each([
    ['f16', 2e-3],
    ['int8', 2e-2],
  ] as const)('comes near the exact losses when gradients travel as %s', async (gradientCodec, near) => {
    const exact = await undisturbed(1);
    const coded = await undisturbed(3, { gradientCodec });
    const difference = largestDifference(coded.losses, exact.losses);
    expect(difference).toBeGreaterThan(0);
    expect(difference).toBeLessThan(near);
  });

  it('stops at a loss that is not finite and names step, rows and layer', async () => {
    const world = await start({
      learningRate: { initial: 1e30, warmupSteps: 0, decay: { kind: 'constant' } },
      optimizer: { name: 'sgd', momentum: 0, nesterov: false, weightDecay: 0 },
      clipValue: 1e30,
    });
    world.addWorker('w0');
    await world.begin(1, ['w0']);
    await expect(world.hear('w0', 'saved')).rejects.toThrow(
      /NEURAL_LOSS_NOT_FINITE the loss of step \d+ is not finite: examples \d+ to \d+ of epoch \d+; the first layer that is not finite is "\w+"/,
    );
  });
});
