// Real workers train a net, and one of them lies in a few steps: it is found and named, and the net is that of the others alone.

import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { sampled } from '../setup/longRun.ts';
import type { ProgressEvent } from '../../coordinator/progress/progressEvent.ts';
import type { NeuralTrainerOptions } from '../../coordinator/train/neural/neuralOptions.ts';
import type { NeuralResult } from '../../coordinator/train/neural/netRecording.ts';
import { NeuralTrainer } from '../../coordinator/train/neural/neuralTrainer.ts';
import { seededRandom } from '../setup/seededRandom.ts';
import { Strangers, type StrangerProgram } from './strangers.ts';
import { Swarm } from './swarm.ts';

const ROWS = 3600;
const INPUTS = 12;
const CLASSES = 3;

let swarm: Swarm;
let strangers: Strangers;
let folder: string;

const random = seededRandom(21);
const inputs = Float32Array.from({ length: ROWS * INPUTS }, () => random() * 2 - 1);
const labels = Int32Array.from({ length: ROWS }, (_, row) => {
  const [a, b] = [inputs[INPUTS * row]!, inputs[INPUTS * row + 1]!];
  return a * b > 0.1 ? 0 : a > b ? 1 : 2;
});
const dense = (config: object): object => ({ class_name: 'Dense', config });
const model = {
  class_name: 'Sequential',
  config: {
    name: 'net',
    layers: [
      dense({ name: 'hidden', units: 24, activation: 'tanh', batch_input_shape: [null, INPUTS] }),
      dense({ name: 'out', units: CLASSES, activation: 'softmax' }),
    ],
  },
};

interface Trained {
  readonly result: NeuralResult;
  readonly events: readonly ProgressEvent[];
  readonly weights: string;
}

/** In one epoch and without a report before the end: shares then do not follow what was measured. */
async function train(
  numWorkers: number | readonly [number, number],
  more: Partial<NeuralTrainerOptions> = {},
): Promise<Trained> {
  const events: ProgressEvent[] = [];
  const rows = { inputs: { values: inputs, shape: [INPUTS] }, labels: { values: labels, shape: [] } };
  const trainer = new NeuralTrainer({
    datasets: { train: rows },
    model,
    loss: 'sparseCategoricalCrossentropy',
    optimizer: { name: 'adam', learningRate: 0.01 },
    globalBatchSize: 12,
    microbatchSize: 2,
    maxSteps: 300,
    reportEverySteps: 1000,
    checkEverySteps: 4,
    ...more,
    scalingConfig: { numWorkers, url: swarm.coordinator.url, token: swarm.coordinator.tokens.admin },
    runConfig: {
      ...more.runConfig,
      name: randomUUID(),
      storagePath: folder,
      verbose: 0,
      callbacks: [{ onEvent: (event) => void events.push(event) }],
    },
  });
  const result = await trainer.fit();
  const weights = await readFile(join(result.checkpoint.path, 'weights.bin'), 'base64');
  return { result, events, weights };
}

/** @param lie see fixtures/lyingNetWorker.ts. */
const liar = (lie: string): StrangerProgram => ({
  preload: 'lyingNetWorker',
  isFromSource: true,
  env: { LIE: lie },
});

const bans = (): string[] => swarm.coordinator.moderation.bans().map(({ value }) => value);

const undone = (events: readonly ProgressEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'undone' ? [event.reason] : []));

const floats = ({ weights }: Trained): number[] => [
  ...new Float32Array(new Uint8Array(Buffer.from(weights, 'base64')).buffer),
];

/** Without what was measured of the machine. */
const learned = ({ result }: Trained): unknown =>
  result.metricsTable.map((row) => [row.round, row['train-loss'], row['train-accuracy']]);

