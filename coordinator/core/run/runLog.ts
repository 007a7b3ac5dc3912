// The events of one run, kept as they happen and read by its followers: an event is not shown before it is stored,
// so that a number never stands for two events, whatever happens to the coordinator.

import type { NumberedEvent, ReportedEvent, RunFact, RunRecord, RunRows } from './runRecord.ts';
import type { CommittedRound, RunEvent } from './runRequest.ts';

/** Events read at a time for one follower. */
const PAGE = 200;

/** An event that is shown; passing ones have no number and are not kept. */
export interface ShownEvent {
  readonly sequence?: number;
  readonly event: ReportedEvent;
  /** Milliseconds since 1970, where it is known. */
  readonly atMs?: number;
}

export class RunLog {
  readonly runId: string;
  readonly #record: RunRecord;
  readonly #waiting = new Set<() => void>();
  #sequence: number;
  #isOver: boolean;
  #failure: Error | undefined;
  /** How far loading has come, while it goes on. */
  #passing: ReportedEvent | undefined;

  constructor(record: RunRecord, runId: string, lastSequence = 0, isOver = false) {
    this.#record = record;
    this.runId = runId;
    this.#sequence = lastSequence;
    this.#isOver = isOver;
  }

  /**
   * Resolves when all facts are safe; they are kept together or not at all. Called one after the other.
   * @throws StorageFullError, StorageError; the log ends with it, for those who follow too.
   */
  async write(facts: readonly RunFact[]): Promise<void> {
    const rows = rowsOf(facts, this.#sequence);
    try {
      await this.#record.append(this.runId, rows);
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
      this.#wake();
      throw error;
    }
    this.#sequence += rows.events.length;
    this.#passing = undefined;
    if (rows.end) this.#isOver = true;
    this.#wake();
  }

  /** Whether its end is kept. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Why nothing more can be kept here. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Shows an event to present followers, without storing it. */
  pass(event: RunEvent & { type: 'loading' }): void {
    this.#passing = event;
    this.#wake();
  }

  /**
   * Every event after the one numbered `after`, in order, as they come; ends with the run, or with what is kept by now.
   * @param goesOn whether to wait for what is still to come.
   * @throws what a write failed with, after all that is kept.
   */
  async *follow(after: number, signal: AbortSignal, goesOn = true): AsyncGenerator<ShownEvent> {
    let passed: ReportedEvent | undefined;
    while (!signal.aborted) {
      const [sequence, passing, isOver] = [this.#sequence, this.#passing, this.#isOver];
      if (after < sequence || isOver) {
        for (let events = await this.#page(after); events.length > 0; events = await this.#page(after)) {
          yield* events;
          after = events.at(-1)?.sequence ?? after;
        }
      }
      if (isOver || !goesOn) return;
      if (this.#failure) throw this.#failure;
      if (passing && passing !== passed) yield { event: passing };
      passed = passing;
      const isNew = sequence !== this.#sequence || passing !== this.#passing || this.#failure !== undefined;
      if (!isNew) await this.#changed(signal);
    }
  }

  #page(after: number): Promise<NumberedEvent[]> {
    return this.#record.events(this.runId, after, PAGE);
  }

  #changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener('abort', done, { once: true });
      if (signal.aborted) done();
    });
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }
}

/** Numbers the events after `sequence`. Of several groups the last counts. */
function rowsOf(facts: readonly RunFact[], sequence: number): RunRows {
  const rounds: CommittedRound[] = [];
  const events: NumberedEvent[] = [];
  let rows: RunRows = { rounds, events };
  const atMs = Date.now();
  for (const fact of facts) {
    switch (fact.type) {
      case 'started': {
        const { request } = fact;
        rows = {
          ...rows,
          started: { request, attended: request.shouldStop !== undefined, atMs },
        };
        break;
      }
      case 'group':
        rows = { ...rows, group: fact };
        break;
      case 'round':
        rounds.push(fact.committed);
        break;
      case 'undone':
        rounds.splice(0, rounds.length, ...rounds.filter(({ round }) => round < fact.rounds));
        rows = { ...rows, undone: Math.min(rows.undone ?? Infinity, fact.rounds) };
        break;
      case 'event':
        events.push({ sequence: sequence + events.length + 1, event: fact.event, atMs });
        break;
      case 'end': {
        rows = { ...rows, end: { ...fact, atMs } };
        break;
      }
    }
  }
  return rows;
}
