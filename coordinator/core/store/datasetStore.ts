// Datasets in the record: written with the runs that use them.

import type { Kysely, Selectable, Transaction } from 'kysely';
import type { DatasetSummary, RecordedDataset } from '../../../shared/api/datasetAnswers.ts';
import { datasetsOf } from '../run/datasetsOf.ts';
import type { RunRequest, Shard } from '../run/runRequest.ts';
import type { DatasetsTable, StoreSchema } from './storeSchema.ts';

/** Runs that are told of one dataset. */
const MAX_RUNS_EACH = 50;

const headColumns = ['dataset_id', 'name', 'row_count', 'size_bytes', 'shard_count', 'column_count'] as const;
type Head = Pick<Selectable<DatasetsTable>, (typeof headColumns)[number]>;

export class DatasetStore {
  readonly #db: Kysely<StoreSchema>;

  constructor(db: Kysely<StoreSchema>) {
    this.#db = db;
  }

  /** The datasets that were used last, the newest first. */
  async latest(limit: number): Promise<RecordedDataset[]> {
    const rows = await this.#db
      .selectFrom('datasets')
      .select(headColumns)
      .orderBy('used_at', 'desc')
      .orderBy('name')
      .limit(limit)
      .execute();
    return Promise.all(rows.map((row) => this.#withRuns(row)));
  }

  /** Undefined where there is none of that id. */
  async find(
    datasetId: string,
  ): Promise<
    { readonly dataset: RecordedDataset; readonly summary: DatasetSummary | undefined } | undefined
  > {
    const row = await this.#db
      .selectFrom('datasets')
      .select([...headColumns, 'summary'])
      .where('dataset_id', '=', datasetId)
      .executeTakeFirst();
    return row && { dataset: await this.#withRuns(row), summary: summaryOf(row.summary) };
  }

  /** Summaries of the datasets that were used last, the newest first. */
  async summaries(limit: number): Promise<DatasetSummary[]> {
    const rows = await this.#db
      .selectFrom('datasets')
      .select('summary')
      .where('summary', 'is not', null)
      .orderBy('used_at', 'desc')
      .orderBy('name')
      .limit(limit)
      .execute();
    return rows.flatMap(({ summary }) => summaryOf(summary) ?? []);
  }

  /** The shards of a run. */
  async shards(runId: string): Promise<readonly Shard[]> {
    const row = await this.#db
      .selectFrom('runs')
      .select('request')
      .where('run_id', '=', runId)
      .executeTakeFirst();
    return row === undefined ? [] : (JSON.parse(row.request) as RunRequest).shards;
  }

  async #withRuns(row: Head): Promise<RecordedDataset> {
    const uses = this.#db.selectFrom('run_datasets').where('dataset_id', '=', row.dataset_id);
    const counted = await uses.select(({ fn }) => fn.countAll().as('count')).executeTakeFirstOrThrow();
    const runs = await uses
      .innerJoin('runs', 'runs.run_id', 'run_datasets.run_id')
      .select(['runs.run_id', 'runs.name', 'run_datasets.used_at'])
      .orderBy('run_datasets.used_at', 'desc')
      .orderBy('runs.run_id')
      .limit(MAX_RUNS_EACH)
      .execute();
    return {
      datasetId: row.dataset_id,
      name: row.name,
      rows: row.row_count,
      sizeBytes: row.size_bytes,
      shardCount: row.shard_count,
      ...(row.column_count !== null && { columnCount: row.column_count }),
      runs: runs.map(({ run_id: runId, name, used_at: usedAtMs }) => ({ runId, runName: name, usedAtMs })),
      // PostgreSQL counts in 64 bits, which its driver gives as text.
      runCount: Number(counted.count),
    };
  }
}

/** Adds the datasets of a run that starts; what an earlier owner of the same rows told is kept where this one tells nothing. */
export async function writeDatasets(
  transaction: Transaction<StoreSchema>,
  request: RunRequest,
  usedAtMs: number,
): Promise<void> {
  for (const { datasetId, name, rows, sizeBytes, shardCount, summary } of datasetsOf(request)) {
    const told = summary && { summary: JSON.stringify(summary), column_count: summary.columnCount };
    await transaction
      .insertInto('datasets')
      .values({
        dataset_id: datasetId,
        name,
        row_count: rows,
        size_bytes: sizeBytes,
        shard_count: shardCount,
        column_count: null,
        summary: null,
        ...told,
        used_at: usedAtMs,
      })
      .onConflict((on) => on.column('dataset_id').doUpdateSet({ used_at: usedAtMs, ...told }))
      .execute();
    await transaction
      .insertInto('run_datasets')
      .values({ run_id: request.runId, dataset_id: datasetId, used_at: usedAtMs })
      .execute();
  }
}

function summaryOf(text: string | null): DatasetSummary | undefined {
  return text === null ? undefined : (JSON.parse(text) as DatasetSummary);
}
