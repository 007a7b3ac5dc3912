// Tuning experiments and their trials.

import type { Kysely } from 'kysely';

export async function m0003Experiments(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('experiments')
    .addColumn('experiment_id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('folder', 'text', (column) => column.notNull())
    .addColumn('metric', 'text')
    .addColumn('mode', 'text')
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('error_code', 'text')
    .addColumn('started_at', 'double precision', (column) => column.notNull())
    .addColumn('heard_at', 'double precision', (column) => column.notNull())
    .addColumn('ended_at', 'double precision')
    .execute();
  await db.schema.createIndex('experiments_by_start').on('experiments').column('started_at').execute();
  await db.schema
    .createTable('trials')
    .addColumn('experiment_id', 'text', (column) => column.notNull().references('experiments.experiment_id'))
    .addColumn('number', 'integer', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('assignment', 'text', (column) => column.notNull())
    .addColumn('iterations', 'integer', (column) => column.notNull())
    .addColumn('last_score', 'double precision')
    .addColumn('best_score', 'double precision')
    .addColumn('run_id', 'text')
    .addColumn('error_code', 'text')
    .addPrimaryKeyConstraint('trials_key', ['experiment_id', 'number'])
    .execute();
}
