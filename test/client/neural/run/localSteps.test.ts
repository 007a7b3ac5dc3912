import { afterEach, describe, expect, it } from 'vitest';
import { TensorRows } from '../../../../client/neural/run/tensorRows.ts';
import { createNeuralEngine } from '../../../../client/runtime/createNeuralEngine.ts';
import { microbatchesOf, shareOfSpeed } from '../../../../shared/neural/run/stepPlan.ts';
import { learningRateAt } from '../../../../shared/neural/run/learningRate.ts';
import type { NeuralSpec } from '../../../../shared/neural/run/neuralSpec.ts';
import { readNeuralSpec } from '../../../../shared/neural/run/readNeuralSpec.ts';
import {
  encodeState,
  fromSections,
  toSections,
  type NamedState,
} from '../../../../shared/neural/state/namedState.ts';
import type { StateSection, TrainingEngine } from '../../../../shared/neural/trainingEngine.ts';
import { flat, largestDifference, NetWorld } from './netWorld.ts';

const worlds: NetWorld[] = [];
const localSteps = { steps: 4, outerLearningRate: 0.7, outerMomentum: 0.9 };
// Outer steps after 4, 8 and, as the last are fewer, 9.
const local: Partial<NeuralSpec> = { engine: 'compiled', localSteps };

async function start(
  change: Partial<NeuralSpec> = {},
  wrap?: (engine: TrainingEngine, workerId: string) => TrainingEngine,
  from?: NamedState,
): Promise<NetWorld> {
  const world = await NetWorld.start({ ...local, ...change }, wrap, from);
  worlds.push(world);
  return world;
}

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

interface Trained {
  readonly losses: readonly number[];
  readonly state: NamedState;
}

async function train(world: NetWorld, outerSteps: readonly number[], size = 2): Promise<Trained> {
  const members = Array.from({ length: size }, (_, at) => `w${at}`);
  members.forEach((name) => world.addWorker(name));
  await world.begin(1, members);
  return finish(world, outerSteps);
}

async function finish(world: NetWorld, outerSteps: readonly number[]): Promise<Trained> {
  const losses: number[] = [];
  for (const end of outerSteps.slice(0, -1)) losses.push(...(await world.losses('w0', end - 1, end)));
  const saved = await world.hear('w0', 'saved', ({ rounds }) => rounds === world.spec.steps);
  const end = outerSteps.at(-1)!;
  losses.push(...(await world.losses('w0', end - 1, end)));
  return { losses, state: world.state(saved) };
}

/** The rule written down once more: one engine a member, means and momentum in double precision. */
async function plain(world: NetWorld, size: number): Promise<Trained> {
  const { spec } = world;
  const fetchBlob = (sha256: string): Promise<Uint8Array<ArrayBuffer>> =>
    Promise.resolve(Uint8Array.from(world.blobs.get(sha256)!));
  const rows = new TensorRows(spec.train, spec.seed, { fetchBlob });
  const engines = await Promise.all(Array.from({ length: size }, () => createNeuralEngine(spec, undefined)));
  const { layout } = engines[0]!;
  const first = world.state({ ...spec.initialState, type: 'saved', runId: '', generation: 1, rounds: 0 });
  const agreed = Object.fromEntries(
    Object.entries(toSections(layout, first)).map(([section, values]) => [section, [...values]]),
  ) as Record<StateSection, number[]>;
  const sections = Object.keys(agreed) as StateSection[];
  const velocity = agreed.parameters.map(() => 0);
  const losses: number[] = [];
  let [loss, examples] = [0, 0];
  for (let step = 0; step < spec.steps; step++) {
    if (step % localSteps.steps === 0) {
      [loss, examples] = [0, 0];
      for (const engine of engines)
        for (const section of sections) engine.write(section, Float32Array.from(agreed[section]));
    }
    const all = microbatchesOf(spec, step);
    for (const [rank, engine] of engines.entries()) {
      const [from, to] = shareOfSpeed(
        all.length,
        engines.map(() => 1),
        rank,
      );
      const places = all.slice(from, to);
      for (const place of places) {
        const batch = await rows.read(place, step, new AbortController().signal);
        await engine.accumulate(batch, { isLast: false });
      }
      const totals = await engine.takeTotals();
      loss += totals.loss;
      examples += totals.examples;
      engine.update({
        learningRate: learningRateAt(spec.learningRate, step, spec.steps),
        step,
        examples: totals.examples,
        microbatches: places.length,
      });
    }
    if ((step + 1) % localSteps.steps !== 0 && step + 1 !== spec.steps) continue;
    losses.push(loss / examples);
    for (const section of sections) {
      const ends = await Promise.all(engines.map((engine) => engine.read(section)));
      agreed[section] = agreed[section].map((value, at) => {
        const mean = ends.reduce((sum, end) => sum + end[at]! / size, 0);
        if (section !== 'parameters') return mean;
        velocity[at] = 0.9 * velocity[at]! + (value - mean);
        return value - 0.7 * (value - mean + 0.9 * velocity[at]);
      });
    }
  }
  for (const engine of engines) await engine.close();
  const values = {
    parameters: Float32Array.from(agreed.parameters),
    statistics: Float32Array.from(agreed.statistics),
    optimizer: Float32Array.from(agreed.optimizer),
  };
  return { losses, state: fromSections(layout, values, spec.steps, Float32Array.from(velocity)) };
}

