// Whether the steps of a generation are checked here, and how they are compared.

import type { StepLoopOptions } from './stepLoopOptions.ts';
import { f32Vector } from '../codec/f32Vector.ts';
import { combineOf } from './openStepSum.ts';
import { secureRandom } from './secureRandom.ts';
import { StepChecks } from './stepChecks.ts';

/** A check takes about as long as a step. */
const CHECK_EVERY_STEPS = 20;

/**
 * Steps are checked where the coordinator asks for it and others can do them again: with gradients as they are, without local steps,
 * whose states are each member's own, and without statistics over all members, which are no member's work alone.
 */
export function openChecks(options: StepLoopOptions): StepChecks | undefined {
  const { runId, spec, state, train, context, isMixed, isChecked } = options;
  const { engine } = state;
  const { checkEverySteps = CHECK_EVERY_STEPS } = spec;
  const isAlike = engine.kind === 'cpu' || engine.kind === 'tfjs';
  const isPossible = !spec.localSteps && !spec.syncBatchNorm && spec.gradientCodec === 'f32';
  if (!isChecked || checkEverySteps === 0 || context.collective.size === 1 || !isPossible) return undefined;
  return new StepChecks({
    runId,
    context,
    work: { engine, train, codec: f32Vector, signal: context.signal },
    everySteps: checkEverySteps,
    // GPUs of one name may still round differently, by driver and tiles.
    isExact: !isMixed && isAlike,
    combine: (step) => combineOf(spec, step),
    random: () => context.environment.random?.() ?? secureRandom(),
  });
}
