// How much of a run workers may do that are neither the owner's nor proven by checks, where the owner sets a limit: who of
// them takes part. What each holds then follows from the plan of leases, which knows the limit too.

import type { RunPlan } from './runPlan.ts';
import type { RunWorker } from './runState.ts';

/** Shares like 0.29 have no exact number: 0.29 of 100 is 29. */
const ROUNDING = 1e-9;

type LimitedPlan = Pick<RunPlan, 'workers' | 'usefulWorkers' | 'kind' | 'maxUnprovenShare'>;

/** Of `count` shards, microbatches or members. */
export function mostUnproven(count: number, share: number): number {
  return Math.floor(count * share + ROUNDING);
}

/**
 * Those of `workers` who can be in a group together, in the same order: all of the owner's and the proven ones, and of the others
 * the first ones. None of those while nobody is there to do the rest, so that such a run waits.
 */
export function withinLimit(plan: LimitedPlan, workers: readonly RunWorker[]): readonly RunWorker[] {
  const { maxUnprovenShare: share = 1 } = plan;
  if (share >= 1) return workers;
  const trusted = workers.length - workers.filter(isUnproven).length;
  let left = trusted === 0 ? 0 : mostBeside(plan, trusted, share);
  return workers.filter((worker) => !isUnproven(worker) || left-- > 0);
}

/** Whether these can be a group, as far as the limit goes. */
export function meetsLimit(plan: LimitedPlan, workers: readonly RunWorker[]): boolean {
  return withinLimit(plan, workers).length === workers.length;
}

/** What an owner is told of those who are left out: nothing where nobody is. */
export function leftOutWords(plan: LimitedPlan, workers: readonly RunWorker[]): string | undefined {
  const { maxUnprovenShare: share = 1 } = plan;
  const leftOut = workers.length - withinLimit(plan, workers).length;
  if (leftOut === 0) return undefined;
  const percent = `${Number((100 * share).toPrecision(6))} %`;
  return workers.every(isUnproven) && share > 0
    ? `${leftOut} unproven, which may hold ${percent} of the rows, and none of the owner's or proven for the rest: start a worker of your own, or raise the share`
    : `${leftOut} unproven beyond the ${percent} of the rows that those may hold`;
}

/** Unproven members in a group with so many others. */
function mostBeside({ workers, usefulWorkers, kind }: LimitedPlan, trusted: number, share: number): number {
  const places = Math.min(workers.max, usefulWorkers);
  // Each has one shard at least, and one place is for who holds the rest.
  if (kind.leasesShards) return Math.min(mostUnproven(usefulWorkers, share), places - 1);
  // All have as many rows.
  return Math.min(mostUnproven(places, share), mostUnproven(trusted, share / (1 - share)));
}

function isUnproven(worker: RunWorker): boolean {
  return worker.isUnproven === true;
}
