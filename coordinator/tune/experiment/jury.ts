// Puts a scheduler's judgements in an order that does not depend on speed. A report is judged when every earlier trial has
// come as far, or has ended; so a judgement knows of the trials before it what it would know if trials ran one after the
// other, and never of those after it. A trial goes on while its report waits: when it turns out that it should have been
// stopped, what it did since is dropped.

import type { Judge } from '../schedule/scheduler.ts';

/** A trial ends with this iteration. */
export interface Ruling {
  readonly trial: number;
  readonly iteration: number;
  readonly reason: string;
}

interface Party {
  /** Iteration of the newest report that was judged. */
  judged: number;
  /** Iteration of the newest report. */
  heard: number;
  /** Reports that wait, oldest first. */
  readonly waiting: { readonly iteration: number; readonly score: number | undefined }[];
  /** No report will come any more, or none that counts. */
  hasEnded: boolean;
}

export class Jury {
  readonly #judge: Judge;
  #state: unknown;
  readonly #parties: Party[] = [];
  /** Of all trials before this one everything has been judged. */
  #firstOpen = 0;

  constructor(judge: Judge) {
    this.#judge = judge;
    this.#state = judge.initial;
  }

  /**
   * Takes a report, in order of a trial's iterations; one that was taken before, and is repeated, does not count again.
   * @param score undefined where the report has no metric to be judged by.
   * @returns who turns out to have to stop, perhaps some iterations ago.
   */
  hear(trial: number, iteration: number, score: number | undefined): Ruling[] {
    const party = this.#party(trial);
    if (party.hasEnded || iteration <= party.heard) return [];
    party.heard = iteration;
    party.waiting.push({ iteration, score });
    return this.#rule();
  }

  /** The trial will report no more. */
  end(trial: number): Ruling[] {
    this.#party(trial).hasEnded = true;
    return this.#rule();
  }

  #party(trial: number): Party {
    while (this.#parties.length <= trial) {
      this.#parties.push({ judged: 0, heard: 0, waiting: [], hasEnded: false });
    }
    return this.#parties[trial]!;
  }

  #rule(): Ruling[] {
    const rulings: Ruling[] = [];
    /** How far all earlier trials have come. */
    let cleared = Infinity;
    for (let trial = this.#firstOpen; trial < this.#parties.length && cleared > 0; trial++) {
      const party = this.#parties[trial]!;
      const ruling = this.#judgeUpTo(trial, party, cleared);
      if (ruling) rulings.push(ruling);
      const isDone = party.hasEnded && party.waiting.length === 0;
      if (isDone && trial === this.#firstOpen) this.#firstOpen++;
      if (!isDone) cleared = Math.min(cleared, party.judged);
    }
    return rulings;
  }

  #judgeUpTo(trial: number, party: Party, cleared: number): Ruling | undefined {
    for (;;) {
      const [report] = party.waiting;
      if (!report || report.iteration > cleared) return undefined;
      party.waiting.shift();
      party.judged = report.iteration;
      if (report.score === undefined) continue;
      const { iteration, score } = report;
      const [state, decision] = this.#judge.step(this.#state, { trial, iteration, score });
      this.#state = state;
      if (decision.type === 'continue') continue;
      party.hasEnded = true;
      party.waiting.length = 0;
      return { trial, iteration, reason: decision.reason };
    }
  }
}
