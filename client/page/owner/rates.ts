// How quickly runs and traffic go, from looks at the coordinator one after another.

import type { StatusAnswer } from '../../../shared/api/statusAnswer.ts';
import type { Point } from '../design/curve.ts';

/** Ten minutes of looks every two seconds. */
const MAX_LOOKS = 300;
/** Over so many looks a rate is measured. */
const RATE_LOOKS = 10;

interface Seen {
  readonly atMs: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly rounds: ReadonlyMap<string, number>;
}

export class Rates {
  #seen: readonly Seen[] = [];

  /** @param atMs of a monotonic clock. */
  add(status: Pick<StatusAnswer, 'runs' | 'traffic'>, atMs: number): void {
    const total = (key: 'receivedBytes' | 'sentBytes'): number =>
      Object.values(status.traffic).reduce((sum, traffic) => sum + traffic[key], 0);
    const rounds = new Map(
      status.runs.filter((run) => run.status === 'running').map((run) => [run.runId, run.rounds]),
    );
    const seen = { atMs, sentBytes: total('sentBytes'), receivedBytes: total('receivedBytes'), rounds };
    const last = this.#seen.at(-1);
    // A coordinator that began anew counts from 0.
    const earlier = last && seen.sentBytes < last.sentBytes ? [] : this.#seen;
    this.#seen = [...earlier, seen].slice(-MAX_LOOKS);
  }

  /** Undefined until two looks saw the run. */
  roundsPerSecond(runId: string): number | undefined {
    const looks = this.#seen.slice(-RATE_LOOKS).flatMap(({ atMs, rounds }) => {
      const done = rounds.get(runId);
      return done === undefined ? [] : [{ atMs, done }];
    });
    const [first, last] = [looks[0], looks.at(-1)];
    if (!first || !last || last.atMs <= first.atMs) return undefined;
    return ((last.done - first.done) * 1000) / (last.atMs - first.atMs);
  }

  /** Bytes a second between looks, by seconds before the last one (so below 0), oldest first. */
  traffic(key: 'receivedBytes' | 'sentBytes'): readonly Point[] {
    const last = this.#seen.at(-1);
    if (!last) return [];
    return this.#seen.slice(1).map((seen, i) => {
      const before = this.#seen[i]!;
      const seconds = (seen.atMs - before.atMs) / 1000;
      return { at: (seen.atMs - last.atMs) / 1000, value: (seen[key] - before[key]) / seconds };
    });
  }
}
