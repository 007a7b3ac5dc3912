// What the runs that go on have learned of workers: how fast they are, and what is held against them.

import type { RunState } from './runState.ts';

export interface WorkerStanding {
  /** Rows of training that it computes a second; undefined before it is measured, and where rows are not shared out. */
  readonly rowsPerSecond?: number;
  /** Rounds that were recorded while it was a member. */
  readonly rounds: number;
  /** How often it stopped the group lately by what it did itself; it fades within minutes. */
  readonly disturbances: number;
  /** How often it kept all others waiting. */
  readonly delays: number;
  /** How often it was set aside without proof. */
  readonly doubts: number;
  /** Why a run does not use it now. */
  readonly setAside?: { readonly reason: string; readonly isForGood: boolean };
}

const unknown: WorkerStanding = { rounds: 0, disturbances: 0, delays: 0, doubts: 0 };

/** By worker, over all runs that go on; none for workers of whom nothing is known. */
export function workerStandings(states: readonly RunState[]): ReadonlyMap<string, WorkerStanding> {
  const standings = new Map<string, WorkerStanding>();
  const change = (workerId: string, of: (known: WorkerStanding) => Partial<WorkerStanding>): void => {
    const known = standings.get(workerId) ?? unknown;
    standings.set(workerId, { ...known, ...of(known) });
  };
  for (const { msPerRow, worked, disturbances, delays, doubts, setAside } of states) {
    for (const [id, ms] of msPerRow) if (ms > 0) change(id, () => ({ rowsPerSecond: 1000 / ms }));
    for (const [id, rounds] of worked) change(id, (known) => ({ rounds: known.rounds + rounds }));
    for (const [id, { level }] of disturbances)
      change(id, (known) => ({ disturbances: known.disturbances + level }));
    for (const [id, times] of delays) change(id, (known) => ({ delays: known.delays + times }));
    for (const [id, times] of doubts) change(id, (known) => ({ doubts: known.doubts + times }));
    for (const [id, { reason, until }] of setAside)
      change(id, () => ({ setAside: { reason, isForGood: until === 'never' } }));
  }
  return standings;
}
