// Served applications, how each is brought back after a restart, and the deployments that make it up.

import type { Kysely } from 'kysely';

export async function m0002Deployments(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('applications')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('route_prefix', 'text', (column) => column.notNull())
    .addColumn('model_name', 'text', (column) => column.notNull())
    .addColumn('recipe', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('message', 'text', (column) => column.notNull())
    .addColumn('deployed_at', 'double precision', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('deployments')
    .addColumn('application', 'text', (column) => column.notNull().references('applications.name'))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('version', 'text')
    .addColumn('replicas', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('deployments_key', ['application', 'name'])
    .execute();
}
