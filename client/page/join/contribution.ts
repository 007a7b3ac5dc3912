// What this tab did, in this visit and in all: counted from the reports of its worker.

import type { ComputeStatus } from '../../runtime/computeApi.ts';

export interface Contribution {
  /** Rounds of trees, or reports of steps of nets and loops, that this tab took part in. */
  readonly rounds: number;
  /** Rows that were computed, each counted once a round. */
  readonly rows: number;
  readonly runs: number;
  /** While a run was worked for. */
  readonly workedMs: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

export const noContribution: Contribution = {
  rounds: 0,
  rows: 0,
  runs: 0,
  workedMs: 0,
  receivedBytes: 0,
  sentBytes: 0,
};

/** @returns the sums of both. */
export function addContributions(a: Contribution, b: Contribution): Contribution {
  return {
    rounds: a.rounds + b.rounds,
    rows: a.rows + b.rows,
    runs: a.runs + b.runs,
    workedMs: a.workedMs + b.workedMs,
    receivedBytes: a.receivedBytes + b.receivedBytes,
    sentBytes: a.sentBytes + b.sentBytes,
  };
}

/** @returns what `a` has more than `b`. */
export function subtractContributions(a: Contribution, b: Contribution): Contribution {
  return {
    rounds: a.rounds - b.rounds,
    rows: a.rows - b.rows,
    runs: a.runs - b.runs,
    workedMs: a.workedMs - b.workedMs,
    receivedBytes: a.receivedBytes - b.receivedBytes,
    sentBytes: a.sentBytes - b.sentBytes,
  };
}

/** What an earlier visit left; nothing where that can't be read. */
export function readContribution(text: string | null): Contribution {
  let kept: Record<string, unknown>;
  try {
    kept = { ...(JSON.parse(text ?? '{}') as object | null) };
  } catch {
    kept = {};
  }
  const read = (name: keyof Contribution): number => {
    const value = kept[name];
    return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : 0;
  };
  return {
    rounds: read('rounds'),
    rows: read('rows'),
    runs: read('runs'),
    workedMs: read('workedMs'),
    receivedBytes: read('receivedBytes'),
    sentBytes: read('sentBytes'),
  };
}

interface Bytes {
  sent: number;
  received: number;
}

/** Adds up what the reports of one worker say. */
export class ContributionCounter {
  #total = noContribution;
  #runId: string | undefined;
  #round = 0;
  #atMs: number | undefined;
  #downloadedBytes = 0;
  readonly #links = new Map<string, Bytes>();

  get total(): Contribution {
    return this.#total;
  }

  /** Counts what is new in a report. @param nowMs milliseconds of a clock that never goes back. */
  count({ session, downloadedBytes, phase }: ComputeStatus, nowMs: number): void {
    const add = { ...noContribution, receivedBytes: Math.max(0, downloadedBytes - this.#downloadedBytes) };
    this.#downloadedBytes = downloadedBytes;
    const isWorking = phase === 'working' && session.state === 'training';
    if (isWorking && this.#atMs !== undefined) add.workedMs = nowMs - this.#atMs;
    this.#atMs = isWorking ? nowMs : undefined;
    if (session.state === 'training') {
      const isNew = session.runId !== this.#runId;
      if (isNew) add.runs = 1;
      // Rounds from before this tab came are no work of its own: of the first report one counts.
      add.rounds = isNew ? Math.min(1, session.round) : Math.max(0, session.round - this.#round);
      // One report a round of trees; one of several steps says how many examples they had.
      add.rows = add.rounds > 0 ? session.rows : 0;
      this.#runId = session.runId;
      this.#round = session.round;
      for (const { peer, bytesSent, bytesReceived } of session.links) {
        const known = this.#links.get(peer) ?? { sent: 0, received: 0 };
        // A link that was made anew counts from 0 again.
        add.sentBytes += bytesSent >= known.sent ? bytesSent - known.sent : bytesSent;
        add.receivedBytes += bytesReceived >= known.received ? bytesReceived - known.received : bytesReceived;
        this.#links.set(peer, { sent: bytesSent, received: bytesReceived });
      }
    }
    this.#total = addContributions(this.#total, add);
  }
}
