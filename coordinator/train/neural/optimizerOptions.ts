// The optimizer and its learning rates as an owner gives them, in the names of Keras and PyTorch, and their check.

import type { OptimizerSpec } from '../../../kernels/neural/optimizer.ts';
import type { LearningRateSchedule } from '../../../shared/neural/run/learningRate.ts';
import { argument, refuseUnknown, wholeNumber } from '../../options/runOptions.ts';
import { flag, numberAbove, numberFrom, oneOf, optionsOf } from './optionChecks.ts';

export interface OptimizerOptions {
  readonly name: 'adam' | 'adamw' | 'sgd';
  /** Default 0.01 for SGD, 0.001 for the others. */
  readonly learningRate?: number;
  /** Of SGD; default 0. */
  readonly momentum?: number;
  /** Of SGD with momentum. */
  readonly nesterov?: boolean;
  /** Of Adam; default 0.9, 0.999 and 1e-8. The first two from 0 and below 1. */
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  /** From 0; default 0, and 0.01 for AdamW. */
  readonly weightDecay?: number;
}

export type ScheduleOptions =
  | { readonly name: 'constant'; readonly warmupSteps?: number }
  /** Down to `final` times the rate, from 0 to 1; default 0. */
  | { readonly name: 'cosine'; readonly warmupSteps?: number; readonly final?: number }
  | {
      readonly name: 'step';
      readonly warmupSteps?: number;
      readonly everySteps: number;
      readonly factor: number;
    };

const ofSgd = ['momentum', 'nesterov'] as const;
const ofAdam = ['beta1', 'beta2', 'epsilon'] as const;

/** @throws TrainArgumentError naming the option. */
export function resolveOptimizer(given: OptimizerOptions | OptimizerOptions['name']): {
  readonly optimizer: OptimizerSpec;
  readonly learningRate: number;
} {
  const options: OptimizerOptions =
    typeof given === 'string' ? { name: given } : optionsOf('optimizer', given);
  const name = oneOf('optimizer.name', options.name, ['adam', 'adamw', 'sgd'] as const);
  const isSgd = name === 'sgd';
  refuseUnknown('optimizer', options, ['name', 'learningRate', 'weightDecay', ...(isSgd ? ofSgd : ofAdam)]);
  const learningRate = numberAbove(
    'optimizer.learningRate',
    options.learningRate ?? (isSgd ? 0.01 : 0.001),
    0,
  );
  const weightDecay = numberFrom(
    'optimizer.weightDecay',
    options.weightDecay ?? (name === 'adamw' ? 0.01 : 0),
    0,
  );
  if (isSgd) {
    const momentum = fraction('optimizer.momentum', options.momentum ?? 0);
    const nesterov = flag('optimizer.nesterov', options.nesterov ?? false);
    if (nesterov && momentum === 0)
      throw argument('optimizer.nesterov', 'needs a momentum above 0; without one it has no effect');
    return { optimizer: { name, momentum, nesterov, weightDecay }, learningRate };
  }
  const beta1 = fraction('optimizer.beta1', options.beta1 ?? 0.9);
  const beta2 = fraction('optimizer.beta2', options.beta2 ?? 0.999);
  const epsilon = numberAbove('optimizer.epsilon', options.epsilon ?? 1e-8, 0);
  return { optimizer: { name, beta1, beta2, epsilon, weightDecay }, learningRate };
}

function fraction(field: string, value: number): number {
  return numberFrom(field, value, 0, { below: 1 });
}

/** @throws TrainArgumentError naming the option. */
export function resolveSchedule(initial: number, given: ScheduleOptions): LearningRateSchedule {
  const section = 'learningRateSchedule';
  const options = optionsOf(section, given);
  const warmupSteps = wholeNumber(`${section}.warmupSteps`, options.warmupSteps ?? 0, 0);
  switch (options.name) {
    case 'constant':
      refuseUnknown(section, options, ['name', 'warmupSteps']);
      return { initial, warmupSteps, decay: { kind: 'constant' } };
    case 'cosine': {
      refuseUnknown(section, options, ['name', 'warmupSteps', 'final']);
      const final = numberFrom(`${section}.final`, options.final ?? 0, 0, { most: 1 });
      return { initial, warmupSteps, decay: { kind: 'cosine', final } };
    }
    case 'step': {
      refuseUnknown(section, options, ['name', 'warmupSteps', 'everySteps', 'factor']);
      const steps = wholeNumber(`${section}.everySteps`, options.everySteps, 1);
      const factor = numberAbove(`${section}.factor`, options.factor, 0);
      return { initial, warmupSteps, decay: { kind: 'step', steps, factor } };
    }
  }
  throw argument(`${section}.name`, 'is unknown; expected one of constant, cosine, step');
}