beforeAll(async () => {
  swarm = await Swarm.start();
  strangers = new Strangers(swarm.coordinator);
  folder = await mkdtemp(join(tmpdir(), 'tabgrad-lying-net-'));
});
afterEach(async () => {
  await strangers.dismiss();
});
afterAll(async () => {
  await swarm.close();
  await rm(folder, { recursive: true, force: true });
});

describe('a stranger that lies in a few steps of a net', () => {
  let honest: Trained;
  let unchecked: Trained;

  it('is missing in a group of honest strangers: nobody is convicted, and checks change no bit', async () => {
    const ids = [await strangers.add(), await strangers.add(), await strangers.add()];
    honest = await train(3, { checkEverySteps: 1 });
    unchecked = await train(3, { checkEverySteps: 0 });
    expect(honest.weights).toBe(unchecked.weights);
    expect(undone(honest.events)).toEqual([]);
    for (const id of ids) expect(swarm.coordinator.pool.worker(id)?.checksPassed).toBeGreaterThan(150);
  });

  it.each(
    sampled(
      [
        ['gradient', 'gradient:0.2:5'],
        ['sum', 'sum:0.2:6'],
        ['accusation', 'accusation:0.5:7'],
      ],
      3,
    ),
  )('is convicted for a wrong %s, and the net has the bytes of the others alone', async (_kind, lie) => {
    const liarId = await strangers.add(liar(lie));
    await Promise.all([strangers.add(), strangers.add(), strangers.add()]);
    const trained = await train([3, 4]);
    expect(undone(trained.events)).toEqual([`worker ${liarId} lied`]);
    expect(swarm.coordinator.pool.worker(liarId)).toBeUndefined();
    expect(trained.weights).toBe(honest.weights);
    expect(learned(trained)).toEqual(learned(honest));
  });

  it('spoils nothing by sending different sums to different members, and is parted from who says so', async () => {
    const liarId = await strangers.add(liar('equivocation:0.05:8'));
    await Promise.all([strangers.add(), strangers.add(), strangers.add()]);
    const trained = await train([2, 4]);
    const lost = trained.events.flatMap((event) => (event.type === 'workerLost' ? [event] : []));
    expect(lost.length).toBeGreaterThan(0);
    for (const { reason } of lost) expect(reason).toContain('contradict each other');
    expect(lost.at(-1)?.workerId).toBe(liarId);
    expect(undone(trained.events)).toEqual([]);
    // Sums over other members are rounded in another order; a sum that was sent would change a weight at once.
    const [own, expected] = [floats(trained), floats(honest)];
    expect(Math.max(...own.map((value, at) => Math.abs(value - expected[at]!)))).toBeLessThan(2e-3);
  });

  it('frames no other by calling for checks at some members alone', async () => {
    const before = bans();
    await swarm.add('node');
    await strangers.add();
    const liarId = await strangers.add(liar('calls:0.2:10'));
    const trained = await train([2, 3], { checkEverySteps: 1000 });
    await swarm.dismiss();
    expect(bans().filter((workerId) => workerId !== liarId && !before.includes(workerId))).toEqual([]);
    expect(undone(trained.events)).toEqual([]);
  });

  it('that came later costs what came after the state stored before it, and its checkpoints go', async () => {
    const longer = {
      globalBatchSize: 4,
      microbatchSize: 1,
      maxSteps: 900,
      runConfig: { checkpointConfig: { checkpointFrequency: 50 } },
    } as const;
    await Promise.all([strangers.add(), strangers.add()]);
    const expected = await train(2, longer);
    const running = train([2, 3], longer);
    const liarId = await strangers.add(liar('gradient:0.5:9'));
    const trained = await running;
    const [back] = trained.events.flatMap((event) => (event.type === 'undone' ? [event] : []));
    expect(back?.reason).toBe(`worker ${liarId} lied`);
    expect(back!.rounds).toBeGreaterThan(0);
    expect(back!.rounds).toBe(back!.savedState?.rounds);
    expect(trained.weights).toBe(expected.weights);
  });
});
