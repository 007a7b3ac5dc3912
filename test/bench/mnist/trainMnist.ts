// MNIST on one training engine in this process, without a coordinator: what the engine alone takes, and how good the net
// becomes. Ray's settings: images normalized to ±1, Adam at 1e-3, batches of 128, two epochs.

import type { Microbatch, TrainingEngine } from '../../../shared/neural/trainingEngine.ts';
import { seededRandom } from '../../setup/seededRandom.ts';

export interface Digits {
  readonly rows: number;
  /** [rows, 784], as in the files. */
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
}

export interface MnistSettings {
  readonly epochs: number;
  readonly batchSize: number;
  /** By step and steps of the run. */
  readonly learningRate: (step: number, steps: number) => number;
  readonly seed: number;
  /** Stops sooner, for nets that this machine is too slow for. */
  readonly maxSteps?: number;
  /** Loss is read every so many steps. */
  readonly reportEvery: number;
  readonly onReport?: (point: CurvePoint) => void;
  readonly now: () => number;
}

interface CurvePoint {
  readonly step: number;
  readonly steps: number;
  /** Means since the last point, in training. */
  readonly loss: number;
  readonly accuracy: number;
  /** Of the steps since the last point. */
  readonly imagesPerSecond: number;
}

export interface MnistOutcome {
  readonly steps: number;
  readonly trainSeconds: number;
  /** Over all steps but those before the first report, which pay for pipelines. */
  readonly imagesPerSecond: number;
  readonly curve: readonly CurvePoint[];
}

const PIXELS = 28 * 28;

export async function trainMnist(
  engine: TrainingEngine,
  train: Digits,
  settings: MnistSettings,
): Promise<MnistOutcome> {
  const { batchSize, epochs, learningRate, now, reportEvery } = settings;
  const perEpoch = Math.ceil(train.rows / batchSize);
  const steps = Math.min(epochs * perEpoch, settings.maxSteps ?? Infinity);
  const curve: CurvePoint[] = [];
  const startedAt = now();
  let [reportedAt, images] = [startedAt, 0];
  let order = new Uint32Array();
  for (let step = 0; step < steps; step += 1) {
    const at = step % perEpoch;
    if (at === 0) order = shuffled(train.rows, settings.seed + step / perEpoch);
    const batch = batchOf(train, order.slice(at * batchSize, (at + 1) * batchSize), step);
    await engine.accumulate(batch, { isLast: true });
    const { examples } = batch;
    engine.update({ learningRate: learningRate(step, steps), step, examples, microbatches: 1 });
    images += examples;
    if ((step + 1) % reportEvery !== 0 && step + 1 !== steps) continue;
    const { loss, metrics, examples: seen } = await engine.takeTotals();
    const time = now();
    const imagesPerSecond = (1000 * images) / (time - reportedAt);
    const point = {
      step: step + 1,
      steps,
      loss: loss / seen,
      accuracy: metrics.accuracy! / seen,
      imagesPerSecond,
    };
    curve.push(point);
    settings.onReport?.(point);
    [reportedAt, images] = [time, 0];
  }
  const later = curve.length > 1 ? curve.slice(1) : curve;
  // Equal stretches: the harmonic mean is the rate over all of them.
  const rate = later.length / later.reduce((sum, { imagesPerSecond }) => sum + 1 / imagesPerSecond, 0);
  return { steps, trainSeconds: (now() - startedAt) / 1000, imagesPerSecond: rate, curve };
}

/** Share of right answers, by the moving statistics. */
export async function testAccuracy(engine: TrainingEngine, test: Digits, batchSize: number): Promise<number> {
  let hits = 0;
  for (let start = 0; start < test.rows; start += batchSize) {
    const rows = Uint32Array.from({ length: Math.min(batchSize, test.rows - start) }, (_, at) => start + at);
    const { metrics } = await engine.evaluate(batchOf(test, rows, 0));
    hits += metrics.accuracy!;
  }
  return hits / test.rows;
}

function batchOf({ pixels, labels }: Digits, rows: Uint32Array<ArrayBuffer>, step: number): Microbatch {
  const values = new Float32Array(rows.length * PIXELS);
  for (const [at, row] of rows.entries()) {
    const [into, from] = [at * PIXELS, row * PIXELS];
    for (let pixel = 0; pixel < PIXELS; pixel += 1) values[into + pixel] = pixels[from + pixel]! / 127.5 - 1;
  }
  const targets = Int32Array.from(rows, (row) => labels[row]!);
  return { examples: rows.length, inputs: [values], targets, exampleIds: rows, step };
}

function shuffled(length: number, seed: number): Uint32Array<ArrayBuffer> {
  const order = Uint32Array.from({ length }, (_, at) => at);
  const random = seededRandom(seed);
  for (let at = length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  return order;
}
