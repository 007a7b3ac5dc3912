// Join links for so many workers, and who joined by them.

import type { Kysely } from 'kysely';

export async function m0010Invitations(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('invitations')
    .addColumn('invitation_id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text')
    .addColumn('token', 'text', (column) => column.notNull())
    .addColumn('max_workers', 'integer', (column) => column.notNull())
    .addColumn('is_trusted', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'double precision', (column) => column.notNull())
    .addColumn('ends_at', 'double precision', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('invitation_uses')
    .addColumn('invitation_id', 'text', (column) => column.notNull().references('invitations.invitation_id'))
    .addColumn('worker_id', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('invitation_uses_key', ['invitation_id', 'worker_id'])
    .execute();
}
