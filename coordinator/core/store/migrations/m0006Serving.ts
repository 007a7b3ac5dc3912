// The last word of each server on the applications that it serves.

import type { Kysely } from 'kysely';

export async function m0006Serving(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('serving')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('report', 'text', (column) => column.notNull())
    .addColumn('address', 'text', (column) => column.notNull())
    .addColumn('heard_at', 'double precision', (column) => column.notNull())
    .execute();
}
