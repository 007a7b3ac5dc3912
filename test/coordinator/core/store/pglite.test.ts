// The PostgreSQL dialect on PostgreSQL itself, compiled to WebAssembly: everything but the wire and a second session.

import { PGlite } from '@electric-sql/pglite';
import type { PostgresPool, PostgresPoolClient } from 'kysely';
import { afterAll, describe, expect, it } from 'vitest';
import { RunLog } from '../../../../coordinator/core/run/runLog.ts';
import { Store } from '../../../../coordinator/core/store/store.ts';
import { lockedPostgres } from '../../../../coordinator/core/store/postgresDialect.ts';
import { describeStore } from './storeContract.ts';
import { committed, requestOf, roundEvent, roundFact } from './storeFacts.ts';

interface Answer {
  readonly command: 'UPDATE';
  readonly rowCount: number;
  readonly rows: unknown[];
}

async function ask(database: PGlite, sql: string, parameters: readonly unknown[]): Promise<Answer> {
  const { rows, affectedRows = 0 } = await database.query(sql, [...parameters]);
  return { command: 'UPDATE', rowCount: affectedRows, rows };
}

/** A pool of one connection, lent to one after the other. */
function poolOf(database: PGlite, query: typeof ask = ask): PostgresPool {
  let lastReturned: Promise<void> = Promise.resolve();
  let giveBack: () => void = () => undefined;
  const client = {
    async query(sql: string, parameters: readonly unknown[]) {
      return query(database, sql, parameters);
    },
    release: () => giveBack(),
  } as unknown as PostgresPoolClient;
  return {
    async connect() {
      const free = lastReturned;
      let returned: () => void = () => undefined;
      lastReturned = new Promise((resolve) => (returned = resolve));
      await free;
      giveBack = returned;
      return client;
    },
    end: () => database.exec('select pg_advisory_unlock_all()').then(() => undefined),
  };
}

// Starting it takes seconds.
const server = PGlite.create();
afterAll(async () => (await server).close());

describeStore('PostgreSQL (PGlite)', async () => {
  const database = await server;
  return {
    hasSessions: false,
    open: () => Store.open(lockedPostgres(poolOf(database)), 'PGlite'),
    execute: (sql) => database.exec(sql).then(() => undefined),
    remove: () => database.exec('drop schema public cascade; create schema public').then(() => undefined),
  };
});

describe('A write whose connection breaks off', () => {
  /** A store whose commits fail as often as `failures` says, before or after they are done. */
  async function flaky(failures: ('before' | 'after')[], waits: number[]): Promise<Store> {
    const query: typeof ask = async (database, sql, parameters) => {
      const failure = sql === 'commit' ? failures.shift() : undefined;
      const lost = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
      if (failure === 'before') throw lost;
      const answer = await ask(database, sql, parameters);
      if (failure === 'after') throw lost;
      return answer;
    };
    return Store.open(lockedPostgres(poolOf(await server, query)), 'PGlite', (ms) => {
      waits.push(ms);
      return Promise.resolve();
    });
  }

  it.each(['before', 'after'] as const)('is done once, whether it broke %s the commit', async (when) => {
    const failures: ('before' | 'after')[] = [];
    const waits: number[] = [];
    const store = await flaky(failures, waits);
    const log = new RunLog(store.runs, `broken ${when}`);
    failures.push(when);
    await log.write([{ type: 'started', request: requestOf(log.runId) }]);
    failures.push(when, 'before');
    await log.write([roundFact(0), roundEvent(0)]);
    failures.push(when);
    await log.write([roundEvent(1)]);
    failures.push(when);
    await log.write([{ type: 'group', generation: 3, members: [] }]);
    expect(await store.runs.unfinished()).toMatchObject([
      { generation: 3, rounds: [committed(0)], announcedRounds: 2, lastSequence: 2 },
    ]);
    expect(waits.every((ms) => ms === 1_000)).toBe(true);
    await store.close();
    await (await server).exec('drop schema public cascade; create schema public');
  });

  it('is given up when the server does not come back', async () => {
    const failures: 'before'[] = [];
    const waits: number[] = [];
    const store = await flaky(failures, waits);
    failures.push(...Array.from({ length: 61 }, () => 'before' as const));
    const log = new RunLog(store.runs, 'r');
    await expect(log.write([{ type: 'started', request: requestOf('r') }])).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
    });
    expect(waits).toHaveLength(60);
    await store.close();
    await (await server).exec('drop schema public cascade; create schema public');
  });
});
