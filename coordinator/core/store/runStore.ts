// Runs in the record: what a run's log writes, and what is read after a restart or by those who ask.

import { sql, type Kysely, type Selectable } from 'kysely';
import { delay, systemClock } from '../../../shared/clock.ts';
import type { AskedRun, RunArchive } from '../run/runArchive.ts';
import type { CommittedRound } from '../run/runRequest.ts';
import type { NumberedEvent, RunRecord, RunRows, RunSummary, SavedRun } from '../run/runRecord.ts';
import { isConnectionLoss, storeFailure } from './storeErrors.ts';
import { writeRun } from './writeRun.ts';
import type { RoundsTable, RunsTable, StoreSchema } from './storeSchema.ts';

/** A database server that is started again is back within a minute. */
const RETRIES = 60;
const RETRY_MS = 1_000;

/** Not as a parameter: only the literal condition is known to be that of the index. */
const isNoRound = sql<boolean>`kind <> 'round'`;

export class RunStore implements RunArchive, RunRecord {
  readonly #db: Kysely<StoreSchema>;
  readonly #pause: (ms: number) => Promise<void>;

  /** @param pause waits before a write is tried again; tests replace it. */
  constructor(db: Kysely<StoreSchema>, pause = (ms: number): Promise<void> => delay(systemClock, ms)) {
    this.#db = db;
    this.#pause = pause;
  }

