// Checks of their work that strangers passed, and lies that were found, with the evidence.

import type { Kysely } from 'kysely';

export async function m0009Trust(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('worker_checks')
    .addColumn('worker_id', 'text', (column) => column.primaryKey())
    .addColumn('checks_passed', 'integer', (column) => column.notNull())
    .addColumn('changed_at', 'double precision', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('lies')
    .addColumn('lie_id', 'text', (column) => column.primaryKey())
    .addColumn('worker_id', 'text', (column) => column.notNull())
    .addColumn('evidence', 'text', (column) => column.notNull())
    .addColumn('found_at', 'double precision', (column) => column.notNull())
    .addColumn('pardoned_at', 'double precision')
    .execute();
  await db.schema.createIndex('lies_of_worker').on('lies').column('worker_id').execute();
}
