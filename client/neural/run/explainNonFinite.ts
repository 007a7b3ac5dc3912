// Training has gone wrong for good: it would do so again from the same state. The message says where it began.

import { TabgradError } from '../../../kernels/errors.ts';
import type { MicrobatchPlace } from '../../../shared/neural/run/stepPlan.ts';
import type { MemberState } from './memberState.ts';
import type { TensorRows } from './tensorRows.ts';

/** The loss of a step is NaN or infinite. */
class LossNotFiniteError extends TabgradError {
  readonly code = 'NEURAL_LOSS_NOT_FINITE';
}

interface Failed {
  readonly state: MemberState;
  readonly train: TensorRows;
  readonly signal: AbortSignal;
}

/**
 * @param places the microbatches of this member.
 * @throws LossNotFiniteError naming step, rows and layer.
 */
export async function explainNonFinite(
  { state, train, signal }: Failed,
  places: readonly MicrobatchPlace[],
  step: number,
): Promise<never> {
  for (const place of places) {
    const batch = await train.read(place, step, signal);
    const found = await state.engine.findNonFinite(batch);
    if (!found) continue;
    throw new LossNotFiniteError(
      `the loss of step ${step} is not finite: examples ${place.from} to ${place.to - 1} of epoch ${place.epoch}; ` +
        `the first layer that is not finite is "${found.layer}" in the ${found.phase} pass. ` +
        'Lower the learning rate, clip gradients, or look for extreme values in the data.',
      { row: batch.exampleIds[0] ?? 0 },
    );
  }
  throw new LossNotFiniteError(
    `the loss of step ${step} is not finite, though every layer is: labels may be out of range.`,
  );
}
