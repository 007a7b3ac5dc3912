// What the pictures of an experiment are made from: how good each trial is beside the others, and the best so far.

import type { RecordedExperiment } from '../../../shared/api/experiment.ts';
import type { Point } from '../design/curve.ts';

export type RecordedTrial = RecordedExperiment['trials'][number];
export type Mode = 'max' | 'min';

/** A scheduler ended it because others were better. */
export function isEarly({ prunedAt }: RecordedTrial): boolean {
  return prunedAt !== undefined;
}

/** By number: 1 for the best score, 0 for the worst, by their ranks, so that a single bad one does not hide the others. */
export function strengthsOf(trials: readonly RecordedTrial[], mode: Mode): ReadonlyMap<number, number> {
  const scored = trials
    .flatMap(({ number, lastScore }) => (lastScore === undefined ? [] : [{ number, score: lastScore }]))
    .sort((a, b) => (mode === 'min' ? b.score - a.score : a.score - b.score));
  const last = Math.max(1, scored.length - 1);
  return new Map(scored.map(({ number }, rank) => [number, scored.length === 1 ? 1 : rank / last]));
}

/** The best score of the trials up to each that is better than all before it; the last point is at the last trial. */
export function bestSoFar(trials: readonly RecordedTrial[], mode: Mode): Point[] {
  const points: Point[] = [];
  for (const { number, lastScore, status } of trials) {
    if (lastScore === undefined || status === 'errored') continue;
    const best = points.at(-1)?.value;
    if (best === undefined || (mode === 'min' ? lastScore < best : lastScore > best))
      points.push({ at: number, value: lastScore });
  }
  const [last, end] = [points.at(-1), trials.at(-1)];
  if (last && end && end.number > last.at) points.push({ at: end.number, value: last.value });
  return points;
}

/** Searched values by their paths, in the order in which trials name them. */
export function searchedPaths(trials: readonly RecordedTrial[]): readonly string[] {
  return [...new Set(trials.flatMap(({ assignment }) => Object.keys(assignment)))];
}

/** A searched value as tables sort it. */
export function plainValue(value: unknown): string | number | undefined {
  if (value === undefined || typeof value === 'number' || typeof value === 'string') return value;
  return JSON.stringify(value);
}

/** A path as filters call it: one word. */
export function keyOf(path: string): string {
  return path.replaceAll(/[\s<>=!:"]+/g, '_');
}
