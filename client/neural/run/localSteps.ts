// Steps over a member's own rows, up to the outer step over all members that commits them.

import { AbortedError } from '../../../kernels/errors.ts';
import {
  examplesIn,
  microbatchesOf,
  nextCommit,
  type MicrobatchPlace,
} from '../../../shared/neural/run/stepPlan.ts';
import { learningRateAt } from '../../../shared/neural/run/learningRate.ts';
import type { LocalSteps } from '../../../shared/neural/run/neuralSpec.ts';
import { eventTurn } from '../../../kernels/eventTurn.ts';
import { explainNonFinite } from './explainNonFinite.ts';
import type { GradientSum } from './gradientSum.ts';
import { outerStep } from './outerStep.ts';
import type { RunMetrics } from './runMetrics.ts';
import type { StepLoopOptions } from './stepLoopOptions.ts';

interface LocalStepsOptions extends Pick<StepLoopOptions, 'context' | 'spec' | 'state' | 'train'> {
  /** This member's bounds in a list of so many microbatches. */
  readonly share: (count: number) => readonly [from: number, to: number];
  readonly sum: GradientSum;
  readonly metrics: RunMetrics;
}

interface Spent {
  /** Of all members. */
  readonly examples: number;
  readonly computeMs: number;
  readonly exchangeMs: number;
}

export async function makeLocalSteps(local: LocalSteps, options: LocalStepsOptions): Promise<Spent> {
  const { spec, state, context, share, sum } = options;
  const { environment, signal } = context;
  const start = environment.now();
  const end = nextCommit(spec, state.step);
  const before = await state.beginLocalSteps();
  let examples = 0;
  for (let step = state.step; step < end; step++) {
    const places = microbatchesOf(spec, step);
    const own = places.slice(...share(places.length));
    if (own.length > 0) await makeStep(options, own, step);
    examples += examplesIn(places);
    await eventTurn();
    checkWanted(signal, step);
  }
  const computed = environment.now();
  const { bucketBytes } = spec;
  const { agreed, velocity } = await outerStep(state, { ...local, before, bucketBytes, sum }, context);
  checkWanted(signal, end);
  state.commitLocalSteps(agreed, velocity, end);
  return { examples, computeMs: computed - start, exchangeMs: environment.now() - computed };
}

async function makeStep(
  { spec, state, train, context, metrics }: LocalStepsOptions,
  places: readonly MicrobatchPlace[],
  step: number,
): Promise<void> {
  const { engine } = state;
  const { signal } = context;
  for (const place of places) {
    const batch = await train.read(place, step, signal);
    // Nothing is exchanged here that would fail: what was withdrawn must not reach the next generation's state.
    checkWanted(signal, step);
    await engine.accumulate(batch, { isLast: false });
  }
  const totals = await engine.takeTotals();
  checkWanted(signal, step);
  if (!Number.isFinite(totals.loss)) await explainNonFinite({ state, train, signal }, places, step);
  engine.update({
    learningRate: learningRateAt(spec.learningRate, step, spec.steps),
    step,
    examples: examplesIn(places),
    microbatches: places.length,
  });
  metrics.add(totals);
}

function checkWanted(signal: AbortSignal, step: number): void {
  if (signal.aborted) throw new AbortedError(`step ${step} was withdrawn`);
}
