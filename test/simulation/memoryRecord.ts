// The record of one run in memory, as strict as the one in SQL: what is appended must follow what is there.

import { isDeepStrictEqual } from 'node:util';
import type { NumberedEvent, RunRecord, RunRows, SavedRun } from '../../coordinator/core/run/runRecord.ts';
import type { CommittedRound } from '../../coordinator/core/run/runRequest.ts';

type Kept = NonNullable<RunRows['started']>;

export class MemoryRecord implements RunRecord {
  readonly #rounds: CommittedRound[] = [];
  readonly #events: NumberedEvent[] = [];
  #started: Kept | undefined;
  #group: NonNullable<RunRows['group']> = { generation: 0, members: [] };
  #isOver = false;

  get keptRounds(): readonly CommittedRound[] {
    return this.#rounds;
  }

  get keptEvents(): readonly NumberedEvent[] {
    return this.#events;
  }

  touch(): Promise<void> {
    return Promise.resolve();
  }

  append(runId: string, { started, group, rounds, events, end }: RunRows): Promise<void> {
    if (this.#isOver) throw new Error(`${runId} is over, and more is kept`);
    if (started) this.#started = started;
    if (group && group.generation <= this.#group.generation) {
      throw new Error(`generation ${group.generation} after ${this.#group.generation}`);
    }
    if (group) this.#group = group;
    for (const round of rounds) {
      if (round.round !== this.#rounds.length) throw new Error(`round ${round.round} is kept out of order`);
      this.#rounds.push(round);
    }
    for (const event of events) {
      if (event.sequence !== this.#events.length + 1)
        throw new Error(`event ${event.sequence} is out of order`);
      this.#events.push(event);
    }
    if (end) this.#isOver = true;
    return Promise.resolve();
  }

  lastRound(): Promise<CommittedRound | undefined> {
    return Promise.resolve(this.#rounds.at(-1));
  }

  unfinished(): Promise<SavedRun[]> {
    return Promise.resolve(this.saved === undefined ? [] : [this.saved]);
  }

  /** What a later life finds; undefined when there is nothing to go on with. */
  get saved(): SavedRun | undefined {
    if (!this.#started || this.#isOver) return undefined;
    const saved: SavedRun = {
      request: this.#started.request,
      attended: false,
      ...this.#group,
      rounds: [...this.#rounds],
      announcedRounds: this.#events.filter(({ event }) => event.type === 'round').length,
      lastSequence: this.#events.length,
    };
    const { request, ...plain } = saved;
    const read = JSON.parse(JSON.stringify(plain)) as Omit<SavedRun, 'request'>;
    if (!isDeepStrictEqual(read, plain)) throw new Error('what is kept does not survive JSON');
    return { ...read, request };
  }

  ended(): Promise<never[]> {
    return Promise.resolve([]);
  }

  lastStates(): Promise<never[]> {
    return Promise.resolve([]);
  }

  summary(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  rounds(): Promise<CommittedRound[]> {
    return Promise.resolve([...this.#rounds]);
  }

  events(_runId: string, after: number, limit: number): Promise<NumberedEvent[]> {
    return Promise.resolve(this.#events.slice(after, after + limit));
  }
}
