// Tuning experiments in the record, with their trials.

import type { Kysely, Selectable } from 'kysely';
import type { ExperimentRecord } from './experimentRecord.ts';
import type { ExperimentUpdate, RecordedExperiment, RecordedTrial } from '../../../shared/api/experiment.ts';
import { storeFailure } from './storeErrors.ts';
import type { ExperimentsTable, StoreSchema, TrialsTable } from './storeSchema.ts';

/** Databases take so many values in a statement at most. */
const TRIALS_A_STATEMENT = 50;

export class ExperimentStore implements ExperimentRecord {
  readonly #db: Kysely<StoreSchema>;
  readonly #date: () => number;

  /** @param date milliseconds since 1970. */
  constructor(db: Kysely<StoreSchema>, date: () => number = Date.now) {
    this.#db = db;
    this.#date = date;
  }

  async save(experimentId: string, update: ExperimentUpdate): Promise<void> {
    const { trials, startedAtMs, ...rest } = update;
    const columns = {
      name: rest.name,
      folder: rest.folder,
      metric: rest.metric ?? null,
      mode: rest.mode ?? null,
      status: rest.status,
      error_code: rest.errorCode ?? null,
      heard_at: this.#date(),
      ended_at: rest.endedAtMs ?? null,
    };
    try {
      await this.#db.transaction().execute(async (transaction) => {
        await transaction
          .insertInto('experiments')
          .values({ experiment_id: experimentId, started_at: startedAtMs, ...columns })
          // One that is gone on with began when it first did.
          .onConflict((on) => on.column('experiment_id').doUpdateSet(columns))
          .execute();
        for (let first = 0; first < trials.length; first += TRIALS_A_STATEMENT) {
          await transaction
            .insertInto('trials')
            .values(
              trials
                .slice(first, first + TRIALS_A_STATEMENT)
                .map((trial) => ({ experiment_id: experimentId, ...columnsOf(trial) })),
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
              })),
            )
            .execute();
        }
      });
    } catch (error) {
      throw storeFailure(error, `Experiment ${experimentId} cannot be recorded`);
    }
  }

  /** The newest experiments, oldest first, each with its first trials. */
  async latest(experiments: number, trialsEach: number): Promise<RecordedExperiment[]> {
    const rows = await this.#db
      .selectFrom('experiments')
      .selectAll()
      .orderBy('started_at', 'desc')
      .orderBy('experiment_id', 'desc')
      .limit(experiments)
      .execute();
    return Promise.all(rows.reverse().map((row) => this.#withTrials(row, trialsEach)));
  }

  async #withTrials(row: Selectable<ExperimentsTable>, most: number): Promise<RecordedExperiment> {
    const ofThis = this.#db.selectFrom('trials').where('experiment_id', '=', row.experiment_id);
    const trials = await ofThis.selectAll().orderBy('number').limit(most).execute();
    const counted = await ofThis.select(({ fn }) => fn.countAll().as('count')).executeTakeFirstOrThrow();
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
      ...(row.ended_at !== null && { endedAtMs: row.ended_at }),
      // PostgreSQL counts in 64 bits, which its driver gives as text.
      trialCount: Number(counted.count),
      trials: trials.map(trialOf),
    };
  }
}

function columnsOf(trial: RecordedTrial): Omit<Selectable<TrialsTable>, 'experiment_id'> {
  return {
    number: trial.number,
    status: trial.status,
    assignment: JSON.stringify(trial.assignment),
    iterations: trial.iterations,
    last_score: trial.lastScore ?? null,
    best_score: trial.bestScore ?? null,
    run_id: trial.runId ?? null,
    error_code: trial.errorCode ?? null,
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
  };
}
