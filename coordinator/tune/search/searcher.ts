// What a searcher is: a function from what is known to the next trial. It keeps nothing itself, so that an experiment
// that was interrupted goes on from its record alone.

import type { Assignment, SearchSpace } from '../space/searchSpace.ts';

/** A trial as searchers see it. */
export interface Observation {
  readonly assignment: Assignment;
  /** "pruned" is a trial that a scheduler stopped before its end. Errored trials are not shown. */
  readonly state: 'running' | 'complete' | 'pruned';
  /** The last one reported; higher is better, whatever the mode. Undefined before the first report. */
  readonly score: number | undefined;
  /** How far it came. */
  readonly iteration: number;
}

interface SearchQuestion {
  readonly space: SearchSpace;
  readonly seed: number;
  /** Of the trial that is asked for, from 0. */
  readonly index: number;
  /** Earlier trials, in order of their index. Those that need not be over yet are shown as running. */
  readonly observations: readonly Observation[];
}

export interface Searcher {
  readonly name: string;
  readonly doc: string;
  /** How many trials may be open at a time, for one that learns from those that are over. */
  readonly parallel?: number;
  /** First trials, which learn from nothing. */
  readonly startUp?: number;
  /** Trials that `numSamples` asks for. */
  trials(space: SearchSpace, numSamples: number): number;
  /** @throws SearchSpaceError when the searcher can't search this space. */
  check(space: SearchSpace): void;
  propose(question: SearchQuestion): Assignment;
}

/**
 * The first so many trials have to be over before trial `index` is proposed. It learns from these and no others, however
 * many run side by side: so the same seed gives the same trials on any number of workers.
 */
export function settledTrials({ parallel = Infinity, startUp = 0 }: Searcher, index: number): number {
  return index < startUp ? 0 : Math.max(0, index - parallel + 1);
}
