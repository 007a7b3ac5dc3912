// Datasets of runs with what their owners told of them, and which run used which.

import type { Kysely } from 'kysely';

export async function m0005Datasets(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('datasets')
    .addColumn('dataset_id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('row_count', 'double precision', (column) => column.notNull())
    .addColumn('size_bytes', 'double precision', (column) => column.notNull())
    .addColumn('shard_count', 'integer', (column) => column.notNull())
    .addColumn('column_count', 'integer')
    .addColumn('summary', 'text')
    .addColumn('used_at', 'double precision', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('datasets_by_use').on('datasets').column('used_at').execute();
  await db.schema
    .createTable('run_datasets')
    .addColumn('run_id', 'text', (column) => column.notNull().references('runs.run_id'))
    .addColumn('dataset_id', 'text', (column) => column.notNull().references('datasets.dataset_id'))
    .addColumn('used_at', 'double precision', (column) => column.notNull())
    .addPrimaryKeyConstraint('run_datasets_key', ['run_id', 'dataset_id'])
    .execute();
  await db.schema
    .createIndex('run_datasets_by_dataset')
    .on('run_datasets')
    .columns(['dataset_id', 'used_at'])
    .execute();
}
