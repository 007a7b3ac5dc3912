// Tuning experiments in the record, with their trials.

import type { Kysely, Selectable, Transaction } from 'kysely';
import type { ExperimentRecord } from './experimentRecord.ts';
import type {
  CurvesAnswer,
  ExperimentAnswer,
  ExperimentUpdate,
  ExperimentWishes,
  RecordedExperiment,
  RecordedTrial,
} from '../../../shared/api/experiment.ts';
import { storeFailure } from './storeErrors.ts';
import type { ExperimentsTable, StoreSchema, TrialsTable } from './storeSchema.ts';
import { readCurves, writeCurves } from './trialCurves.ts';

/** Databases take so many values in a statement at most. */
const TRIALS_A_STATEMENT = 50;
/** Trials of one experiment that are told to end in one answer. */
const MAX_STOPPED_TRIALS = 500;
const OVER = ['finished', 'errored'];

/** What became of a wish: there is no such thing, it is over already, or its owner will be told. */
export type WishResult = 'unknown' | 'over' | 'wished';

export class ExperimentStore implements ExperimentRecord {
  readonly #db: Kysely<StoreSchema>;
  readonly #date: () => number;

  /** @param date milliseconds since 1970. */
  constructor(db: Kysely<StoreSchema>, date: () => number = Date.now) {
    this.#db = db;
    this.#date = date;
  }