  async append(runId: string, rows: RunRows): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        // A connection that broke off during the commit leaves open whether that was done.
        if (attempt > 0 && (await this.#isWritten(runId, rows))) return;
        return await this.#db.transaction().execute((transaction) => writeRun(transaction, runId, rows));
      } catch (error) {
        if (attempt === RETRIES || !isConnectionLoss(error)) {
          throw storeFailure(error, `Run ${runId} cannot be recorded`);
        }
        await this.#pause(RETRY_MS);
      }
    }
  }

  async touch(runId: string): Promise<void> {
    try {
      await this.#db
        .updateTable('runs')
        .set((update) => ({ status: update.ref('status') }))
        .where('run_id', '=', runId)
        .execute();
    } catch (error) {
      throw storeFailure(error, `Run ${runId} cannot be recorded`);
    }
  }

  /** Rows are written all at once: one that could not be written twice speaks for the others. */
  async #isWritten(runId: string, { started, rounds, events }: RunRows): Promise<boolean> {
    const round = rounds.at(-1)?.round;
    const sequence = events.at(-1)?.sequence;
    if (round !== undefined) {
      const written = await this.#db
        .selectFrom('rounds')
        .select('round')
        .where('run_id', '=', runId)
        .where('round', '=', round)
        .executeTakeFirst();
      return written !== undefined;
    }
    if (sequence !== undefined) return (await this.events(runId, sequence - 1, 1)).length > 0;
    return started !== undefined && (await this.summary(runId)) !== undefined;
  }

  async unfinished(): Promise<SavedRun[]> {
    const rows = await this.#db
      .selectFrom('runs')
      .selectAll()
      .where('status', '=', 'running')
      .orderBy('started_at')
      .orderBy('run_id')
      .execute();
    return Promise.all(rows.map((row) => this.#saved(row)));
  }

  async ended(limit: number): Promise<RunSummary[]> {
    const rows = await this.#db
      .selectFrom('runs')
      .select(summaryColumns)
      .where('status', '!=', 'running')
      .orderBy('started_at', 'desc')
      .orderBy('run_id', 'desc')
      .limit(limit)
      .execute();
    return Promise.all(rows.reverse().map((row) => this.#summary(row)));
  }

  async summary(runId: string): Promise<RunSummary | undefined> {
    const row = await this.#db
      .selectFrom('runs')
      .select(summaryColumns)
      .where('run_id', '=', runId)
      .executeTakeFirst();
    return row && this.#summary(row);
  }

  async lastStates(endedAfterMs: number, limit: number): Promise<string[]> {
    const rows = await this.#db
      .selectFrom('runs')
      .select('run_id')
      .where('ended_at', '>', endedAfterMs)
      .orderBy('ended_at', 'desc')
      .limit(limit)
      .execute();
    const states = await Promise.all(rows.map((row) => this.#savedState(row.run_id)));
    return states.flatMap((state) => state?.sha256 ?? []);
  }

  async rounds(runId: string): Promise<CommittedRound[]> {
    return (await this.#rounds(runId).execute()).map(roundOf);
  }

  async lastRound(runId: string): Promise<CommittedRound | undefined> {
    const row = await this.#db
      .selectFrom('rounds')
      .select(['round', 'trees', 'metrics'])
      .where('run_id', '=', runId)
      .orderBy('round', 'desc')
      .limit(1)
      .executeTakeFirst();
    return row && roundOf(row);
  }

  async events(runId: string, after: number, limit: number): Promise<NumberedEvent[]> {
    return numbered(await this.#events(runId, after, limit).execute());
  }

  async roundEvents(runId: string, after: number, limit: number): Promise<NumberedEvent[]> {
    return numbered(await this.#events(runId, after, limit).where('kind', '=', 'round').execute());
  }

  async otherEvents(runId: string, after: number, limit: number): Promise<NumberedEvent[]> {
    return numbered(await this.#events(runId, after, limit).where(isNoRound).execute());
  }

  async roundsFrom(runId: string, from: number, limit: number): Promise<CommittedRound[]> {
    const rows = await this.#rounds(runId).where('round', '>=', from).limit(limit).execute();
    return rows.map(roundOf);
  }

  async recordedRounds(runId: string): Promise<number> {
    const last = await this.#lastRound(runId);
    return last === undefined ? 0 : last.round + 1;
  }

  async lastEvent(
    runId: string,
    kind: 'checkpoint' | 'profiled' | 'undone',
  ): Promise<NumberedEvent | undefined> {
    const rows = await this.#db
      .selectFrom('run_events')
      .select(['sequence', 'event', 'at_ms'])
      .where('run_id', '=', runId)
      .where(isNoRound)
      .where('kind', '=', kind)
      .orderBy('sequence', 'desc')
      .limit(1)
      .execute();
    return numbered(rows)[0];
  }

  async asked(runId: string): Promise<AskedRun | undefined> {
    const row = await this.#db
      .selectFrom('runs')
      .select(['request', 'started_at', 'ended_at'])
      .where('run_id', '=', runId)
      .executeTakeFirst();
    return (
      row && {
        request: JSON.parse(row.request) as AskedRun['request'],
        startedAtMs: row.started_at,
        ...(row.ended_at !== null && { endedAtMs: row.ended_at }),
      }
    );
  }

  #events(runId: string, after: number, limit: number) {
    return this.#db
      .selectFrom('run_events')
      .select(['sequence', 'event', 'at_ms'])
      .where('run_id', '=', runId)
      .where('sequence', '>', after)
      .orderBy('sequence')
      .limit(limit);
  }

  #rounds(runId: string) {
    return this.#db
      .selectFrom('rounds')
      .select(['round', 'trees', 'metrics'])
      .where('run_id', '=', runId)
      .orderBy('round');
  }

  async #saved(row: Selectable<RunsTable>): Promise<SavedRun> {
    const told = await this.#db
      .selectFrom('run_events')
      .select((select) => [
        select.fn.max('sequence').as('last'),
        select.fn.count('sequence').filterWhere('kind', '=', 'round').as('rounds'),
      ])
      .where('run_id', '=', row.run_id)
      .executeTakeFirst();
    const savedState = await this.#savedState(row.run_id);
    const rounds = await this.rounds(row.run_id);
    return {
      request: JSON.parse(row.request) as SavedRun['request'],
      attended: row.attended !== 0,
      generation: row.generation,
      members: JSON.parse(row.members) as SavedRun['members'],
      rounds,
      // PostgreSQL counts in 64 bits, which its driver gives as text.
      announcedRounds: await this.#announced(row.run_id, rounds, Number(told?.rounds ?? 0)),
      lastSequence: told?.last ?? 0,
      ...(savedState && { savedState }),
    };
  }

  /** @param told events of rounds. Those of rounds that were undone do not count, but for what was told again. */
  async #announced(runId: string, rounds: readonly CommittedRound[], told: number): Promise<number> {
    const undone = await this.lastEvent(runId, 'undone');
    if (undone?.event.type !== 'undone') return told;
    const { rounds: kept } = undone.event;
    const again = await this.#db
      .selectFrom('run_events')
      .select((select) => select.fn.countAll().as('rounds'))
      .where('run_id', '=', runId)
      .where('kind', '=', 'round')
      .where('sequence', '>', undone.sequence)
      .executeTakeFirst();
    return rounds.filter(({ round }) => round < kept).length + Number(again?.rounds ?? 0);
  }

  async #savedState(runId: string): Promise<SavedRun['savedState']> {
    const [stored, undone] = await Promise.all([
      this.lastEvent(runId, 'checkpoint'),
      this.lastEvent(runId, 'undone'),
    ]);
    // What was stored before the run went back does not count.
    if (undone?.event.type === 'undone' && undone.sequence > (stored?.sequence ?? 0))
      return undone.event.savedState;
    if (stored?.event.type !== 'checkpoint') return undefined;
    const { rounds, sha256, sizeBytes } = stored.event;
    return { rounds, sha256, sizeBytes };
  }

  #lastRound(runId: string): Promise<{ round: number; metrics: string } | undefined> {
    return this.#db
      .selectFrom('rounds')
      .select(['round', 'metrics'])
      .where('run_id', '=', runId)
      .orderBy('round', 'desc')
      .limit(1)
      .executeTakeFirst();
  }

  async #summary(row: Pick<Selectable<RunsTable>, (typeof summaryColumns)[number]>): Promise<RunSummary> {
    const last = await this.#lastRound(row.run_id);
    return {
      runId: row.run_id,
      name: row.name,
      status: row.status as RunSummary['status'],
      phase: 'ended',
      generation: row.generation,
      rounds: last === undefined ? 0 : last.round + 1,
      totalRounds: row.num_boost_round,
      workers: [],
      ...(last && { lastMetrics: JSON.parse(last.metrics) as Record<string, number> }),
      ...(row.error_code !== null && {
        error: { code: row.error_code, message: row.error_message ?? '' },
      }),
    };
  }
}

function numbered(
  rows: readonly Pick<Selectable<StoreSchema['run_events']>, 'at_ms' | 'event' | 'sequence'>[],
): NumberedEvent[] {
  return rows.map(({ sequence, event, at_ms: atMs }) => ({
    sequence,
    event: JSON.parse(event) as NumberedEvent['event'],
    ...(atMs !== null && { atMs }),
  }));
}

function roundOf({
  round,
  trees,
  metrics,
}: Pick<RoundsTable, 'metrics' | 'round' | 'trees'>): CommittedRound {
  return {
    round,
    payload: JSON.parse(trees) as unknown[],
    metrics: JSON.parse(metrics) as Record<string, number>,
  };
}

const summaryColumns = [
  'run_id',
  'name',
  'status',
  'generation',
  'num_boost_round',
  'error_code',
  'error_message',
] as const;
