// The links that objectives share: what margins are turned into.

import { floatExp } from './floatExp.ts';
import { floatLog } from './floatLog.ts';
import type { ObjectiveLink } from './objective.ts';

type Link = Pick<ObjectiveLink, 'baseMargin' | 'transform' | 'clipBaseScore'>;

/** XGBoost 3.4.1 clips base_score to this far from 0 and 1. */
const LEAST_PROBABILITY = 1e-6;

/** Margins are the predictions, and base_score is a margin. */
export const identityLink: Link = {
  baseMargin: Math.fround,
  transform() {
    // Nothing to do.
  },
};

/** Margins are logarithms of the predictions. */
export const logLink: Link = {
  baseMargin: (baseScore) => floatLog(baseScore),
  transform(margins) {
    for (let i = 0; i < margins.length; i += 1) margins[i] = floatExp(margins[i]!);
  },
};

/** Margins are log odds of the predictions. */
export const logisticLink = {
  baseMargin: (baseScore) => 0 - floatLog(Math.fround(Math.fround(1 / baseScore) - 1)),
  clipBaseScore(baseScore) {
    if (baseScore !== 0 && baseScore !== 1) return baseScore;
    return Math.fround(baseScore === 0 ? LEAST_PROBABILITY : 1 - LEAST_PROBABILITY);
  },
  transform(margins) {
    for (let i = 0; i < margins.length; i += 1) margins[i] = sigmoid(margins[i]!);
  },
} as const satisfies Link;

/** Near where float32 overflows. */
const MOST_EXPONENT = Math.fround(88.7);

/** XGBoost's float formula. */
function sigmoid(margin: number): number {
  return Math.fround(1 / Math.fround(1 + floatExp(Math.min(-margin, MOST_EXPONENT))));
}

/** The first of the largest numbers of a row. */
export function largestOutput(numbers: Float32Array, from: number, outputs: number): number {
  let best = 0;
  for (let output = 1; output < outputs; output += 1)
    if (numbers[from + output]! > numbers[from + best]!) best = output;
  return best;
}