  async save(experimentId: string, update: ExperimentUpdate): Promise<ExperimentWishes> {
    try {
      return await this.#db.transaction().execute(async (transaction) => {
        await writeExperiment(transaction, experimentId, update, this.#date());
        await writeTrials(transaction, experimentId, update.trials);
        await writeCurves(transaction, experimentId, update.trials);
        return readWishes(transaction, experimentId);
      });
    } catch (error) {
      throw storeFailure(error, `Experiment ${experimentId} cannot be recorded`);
    }
  }

  /** The newest experiments, oldest first, each with its first trials. */
  async latest(experiments: number, trialsEach: number): Promise<RecordedExperiment[]> {
    const rows = await this.#latestRows(experiments);
    return Promise.all(
      rows.map(async (row) => ({
        ...(await this.#summary(row)),
        trials: await this.#trials(row.experiment_id, -1, trialsEach),
      })),
    );
  }

  /** The newest experiments, oldest first, without trials. */
  async summaries(experiments: number): Promise<RecordedExperiment[]> {
    const rows = await this.#latestRows(experiments);
    return Promise.all(rows.map((row) => this.#summary(row)));
  }

  /** An experiment with its trials of higher numbers than `after`, as many as `limit`. */
  async find(experimentId: string, after: number, limit: number): Promise<ExperimentAnswer | undefined> {
    const row = await this.#row(experimentId);
    if (!row) return undefined;
    const trials = await this.#trials(experimentId, after, limit + 1);
    const told = trials.slice(0, limit);
    const last = told.at(-1);
    return {
      ...(await this.#summary(row)),
      trials: told,
      ...(trials.length > limit && last && { nextAfter: last.number }),
    };
  }

  /** Scores of its trials over iterations, within what one answer has room for. */
  async curves(experimentId: string): Promise<CurvesAnswer | undefined> {
    const row = await this.#row(experimentId);
    return row && readCurves(this.#db, experimentId, row.mode === 'min' ? 'asc' : 'desc');
  }

  /** Its owner's process will be told to end it. @throws StorageFullError, StorageError */
  async wishStop(experimentId: string): Promise<WishResult> {
    const row = await this.#row(experimentId);
    if (row?.status !== 'running') return row ? 'over' : 'unknown';
    try {
      await this.#db
        .updateTable('experiments')
        .set({ stop_wished_at: this.#date() })
        .where('experiment_id', '=', experimentId)
        .execute();
    } catch (error) {
      throw storeFailure(error, `The wish to stop experiment ${experimentId} cannot be recorded`);
    }
    return 'wished';
  }

  /** Its owner's process will be told to end this trial, and to go on with the others. @throws as wishStop */
  async wishTrialStop(experimentId: string, number: number): Promise<WishResult> {
    const ofTrial = { experiment_id: experimentId, number };
    const known = await this.#db
      .selectFrom('trials')
      .select('status')
      .where((where) => where.and(ofTrial))
      .executeTakeFirst();
    if (!known) return 'unknown';
    if (OVER.includes(known.status) || (await this.#row(experimentId))?.status !== 'running') return 'over';
    try {
      await this.#db
        .updateTable('trials')
        .set({ stop_wished_at: this.#date() })
        .where((where) => where.and(ofTrial))
        .execute();
    } catch (error) {
      throw storeFailure(error, `The wish to stop trial ${number} cannot be recorded`);
    }
    return 'wished';
  }

  async #latestRows(limit: number): Promise<Selectable<ExperimentsTable>[]> {
    const rows = await this.#db
      .selectFrom('experiments')
      .selectAll()
      .orderBy('started_at', 'desc')
      .orderBy('experiment_id', 'desc')
      .limit(limit)
      .execute();
    return rows.reverse();
  }

  #row(experimentId: string): Promise<Selectable<ExperimentsTable> | undefined> {
    return this.#db
      .selectFrom('experiments')
      .selectAll()
      .where('experiment_id', '=', experimentId)
      .executeTakeFirst();
  }

  async #trials(experimentId: string, after: number, limit: number): Promise<RecordedTrial[]> {
    const rows = await this.#db
      .selectFrom('trials')
      .selectAll()
      .where('experiment_id', '=', experimentId)
      .where('number', '>', after)
      .orderBy('number')
      .limit(limit)
      .execute();
    return rows.map(trialOf);
  }

  async #summary(row: Selectable<ExperimentsTable>): Promise<RecordedExperiment> {
    const ofThis = this.#db.selectFrom('trials').where('experiment_id', '=', row.experiment_id);
    const counted = await ofThis
      .select(({ fn }) => ['status', fn.countAll().as('count')])
      .groupBy('status')
      .execute();
    // PostgreSQL counts in 64 bits, which its driver gives as text.
    const counts = Object.fromEntries(counted.map(({ status, count }) => [status, Number(count)]));
    const best =
      row.mode === null
        ? undefined
        : await ofThis
            .select(['number', 'last_score'])
            .where('last_score', 'is not', null)
            .where('status', '!=', 'errored')
            .orderBy('last_score', row.mode === 'min' ? 'asc' : 'desc')
            .orderBy('number')
            .limit(1)
            .executeTakeFirst();
    const isRunning = row.status === 'running';
    return {
      experimentId: row.experiment_id,
      name: row.name,
      folder: row.folder,
      ...(row.metric !== null && { metric: row.metric }),
      ...(row.mode !== null && { mode: row.mode as 'max' | 'min' }),
      status: row.status as RecordedExperiment['status'],
      ...(row.error_code !== null && { errorCode: row.error_code }),
      startedAtMs: row.started_at,
      heardAtMs: row.heard_at,
      silentMs: Math.max(0, this.#date() - row.heard_at),
      ...(row.ended_at !== null && { endedAtMs: row.ended_at }),
      trialCount: Object.values(counts).reduce((sum, count) => sum + count, 0),
      counts,
      ...(best && { best: { number: best.number, score: best.last_score! } }),
      ...(isRunning && row.stop_wished_at !== null && { isStopWished: true }),
      trials: [],
    };
  }
}

async function writeExperiment(
  transaction: Transaction<StoreSchema>,
  experimentId: string,
  update: ExperimentUpdate,
  nowMs: number,
): Promise<void> {
  const columns = {
    name: update.name,
    folder: update.folder,
    metric: update.metric ?? null,
    mode: update.mode ?? null,
    status: update.status,
    error_code: update.errorCode ?? null,
    heard_at: nowMs,
    ended_at: update.endedAtMs ?? null,
    process_started_at: update.startedAtMs,
  };
  const known = await transaction
    .selectFrom('experiments')
    .select('process_started_at')
    .where('experiment_id', '=', experimentId)
    .executeTakeFirst();
  // Another process goes on with it: what was wished of the former one is over.
  const forgotten = known && known.process_started_at !== update.startedAtMs ? { stop_wished_at: null } : {};
  await transaction
    .insertInto('experiments')
    .values({
      experiment_id: experimentId,
      started_at: update.startedAtMs,
      ...columns,
    })
    // One that is gone on with began when it first did.
    .onConflict((on) => on.column('experiment_id').doUpdateSet({ ...columns, ...forgotten }))
    .execute();
  if ('stop_wished_at' in forgotten) {
    await transaction
      .updateTable('trials')
      .set(forgotten)
      .where('experiment_id', '=', experimentId)
      .where('stop_wished_at', 'is not', null)
      .execute();
  }
}

async function writeTrials(
  transaction: Transaction<StoreSchema>,
  experimentId: string,
  trials: ExperimentUpdate['trials'],
): Promise<void> {
  for (let first = 0; first < trials.length; first += TRIALS_A_STATEMENT) {
    await transaction
      .insertInto('trials')
      .values(
        trials.slice(first, first + TRIALS_A_STATEMENT).map((trial) => ({
          experiment_id: experimentId,
          ...columnsOf(trial),
        })),
      )
      .onConflict((on) =>
        on.columns(['experiment_id', 'number']).doUpdateSet((row) => ({
          status: row.ref('excluded.status'),
          assignment: row.ref('excluded.assignment'),
          iterations: row.ref('excluded.iterations'),
          last_score: row.ref('excluded.last_score'),
          best_score: row.ref('excluded.best_score'),
          run_id: row.ref('excluded.run_id'),
          error_code: row.ref('excluded.error_code'),
          stop_reason: row.ref('excluded.stop_reason'),
          pruned_at: row.ref('excluded.pruned_at'),
        })),
      )
      .execute();
  }
}

async function readWishes(
  transaction: Transaction<StoreSchema>,
  experimentId: string,
): Promise<ExperimentWishes> {
  const row = await transaction
    .selectFrom('experiments')
    .select('stop_wished_at')
    .where('experiment_id', '=', experimentId)
    .executeTakeFirst();
  const trials = await transaction
    .selectFrom('trials')
    .select('number')
    .where('experiment_id', '=', experimentId)
    .where('stop_wished_at', 'is not', null)
    .where('status', 'not in', OVER)
    .orderBy('number')
    .limit(MAX_STOPPED_TRIALS)
    .execute();
  return {
    stop: row !== undefined && row.stop_wished_at !== null,
    stopTrials: trials.map(({ number }) => number),
  };
}

function columnsOf(trial: RecordedTrial): Omit<Selectable<TrialsTable>, 'experiment_id' | 'stop_wished_at'> {
  return {
    number: trial.number,
    status: trial.status,
    assignment: JSON.stringify(trial.assignment),
    iterations: trial.iterations,
    last_score: trial.lastScore ?? null,
    best_score: trial.bestScore ?? null,
    run_id: trial.runId ?? null,
    error_code: trial.errorCode ?? null,
    stop_reason: trial.stopReason ?? null,
    pruned_at: trial.prunedAt ?? null,
  };
}

function trialOf(row: Selectable<TrialsTable>): RecordedTrial {
  return {
    number: row.number,
    status: row.status as RecordedTrial['status'],
    assignment: JSON.parse(row.assignment) as RecordedTrial['assignment'],
    iterations: row.iterations,
    ...(row.last_score !== null && { lastScore: row.last_score }),
    ...(row.best_score !== null && { bestScore: row.best_score }),
    ...(row.run_id !== null && { runId: row.run_id }),
    ...(row.error_code !== null && { errorCode: row.error_code }),
    ...(row.stop_reason !== null && { stopReason: row.stop_reason }),
    ...(row.pruned_at !== null && { prunedAt: row.pruned_at }),
  };
}
