import { describe, expect, it } from 'vitest';
import {
  resolveNeural,
  type NeuralTrainerOptions,
} from '../../../../coordinator/train/neural/neuralOptions.ts';

const column = (shape: number[]) => ({ values: new Float32Array(6), shape });
const base = {
  model: {},
  datasets: { train: { inputs: column([1]), labels: column([1]) } },
  loss: 'meanSquaredError',
} as const satisfies NeuralTrainerOptions;

const resolve = (change: object) => resolveNeural({ ...base, ...change });

describe('Options of a neural run', () => {
  it.each([
    [
      'optimizer.beta1',
      { optimizer: { name: 'adam', beta1: 1.5 } },
      'is 1.5; expected a number from 0 and below 1',
    ],
    [
      'optimizer.beta1',
      { optimizer: { name: 'adam', beta1: 1 } },
      'is 1; expected a number from 0 and below 1',
    ],
    ['optimizer.beta2', { optimizer: { name: 'adamw', beta2: Number.NaN } }, 'is NaN; expected'],
    ['optimizer.epsilon', { optimizer: { name: 'adam', epsilon: 0 } }, 'is 0; expected a number above 0'],
    [
      'optimizer.weightDecay',
      { optimizer: { name: 'adamw', weightDecay: 'x' } },
      'is "x"; expected a number from 0',
    ],
    [
      'optimizer.weightDecay',
      { optimizer: { name: 'sgd', weightDecay: -5 } },
      'is -5; expected a number from 0',
    ],
    [
      'optimizer.momentum',
      { optimizer: { name: 'sgd', momentum: 1 } },
      'is 1; expected a number from 0 and below 1',
    ],
    [
      'datasets.train.inputs.a.valeus',
      { datasets: { train: { inputs: { a: { ...column([1]), valeus: 1 } }, labels: column([1]) } } },
      'is not an option; did you mean values?',
    ],
    ['optimizer.nesterov', { optimizer: { name: 'sgd', nesterov: true } }, 'needs a momentum above 0'],
    [
      'optimizer.nesterov',
      { optimizer: { name: 'sgd', momentum: 0.9, nesterov: 'yes' } },
      'expected true or false',
    ],
    [
      'optimizer.learningRate',
      { optimizer: { name: 'sgd', learningRate: Infinity } },
      'is Infinity; expected',
    ],
    ['optimizer.momentum', { optimizer: { name: 'adam', momentum: 0.9 } }, 'is not an option'],
    ['optimizer.name', { optimizer: {} }, 'is missing; expected one of adam, adamw, sgd'],
    [
      'optimizer',
      { optimizer: ['adam'] },
      'is ["adam"]; expected one of adam, adamw, sgd, or an object with keys',
    ],
    [
      'learningRateSchedule.final',
      { learningRateSchedule: { name: 'cosine', final: -3 } },
      'is -3; expected a number from 0 to 1',
    ],
    [
      'learningRateSchedule.final',
      { learningRateSchedule: { name: 'cosine', final: 'x' } },
      'is "x"; expected',
    ],
    [
      'learningRateSchedule.final',
      { learningRateSchedule: { name: 'constant', final: 0 } },
      'is not an option',
    ],
    [
      'learningRateSchedule.warmUpSteps',
      { learningRateSchedule: { name: 'cosine', warmUpSteps: 3 } },
      'did you mean warmupSteps?',
    ],
    [
      'learningRateSchedule.name',
      { learningRateSchedule: { name: 'linear' } },
      'expected one of constant, cosine, step',
    ],
    [
      'loss.fromLogits',
      { loss: { name: 'binaryCrossentropy', fromLogits: 'no' } },
      'is "no"; expected true or false',
    ],
    ['loss.fromLogit', { loss: { name: 'binaryCrossentropy', fromLogit: true } }, 'did you mean fromLogits?'],
    ['loss', { loss: 'hinge' }, 'is "hinge"; expected one of binaryCrossentropy'],
    ['metrics', { metrics: ['accuracy', 'accuracy'] }, 'names one of them twice'],
    ['metrics', { metrics: 'accuracy' }, 'is "accuracy"; expected a list'],
    ['syncBatchNorm', { syncBatchNorm: 'x' }, 'is "x"; expected true or false'],
    ['verifyEveryStep', { verifyEveryStep: 1 }, 'is 1; expected true or false'],
    ['inputOffset', { inputOffset: Number.NaN }, 'is NaN; expected a number'],
    ['reportEverySteps', { reportEverySteps: 0 }, 'is 0; expected a whole number from 1 to 2147483648'],
    ['seed', { seed: 2 ** 40 }, 'is 1099511627776; expected a whole number from 0 to 2147483648'],
    ['bucketBytes', { bucketBytes: 1e12 }, 'expected a whole number from 1024 to 2147483648'],
    [
      'localSteps.outerMomentum',
      { localSteps: { steps: 2, outerMomentum: 2 } },
      'expected a number from 0 and below 1',
    ],
    ['labelColumn', { labelColumn: 'y' }, 'is for tables'],
    [
      'datasets.train.label',
      { datasets: { train: { ...base.datasets.train, label: 1 } } },
      'did you mean labels?',
    ],
    [
      'datasets.train.inputs.shapes',
      { datasets: { train: { inputs: { ...column([1]), shapes: [] }, labels: column([1]) } } },
      'did you mean shape?',
    ],
    [
      'centeredClip.radius',
      { centeredClip: { radius: 0 }, scalingConfig: { numWorkers: 3 } },
      'is 0; expected a number above 0',
    ],
    ['centeredClip', { centeredClip: {}, scalingConfig: { numWorkers: 2 } }, 'has no effect on 2 workers'],
    [
      'centeredClip',
      { centeredClip: {}, gradientCodec: 'int8', scalingConfig: { numWorkers: 3 } },
      'and gradientCodec "int8" exclude each other',
    ],
    [
      'checkEverySteps',
      { checkEverySteps: 5, gradientCodec: 'f16' },
      'has no effect with gradientCodec "f16"',
    ],
    ['checkEverySteps', { checkEverySteps: 5, syncBatchNorm: true }, 'has no effect with syncBatchNorm'],
    ['checkEverySteps', { checkEverySteps: -1 }, 'is -1; expected a whole number from 0'],
  ])('%s out of its range or unknown is refused at once: %j', (field, change, message) => {
    expect(() => resolve(change)).toThrow(
      expect.objectContaining({
        code: 'TRAIN_ARGUMENT',
        place: { field },
        message: expect.stringContaining(`${field} `) as string,
      }),
    );
    expect(() => resolve(change)).toThrow(message);
  });

  it('in their ranges, the ends included, are taken as they are', () => {
    const sgd = { name: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 0 } as const;
    expect(resolve({ optimizer: sgd }).optimizer).toEqual(sgd);
    expect(resolve({ optimizer: { name: 'adam', beta1: 0, epsilon: 1e-3 } }).optimizer).toEqual({
      name: 'adam',
      beta1: 0,
      beta2: 0.999,
      epsilon: 1e-3,
      weightDecay: 0,
    });
    expect(resolve({ learningRateSchedule: { name: 'cosine', final: 1 } }).schedule.decay).toEqual({
      kind: 'cosine',
      final: 1,
    });
    const clip = resolve({ centeredClip: {}, scalingConfig: { numWorkers: [1, 3] } }).centeredClip;
    expect(clip).toEqual({ radius: 1, iterations: 3 });
    expect(resolve({ checkEverySteps: 0, gradientCodec: 'f16' }).options.checkEverySteps).toBe(0);
    expect(resolve({ loss: { name: 'binaryCrossentropy', fromLogits: false } }).loss).toEqual({
      name: 'binaryCrossentropy',
      fromLogits: false,
    });
  });
});
