// Puts a scheduler's judgements in an order that does not depend on speed. A report is judged when every earlier trial has
// come as far, or has ended; so a judgement knows of the trials before it what it would know if trials ran one after the
// other, and never of those after it. A trial goes on while its report waits: when it turns out that it should have been
// stopped, what it did since is dropped.

import type { Judge } from '../schedule/scheduler.ts';

/** A trial ends with this iteration. */
export interface SchedulerDecision {
  readonly trial: number;
  readonly iteration: number;
  readonly reason: string;
}

interface TrialReports {
  /** Iteration of the newest report that was judged. */
  judged: number;
  /** Iteration of the newest report. */
  heard: number;
  /** Reports that wait, oldest first. */
  readonly waiting: { readonly iteration: number; readonly score: number | undefined }[];
  /** No report will come any more, or none that counts. */
  hasEnded: boolean;
}

export class SchedulerRunner {
  readonly #judge: Judge;
  #state: unknown;
  readonly #trials: TrialReports[] = [];
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
  report(trial: number, iteration: number, score: number | undefined): SchedulerDecision[] {
    const reports = this.#reportsOf(trial);
    if (reports.hasEnded || iteration <= reports.heard) return [];
    reports.heard = iteration;
    reports.waiting.push({ iteration, score });
    return this.#rule();
  }

  /** The trial will report no more. */
  end(trial: number): SchedulerDecision[] {
    this.#reportsOf(trial).hasEnded = true;
    return this.#rule();
  }

  #reportsOf(trial: number): TrialReports {
    while (this.#trials.length <= trial) {
      this.#trials.push({ judged: 0, heard: 0, waiting: [], hasEnded: false });
    }
    return this.#trials[trial]!;
  }

  #rule(): SchedulerDecision[] {
    const decisions: SchedulerDecision[] = [];
    /** How far all earlier trials have come. */
    let cleared = Infinity;
    for (let trial = this.#firstOpen; trial < this.#trials.length && cleared > 0; trial++) {
      const reports = this.#trials[trial]!;
      const decision = this.#judgeUpTo(trial, reports, cleared);
      if (decision) decisions.push(decision);
      const isDone = reports.hasEnded && reports.waiting.length === 0;
      if (isDone && trial === this.#firstOpen) this.#firstOpen++;
      if (!isDone) cleared = Math.min(cleared, reports.judged);
    }
    return decisions;
  }

  #judgeUpTo(trial: number, reports: TrialReports, cleared: number): SchedulerDecision | undefined {
    for (;;) {
      const [report] = reports.waiting;
      if (!report || report.iteration > cleared) return undefined;
      reports.waiting.shift();
      reports.judged = report.iteration;
      if (report.score === undefined) continue;
      const { iteration, score } = report;
      const [state, decision] = this.#judge.step(this.#state, { trial, iteration, score });
      this.#state = state;
      if (decision.type === 'continue') continue;
      reports.hasEnded = true;
      reports.waiting.length = 0;
      return { trial, iteration, reason: decision.reason };
    }
  }
}
