// One run of the lesson: a net, so many workers, a line a report.

import type * as tf from '@tensorflow/tfjs';
import { NeuralTrainer, type NeuralResult, type NeuralTrainerOptions } from '../../coordinator/index.ts';
import { formatCount, formatDuration } from '../../coordinator/progress/formatNumbers.ts';
import type { Digits } from './readIdx.ts';

type Callback = NonNullable<NonNullable<NeuralTrainerOptions['runConfig']>['callbacks']>[number];

export interface DigitsRun {
  readonly name: string;
  readonly model: tf.LayersModel;
  readonly train: Digits;
  /** Evaluated in the end. */
  readonly valid?: Digits;
  /** One is a Node process, more are tabs. */
  readonly workers: number;
  readonly learningRate: number;
  readonly schedule: NonNullable<NeuralTrainerOptions['learningRateSchedule']>;
  readonly batch: number;
  readonly steps: number;
  /** Folder of results. */
  readonly out: string;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

export const percent = (share: number | undefined): string => `${(100 * (share ?? Number.NaN)).toFixed(2)} %`;

export async function trainDigits(run: DigitsRun): Promise<NeuralResult> {
  const { name, model, train, valid, workers, learningRate, schedule, batch, steps, out, say } = run;
  const trainer = new NeuralTrainer({
    model,
    datasets: { train: tensorsOf(train), ...(valid && { valid: tensorsOf(valid) }) },
    // Normalize(0.5, 0.5): bytes become numbers from -1 to 1.
    inputScale: 1 / 127.5,
    inputOffset: -1,
    loss: { name: 'sparseCategoricalCrossentropy', fromLogits: true },
    optimizer: { name: 'adam', learningRate },
    learningRateSchedule: schedule,
    globalBatchSize: batch,
    maxSteps: steps,
    seed: 1,
    scalingConfig: { numWorkers: workers, runtime: workers === 1 ? 'node' : 'browser' },
    runConfig: { name, storagePath: out, overwrite: true, callbacks: [progress(steps, say)] },
  });
  const result = await trainer.fit({ signal: run.signal });
  const accuracy = percent(result.metrics['valid-accuracy']);
  const evaluated = valid ? `; on ${formatCount(valid.rows)} test images: ${accuracy}` : '';
  say(`trained in ${formatDuration(result.timings.trainMs)}${evaluated}`);
  return result;
}

const tensorsOf = ({ inputs, labels }: Digits): Pick<Digits, 'inputs' | 'labels'> => ({ inputs, labels });

/** On a terminal each line replaces the one before. */
function progress(steps: number, say: (text: string) => void): Callback {
  const startedAt = performance.now();
  return {
    onEvent: (event) => {
      if (event.type === 'waiting') say(`waiting: ${event.reason}`);
      if (event.type !== 'round') return;
      const { round, metrics } = event.committed;
      const done = round + 1;
      const left = ((performance.now() - startedAt) / done) * (steps - done);
      const line =
        `step ${done}/${steps}  loss ${metrics['train-loss']?.toFixed(4)}  accuracy ${percent(metrics['train-accuracy'])}  ` +
        `${formatCount(Math.round(metrics['examplesPerSecond'] ?? 0))} images/s  ${formatDuration(left)} left`;
      if (!process.stdout.isTTY) return say(line);
      process.stdout.write(`\r\u001b[2K${line}${done === steps ? '\n' : ''}`);
    },
    onWarning: (text) => say(`warning: ${text}`),
  };
}
