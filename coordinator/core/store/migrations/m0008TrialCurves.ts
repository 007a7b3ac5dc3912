// Scores of trials over their iterations, why trials ended early, and the wish that an experiment or a trial ends.

import type { Kysely } from 'kysely';

export async function m0008TrialCurves(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('experiments').addColumn('process_started_at', 'double precision').execute();
  await db.schema.alterTable('experiments').addColumn('stop_wished_at', 'double precision').execute();
  await db.schema.alterTable('trials').addColumn('stop_reason', 'text').execute();
  await db.schema.alterTable('trials').addColumn('pruned_at', 'integer').execute();
  await db.schema.alterTable('trials').addColumn('stop_wished_at', 'double precision').execute();
  await db.schema
    .createTable('trial_curves')
    .addColumn('experiment_id', 'text', (column) => column.notNull().references('experiments.experiment_id'))
    .addColumn('number', 'integer', (column) => column.notNull())
    .addColumn('points', 'text', (column) => column.notNull())
    .addColumn('outline', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('trial_curves_key', ['experiment_id', 'number'])
    .execute();
}
