// Workers and addresses that may not come back.

import type { Kysely } from 'kysely';

export async function m0004Bans(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('bans')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('banned_at', 'double precision', (column) => column.notNull())
    .addPrimaryKeyConstraint('bans_key', ['kind', 'value'])
    .execute();
}
