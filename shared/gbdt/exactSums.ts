// Sums of gradients and Hessians are integers held in doubles, exact up to 2^53. Where the number of rows alone makes
// sure of that there is nothing to watch; beyond, a run is refused rather than grown on sums that depend on their order.

import { MARGIN_LIMIT, ONE } from '../../kernels/gbdt/fixedPoint.ts';
import { hasMarginLabels, LABEL_LIMIT } from '../../kernels/gbdt/gradientKinds.ts';
import { SumsInexactError } from './errors/gbdtErrors.ts';
import type { TrainSpec } from './trainSpec.ts';

const EXACT_LIMIT = 2 ** 53;
/** Gradients and Hessians of classes, and Hessians of squared error, are at most ONE each. */
export const MOST_ROWS = EXACT_LIMIT / ONE;
/** Up to so many rows, gradients of squared error have exact sums even where all margins are saturated. */
export const ROWS_ALWAYS_EXACT = Math.floor(EXACT_LIMIT / (MARGIN_LIMIT + LABEL_LIMIT));

/** @throws SumsInexactError when so many rows can't be trained on, whatever the objective. */
export function checkRowCount(rows: number): void {
  if (rows <= MOST_ROWS) return;
  throw new SumsInexactError(
    `The training set has ${rows} rows, expected at most ${MOST_ROWS}: sums of more are not exact.`,
  );
}

/**
 * Looks at the gradient sum of a node. With more than ROWS_ALWAYS_EXACT rows the scale of squared error (see
 * marginFractionBits) leaves room for margins up to three times the largest label; within the labels' range a sum stays
 * below 2^52.
 * @throws SumsInexactError when it is larger: margins have run away from the labels.
 */
export function checkGradientSum(
  g: number,
  { device, trainRows }: Pick<TrainSpec, 'device' | 'trainRows'>,
): void {
  if (!hasMarginLabels(device.gradient) || trainRows <= ROWS_ALWAYS_EXACT) return;
  if (Math.abs(g) <= EXACT_LIMIT / 2) return;
  throw new SumsInexactError(
    `The gradients of a node sum to ${g} units, expected within ±2^52: predictions have left the range of the labels. ` +
      'Start from a model of these labels, or lower eta.',
  );
}
