// PostgreSQL, over one connection: what the coordinator writes is written in order anyway.

import { PostgresDialect, sql } from 'kysely';
import type { Kysely, PostgresPool, PostgresPoolClient } from 'kysely';
import { Pool } from 'pg';
import { StorageInUseError } from './storeErrors.ts';

/** One coordinator to a schema. The lock is the connection's: the server lifts it when that is gone. */
const LOCK = "select pg_try_advisory_lock(hashtextextended('tabgrad ' || current_schema(), 0)) as taken";
const REGAIN_MS = 1_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** A statement that takes longer has lost its server. */
const QUERY_TIMEOUT_MS = 60_000;

/**
 * The server notices within half a minute that the machine of a connection is gone, and gives its lock to who waits; the
 * default of most systems is two hours. Not every server knows these settings.
 */
const KEEPALIVE = ['tcp_keepalives_idle = 10', 'tcp_keepalives_interval = 5', 'tcp_keepalives_count = 4'];

/**
 * @param url postgres://user:password@host:port/database; the tables go to the first schema of the search path.
 * @param onTakenOver told when another coordinator got the lock while the connection was lost.
 */
export function postgresDialect(
  url: string,
  onError: (error: Error) => void,
  onTakenOver: (error: StorageInUseError) => void = () => undefined,
): PostgresDialect {
  const pool = new Pool({
    connectionString: url,
    max: 1,
    // The connection holds the lock.
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    application_name: 'tabgrad',
    keepAlive: true,
  });
  // A connection that breaks off while idle: the next query opens another. Without a listener it would end the process.
  const locked = lockedPool(pool, onTakenOver);
  pool.on('error', (error) => {
    onError(error);
    // The lock went with it. That somebody else has it now is found out at once, not with the next write.
    void regain(locked, () => pool.ending);
  });
  // And one that breaks off while it is lent, which its query is told of too.
  pool.on('connect', (client) => void client.on('error', () => undefined));
  return new PostgresDialect({ pool: locked });
}

/** Connects anew, as soon as the server is there again. */
async function regain(pool: PostgresPool, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    try {
      (await pool.connect()).release();
      return;
    } catch (error) {
      if (error instanceof StorageInUseError) return;
    }
    await new Promise((resolve) => setTimeout(resolve, REGAIN_MS).unref());
  }
}

/** A dialect on `pool` that refuses a database in which another coordinator works. `pool` has one connection at most. */
export function lockedPostgres(pool: PostgresPool): PostgresDialect {
  return new PostgresDialect({ pool: lockedPool(pool, () => undefined) });
}

function lockedPool(pool: PostgresPool, onTakenOver: (error: StorageInUseError) => void): PostgresPool {
  const locked = new WeakSet<PostgresPoolClient>();
  let wasLocked = false;
  return {
    async connect() {
      const client = await pool.connect();
      try {
        if (!locked.has(client)) await lock(client);
      } catch (error) {
        client.release();
        if (wasLocked && error instanceof StorageInUseError) onTakenOver(error);
        throw error;
      }
      wasLocked = true;
      locked.add(client);
      return client;
    },
    end: () => pool.end(),
  };
}

async function lock(client: PostgresPoolClient): Promise<void> {
  for (const setting of KEEPALIVE) await client.query(`set ${setting}`, []).catch(() => undefined);
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
