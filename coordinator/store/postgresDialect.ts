// PostgreSQL, over one connection: what the coordinator writes is written in order anyway.

import { PostgresDialect, sql } from 'kysely';
import type { Kysely, PostgresPool, PostgresPoolClient } from 'kysely';
import { Pool } from 'pg';
import { StorageInUseError } from './storeErrors.ts';

/** One coordinator to a schema. The lock is the connection's: the server lifts it when that is gone. */
const LOCK = "select pg_try_advisory_lock(hashtextextended('tabgrad ' || current_schema(), 0)) as taken";
const CONNECT_TIMEOUT_MS = 10_000;
/** A statement that takes longer has lost its server. */
const QUERY_TIMEOUT_MS = 60_000;

/** @param url postgres://user:password@host:port/database; the tables go to the first schema of the search path. */
export function postgresDialect(url: string, onError: (error: Error) => void): PostgresDialect {
  const pool = new Pool({
    connectionString: url,
    max: 1,
    // The connection holds the lock.
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    application_name: 'tabgrad',
  });
  // A connection that breaks off while idle: the next query opens another. Without a listener it would end the process.
  pool.on('error', onError);
  // And one that breaks off while it is lent, which its query is told of too.
  pool.on('connect', (client) => void client.on('error', () => undefined));
  return lockedPostgres(pool);
}

/** A dialect on `pool` that refuses a database in which another coordinator works. `pool` has one connection at most. */
export function lockedPostgres(pool: PostgresPool): PostgresDialect {
  const locked = new WeakSet<PostgresPoolClient>();
  return new PostgresDialect({
    pool: {
      async connect() {
        const client = await pool.connect();
        try {
          if (!locked.has(client)) await lock(client);
        } catch (error) {
          client.release();
          throw error;
        }
        locked.add(client);
        return client;
      },
      end: () => pool.end(),
    },
  });
}

async function lock(client: PostgresPoolClient): Promise<void> {
  const { rows } = await client.query<{ taken: boolean }>(LOCK, []);
  if (rows[0]?.taken === true) return;
  throw new StorageInUseError(
    'The database is in use by another coordinator. Stop that one, or name another database.',
  );
}

/** The schema that tables without one are in. */
export async function currentSchema<T>(db: Kysely<T>): Promise<string | undefined> {
  const { rows } = await sql<{ name: string | null }>`select current_schema() as name`.execute(db);
  return rows[0]?.name ?? undefined;
}
