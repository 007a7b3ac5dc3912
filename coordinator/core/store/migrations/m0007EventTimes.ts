// When each event of a run was, and a quick way to the few among them that are no rounds.

import { sql, type Kysely } from 'kysely';

export async function m0007EventTimes(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('run_events').addColumn('at_ms', 'double precision').execute();
  // Rounds, which are most events, cost nothing in it.
  await sql`create index run_events_no_rounds on run_events (run_id, sequence) where kind <> 'round'`.execute(
    db,
  );
}