const arrays = ({ optimizer, velocity }: NamedState): number[] =>
  [...optimizer, velocity!].flatMap((named) => [...named.values()].flatMap(({ values }) => [...values]));

function expectNear(trained: Trained, expected: Trained): void {
  expect(largestDifference(trained.losses, expected.losses)).toBeLessThan(2e-6);
  expect(largestDifference(flat(trained.state), flat(expected.state))).toBeLessThan(2e-5);
  expect(largestDifference(arrays(trained.state), arrays(expected.state))).toBeLessThan(2e-5);
}

describe('Local steps', () => {
  it.each([1, 2])(
    'have with %i members the losses and the state of the rule written down plainly',
    async (size) => {
      const world = await start();
      expectNear(await train(world, [4, 8, 9], size), await plain(world, size));
    },
  );

  it('depend on the number of members', async () => {
    const alone = await train(await start(), [4, 8, 9], 1);
    const two = await train(await start(), [4, 8, 9], 2);
    expect(largestDifference(flat(alone.state), flat(two.state))).toBeGreaterThan(1e-3);
  });

  it('are given up without a trace when a member dies among them', async () => {
    const world = await start({}, (engine, workerId) => {
      if (workerId !== 'w2') return engine;
      let steps = 0;
      const update = engine.update.bind(engine);
      engine.update = (options) => {
        steps += 1;
        update(options);
        if (steps === 2) world.kill('w2');
      };
      return engine;
    });
    const three = ['w0', 'w1', 'w2'];
    three.forEach((name) => world.addWorker(name));
    await world.begin(1, three);
    for (const workerId of ['w0', 'w1']) {
      expect(await world.hear(workerId, 'stalled')).toMatchObject({ code: 'PEER_LOST', missing: ['w2'] });
    }
    // None of the four steps is there, so the two that are left begin as if there had never been a third.
    expect(await world.halt(1, ['w0', 'w1'], 'now')).toEqual([0, 0]);
    await world.begin(2, ['w0', 'w1']);
    expectNear(await finish(world, [4, 8, 9]), await plain(world, 2));
  });

  it('go on from a state between outer steps with the same bits', async () => {
    const learningRate = { initial: 0.05, warmupSteps: 2, decay: { kind: 'constant' } } as const;
    const whole = await train(await start({ learningRate }), [4, 8, 9]);
    const half = await train(await start({ learningRate, steps: 4 }), [4]);
    expect(half.state.velocity?.size).toBeGreaterThan(0);
    const world = await start({ learningRate, firstStep: 4 }, undefined, half.state);
    const rest = await train(world, [8, 9]);
    expect(encodeState(rest.state)).toEqual(encodeState(whole.state));
  });

  it('come near the exact losses when differences travel as int8', async () => {
    const exact = await train(await start(), [4, 8, 9]);
    const coded = await train(await start({ gradientCodec: 'int8' }), [4, 8, 9]);
    expect(largestDifference(coded.losses, exact.losses)).toBeGreaterThan(0);
    expect(largestDifference(coded.losses, exact.losses)).toBeLessThan(2e-2);
  });

  it('exclude synchronised batch norm', async () => {
    const { spec } = await start();
    expect(() => readNeuralSpec({ ...spec, syncBatchNorm: true })).toThrow(
      'neural spec: localSteps and syncBatchNorm exclude each other',
    );
  });
});
