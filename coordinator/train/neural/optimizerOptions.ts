// The optimizer and its learning rates as an owner gives them, in the names of Keras and PyTorch.

import { z } from 'zod';
import type { OptimizerSpec } from '../../../kernels/neural/optimizer.ts';
import type { LearningRateSchedule } from '../../../shared/neural/run/learningRate.ts';
import { above0, belowOne, wholeFrom } from '../../schema/optionWords.ts';

const ofAdam = {
  learningRate: above0.default(0.001),
  beta1: belowOne.default(0.9),
  beta2: belowOne.default(0.999),
  epsilon: above0.default(1e-8),
};
const weightDecay = z.number().min(0);
const sgd = z
  .strictObject({
    name: z.literal('sgd'),
    learningRate: above0.default(0.01),
    momentum: belowOne.default(0),
    nesterov: z.boolean().default(false),
    weightDecay: weightDecay.default(0),
  })
  .superRefine(({ nesterov, momentum }, context) => {
    if (!nesterov || momentum > 0) return;
    const message = 'needs a momentum above 0; without one it has no effect';
    context.addIssue({ code: 'custom', path: ['nesterov'], message });
  });
const optimizers = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('adam'), ...ofAdam, weightDecay: weightDecay.default(0) }),
  z.strictObject({ name: z.literal('adamw'), ...ofAdam, weightDecay: weightDecay.default(0.01) }),
  sgd,
]);

/** A name, or an object with the name and settings. */
export const optimizer = z
  .union([z.enum(['adam', 'adamw', 'sgd']), optimizers])
  .default('adam')
  .describe(
    'adam, adamw or sgd, or {"name": …} with learningRate (0.001 without it, 0.01 for sgd), weightDecay (0, and 0.01 for adamw), and momentum (0) and nesterov (sgd) or beta1 (0.9), beta2 (0.999) and epsilon (1e-8).',
  );

const warmupSteps = wholeFrom(0).default(0);

export const learningRateSchedule = z
  .discriminatedUnion('name', [
    z.strictObject({ name: z.literal('constant'), warmupSteps }),
    z.strictObject({ name: z.literal('cosine'), warmupSteps, final: z.number().min(0).max(1).default(0) }),
    z.strictObject({ name: z.literal('step'), warmupSteps, everySteps: wholeFrom(1), factor: above0 }),
  ])
  .prefault({ name: 'constant' })
  .describe(
    '{"name": "constant"}, {"name": "cosine", "final": 0} (down to so much of the rate) or {"name": "step", "everySteps": 100, "factor": 0.5}, each with warmupSteps.',
  );

/** An optimizer's name with its settings. */
export type OptimizerOptions = Readonly<z.input<typeof optimizers>>;
/** How the learning rate changes from step to step. */
export type ScheduleOptions = Readonly<z.input<typeof learningRateSchedule>>;

export function resolveOptimizer(given: z.output<typeof optimizer>): {
  readonly optimizer: OptimizerSpec;
  readonly learningRate: number;
} {
  const { learningRate, ...rule } = typeof given === 'string' ? optimizers.parse({ name: given }) : given;
  return { optimizer: rule, learningRate };
}

export function resolveSchedule(
  initial: number,
  given: z.output<typeof learningRateSchedule>,
): LearningRateSchedule {
  return { initial, warmupSteps: given.warmupSteps, decay: decayOf(given) };
}

function decayOf(given: z.output<typeof learningRateSchedule>): LearningRateSchedule['decay'] {
  if (given.name === 'constant') return { kind: 'constant' };
  if (given.name === 'cosine') return { kind: 'cosine', final: given.final };
  return { kind: 'step', steps: given.everySteps, factor: given.factor };
}
