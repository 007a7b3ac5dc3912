// The last run that ended with this tab in it: what came of it, and what the tab added. Kept until the next one begins.

import type { RunEnding, SessionStatus } from '../../memberRun/sessionEnvironment.ts';
import { noContribution, subtractContributions, type Contribution } from './contribution.ts';

type Training = Extract<SessionStatus, { state: 'training' }>;

export interface RunResult {
  readonly outcome: RunEnding;
  /** Of the last round that this tab knows of. */
  readonly round: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** By this tab, since the page was loaded. */
  readonly given: Contribution;
}

export class LastRun {
  #result: RunResult | undefined;
  #training: Training | undefined;
  /** What was given before the run, and until the last report. */
  #before = noContribution;
  #until = noContribution;

  get result(): RunResult | undefined {
    return this.#result;
  }

  /** Takes note of a report. @param total what was given until then, the report included. */
  hear(session: SessionStatus, total: Contribution): void {
    if (session.state === 'training') {
      if (session.runId !== this.#training?.runId) this.#before = this.#until;
      this.#training = session;
      this.#result = undefined;
    }
    this.#until = total;
    const ended = session.state === 'idle' ? session.ended : undefined;
    if (!this.#training || ended?.runId !== this.#training.runId) return;
    const { round, metrics } = this.#training;
    this.#result = {
      outcome: ended.outcome,
      round,
      metrics,
      given: subtractContributions(total, this.#before),
    };
    this.#training = undefined;
  }
}
