// `npm run bench:dp [webgpu]`: what a step of a neural net costs with 1, 2 and 4 workers, how much of the exchange the
// backward pass hides, and what each codec sends. Real Node workers on this machine: they share its cores, so that a
// step gets no faster here than the cores allow.

import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { NeuralTrainer, type NeuralTrainerOptions } from '../../coordinator/index.ts';

const device = process.argv[2] === 'webgpu' ? 'webgpu' : 'cpu';
const BATCH = 128;
const STEPS = 16;
/** The first steps make room for buffers and compile. */
const WARM = 4;
const WIDTH = 512;
const INPUTS = 784;

const layers = [
  {
    class_name: 'Dense',
    config: { name: 'a', units: WIDTH, activation: 'relu', batch_input_shape: [null, INPUTS] },
  },
  { class_name: 'Dense', config: { name: 'b', units: WIDTH, activation: 'relu' } },
  { class_name: 'Dense', config: { name: 'c', units: 10, activation: 'softmax' } },
];
const parameters = INPUTS * WIDTH + WIDTH + WIDTH * WIDTH + WIDTH + WIDTH * 10 + 10;

interface Measured {
  readonly stepMs: number;
  readonly exposedMs: number;
  readonly hidden: number;
  readonly bytes: number;
}

async function measure(
  workers: number,
  gradientCodec: 'f16' | 'f32' | 'int8',
  storagePath: string,
): Promise<Measured> {
  const values = Uint8Array.from({ length: BATCH * INPUTS }, (_, at) => (at * 2_654_435_761) >>> 24);
  const labels = Int32Array.from({ length: BATCH }, (_, row) => row % 10);
  const steps: { at: number; exchangeMs: number; bytes: number; hidden: number }[] = [];
  const options: NeuralTrainerOptions = {
    datasets: { train: { inputs: { values, shape: [INPUTS] }, labels: { values: labels, shape: [] } } },
    model: { class_name: 'Sequential', config: { name: 'mlp', layers } },
    inputScale: 1 / 255,
    loss: 'sparseCategoricalCrossentropy',
    optimizer: { name: 'sgd', learningRate: 0.01, momentum: 0.9 },
    maxSteps: STEPS,
    globalBatchSize: BATCH,
    microbatchSize: BATCH / 4,
    bucketBytes: 512 * 1024,
    gradientCodec,
    reportEverySteps: 1,
    scalingConfig: { numWorkers: workers, device },
    runConfig: {
      name: `dp-${workers}-${gradientCodec}`,
      storagePath,
      verbose: 0,
      callbacks: [
        {
          onEvent(event) {
            if (event.type !== 'round') return;
            steps.push({
              at: performance.now(),
              exchangeMs: Math.max(...event.timings.map((timing) => timing.exchangeMs)),
              bytes: Math.max(...event.timings.map((timing) => timing.bytesSent)),
              hidden: event.committed.metrics['exchangeHidden'] ?? 0,
            });
          },
        },
      ],
    },
  };
  await new NeuralTrainer(options).fit();
  // The last step stores the state and is left out.
  const measured = steps.slice(WARM, STEPS - 1);
  const mean = (of: (step: (typeof steps)[number]) => number): number =>
    measured.reduce((sum, step) => sum + of(step), 0) / measured.length;
  const span = measured.at(-1)!.at - steps[WARM - 1]!.at;
  return {
    stepMs: span / measured.length,
    exposedMs: mean((step) => step.exchangeMs),
    hidden: mean((step) => step.hidden),
    bytes: mean((step) => step.bytes),
  };
}

const storagePath = mkdtempSync(path.join(tmpdir(), 'tabgrad-dp-'));
try {
  console.log(
    `Data parallel: dense ${INPUTS}-${WIDTH}-${WIDTH}-10 (${parameters} parameters, ${((4 * parameters) / 1e6).toFixed(1)} MB), ` +
      `global batch ${BATCH}, Node workers on ${device}, ${availableParallelism()} cores`,
  );
  console.log(
    'workers  codec  step ms  exposed ms  hidden  MB sent a worker and step  of the floor 2(n-1)/n·S',
  );
  for (const [workers, codec] of [
    [1, 'f32'],
    [2, 'f32'],
    [4, 'f32'],
    [2, 'f16'],
    [2, 'int8'],
  ] as const) {
    const { stepMs, exposedMs, hidden, bytes } = await measure(workers, codec, storagePath);
    const floor = (2 * (workers - 1) * 4 * parameters) / workers;
    console.log(
      [
        String(workers).padStart(7),
        codec.padStart(6),
        stepMs.toFixed(1).padStart(8),
        exposedMs.toFixed(1).padStart(11),
        (workers === 1 ? '-' : `${(100 * hidden).toFixed(0)} %`).padStart(7),
        (bytes / 1e6).toFixed(2).padStart(26),
        workers === 1 ? '-' : (bytes / floor).toFixed(2),
      ].join(' '),
    );
  }
} finally {
  rmSync(storagePath, { recursive: true, force: true });
}
