// Runs in the record: what a run's log writes, and what is read after a restart or by those who ask.

import type { Kysely, Selectable, Transaction } from 'kysely';
import { delay, systemClock } from '../../../shared/clock.ts';
import { runKindOf } from '../run/runKinds.ts';
import { RunExistsError } from '../run/runErrors.ts';
import type { CommittedRound } from '../run/runRequest.ts';
import type { NumberedEvent, RunRecord, RunRows, RunSummary, SavedRun } from '../run/runRecord.ts';
import { writeDatasets } from './datasetStore.ts';
import { isConnectionLoss, storeFailure } from './storeErrors.ts';
import type { RoundsTable, RunsTable, StoreSchema } from './storeSchema.ts';

/** A database server that is started again is back within a minute. */
const RETRIES = 60;
const RETRY_MS = 1_000;

export class RunStore implements RunRecord {
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
        return await this.#db.transaction().execute((transaction) => write(transaction, runId, rows));
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
    const rows = await this.#db
      .selectFrom('rounds')
      .select(['round', 'trees', 'metrics'])
      .where('run_id', '=', runId)
      .orderBy('round')
      .execute();
    return rows.map(roundOf);
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
    const rows = await this.#db
      .selectFrom('run_events')
      .select(['sequence', 'event'])
      .where('run_id', '=', runId)
      .where('sequence', '>', after)
      .orderBy('sequence')
      .limit(limit)
      .execute();
    return rows.map(({ sequence, event }) => ({
      sequence,
      event: JSON.parse(event) as NumberedEvent['event'],
    }));
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
    return {
      request: JSON.parse(row.request) as SavedRun['request'],
      attended: row.attended !== 0,
      generation: row.generation,
      members: JSON.parse(row.members) as SavedRun['members'],
      rounds: await this.rounds(row.run_id),
      // PostgreSQL counts in 64 bits, which its driver gives as text.
      announcedRounds: Number(told?.rounds ?? 0),
      lastSequence: told?.last ?? 0,
      ...(savedState && { savedState }),
    };
  }

  async #savedState(runId: string): Promise<SavedRun['savedState']> {
    const row = await this.#db
      .selectFrom('run_events')
      .select('event')
      .where('run_id', '=', runId)
      .where('kind', '=', 'checkpoint')
      .orderBy('sequence', 'desc')
      .limit(1)
      .executeTakeFirst();
    if (!row) return undefined;
    const { rounds, sha256, sizeBytes } = JSON.parse(row.event) as NonNullable<SavedRun['savedState']>;
    return { rounds, sha256, sizeBytes };
  }

  async #summary(row: Pick<Selectable<RunsTable>, (typeof summaryColumns)[number]>): Promise<RunSummary> {
    const last = await this.#db
      .selectFrom('rounds')
      .select(['round', 'metrics'])
      .where('run_id', '=', row.run_id)
      .orderBy('round', 'desc')
      .limit(1)
      .executeTakeFirst();
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

async function write(
  transaction: Transaction<StoreSchema>,
  runId: string,
  { started, group, rounds, events, end }: RunRows,
): Promise<void> {
  if (started) await writeStart(transaction, runId, started);
  for (const { round, payload, metrics } of rounds) {
    const values = { run_id: runId, round, trees: JSON.stringify(payload), metrics: JSON.stringify(metrics) };
    await transaction.insertInto('rounds').values(values).execute();
  }
  for (const { sequence, event } of events) {
    const values = { run_id: runId, sequence, kind: event.type, event: JSON.stringify(event) };
    await transaction.insertInto('run_events').values(values).execute();
  }
  const change = {
    ...(group && { generation: group.generation, members: JSON.stringify(group.members) }),
    ...(end && {
      status: end.status,
      ended_at: end.atMs,
      error_code: end.error?.code ?? null,
      error_message: end.error?.message ?? null,
    }),
  };
  if (!group && !end) return;
  await transaction.updateTable('runs').set(change).where('run_id', '=', runId).execute();
}

async function writeStart(
  transaction: Transaction<StoreSchema>,
  runId: string,
  { request, attended, atMs }: NonNullable<RunRows['started']>,
): Promise<void> {
  const known = await transaction
    .selectFrom('runs')
    .select('run_id')
    .where('run_id', '=', runId)
    .executeTakeFirst();
  if (known) throw new RunExistsError(`A run "${runId}" exists already`, { field: 'runId' });
  const values = {
    run_id: runId,
    name: request.name,
    request: JSON.stringify({ ...request, datasets: undefined }),
    num_boost_round: runKindOf(request.spec).totalRounds(request.spec),
    attended: attended ? 1 : 0,
    status: 'running',
    generation: 0,
    members: '[]',
    started_at: atMs,
  };
  await transaction.insertInto('runs').values(values).execute();
  await writeDatasets(transaction, request, atMs);
}
