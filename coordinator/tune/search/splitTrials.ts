// Which trials count as good: Optuna's rule.

import type { Observation } from './searcher.ts';

/** How many of n finished trials are good: a tenth, rounded up, at most 25. */
export function goodTrials(n: number): number {
  return Math.min(Math.ceil(0.1 * n), 25);
}

/**
 * Good and other trials, each in order of time. Finished ones go by score; then come those that were stopped early, the
 * longer ones first; those that still run are lied about as the worst, so that searchers that work side by side spread.
 */
export function splitTrials(observations: readonly Observation[]): {
  readonly good: readonly Observation[];
  readonly other: readonly Observation[];
} {
  const seen = observations.filter((one) => one.state === 'running' || one.score !== undefined);
  const place = { complete: 0, pruned: 1, running: 2 } as const;
  const score = ({ score }: Observation): number =>
    score === undefined || Number.isNaN(score) ? -Infinity : score;
  const ranked = [...seen].sort((a, b) => {
    if (a.state !== b.state) return place[a.state] - place[b.state];
    if (a.state === 'running') return 0;
    const further = a.state === 'pruned' ? b.iteration - a.iteration : 0;
    return further !== 0 ? further : compare(score(b), score(a));
  });
  const finished = seen.filter((one) => one.state !== 'running').length;
  const best = new Set(ranked.slice(0, goodTrials(finished)));
  return { good: seen.filter((one) => best.has(one)), other: seen.filter((one) => !best.has(one)) };
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
