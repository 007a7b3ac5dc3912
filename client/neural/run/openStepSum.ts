// How the contributions to a step are added up: as they are, clipped, or so that the step can be checked.

import type { NeuralSpec } from '../../../shared/neural/run/neuralSpec.ts';
import { examplesIn, shareOfSpeed } from '../../../shared/neural/run/stepPlan.ts';
import { f32Vector } from '../codec/f32Vector.ts';
import { createGradientSum, type GradientSum } from './gradientSum.ts';
import type { StepLoopOptions } from './stepLoopOptions.ts';
import { centeredClip } from './centeredClip.ts';
import { plainSum, type Combine } from './combine.ts';
import { PieceSum } from './pieceSum.ts';
import type { UnappliedStep } from './redoneWork.ts';

export interface StepSum {
  readonly sum: GradientSum;
  /** Before anything of a step is added. */
  begin(step: UnappliedStep): void;
}

export function openStepSum({ spec, context }: Pick<StepLoopOptions, 'context' | 'spec'>): StepSum {
  const { collective, signal } = context;
  if (!spec.centeredClip)
    return { sum: createGradientSum(spec.gradientCodec, collective, signal), begin: () => undefined };
  let combine = plainSum;
  return {
    sum: new PieceSum({ codec: f32Vector, collective, signal, combine: () => combine, isDigested: false }),
    begin: (step) => {
      combine = combineOf(spec, step);
    },
  };
}

export function combineOf(
  { centeredClip: clip }: Pick<NeuralSpec, 'centeredClip'>,
  { places, speeds }: UnappliedStep,
): Combine {
  if (!clip) return plainSum;
  const examples = speeds.map((_, rank) =>
    examplesIn(places.slice(...shareOfSpeed(places.length, speeds, rank))),
  );
  return centeredClip(clip, examples);
}
