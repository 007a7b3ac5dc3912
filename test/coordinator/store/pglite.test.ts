// The PostgreSQL dialect on PostgreSQL itself, compiled to WebAssembly: everything but the wire and a second session.

import { PGlite } from '@electric-sql/pglite';
import type { PostgresPool, PostgresPoolClient } from 'kysely';
import { afterAll } from 'vitest';
import { Store } from '../../../coordinator/store/store.ts';
import { lockedPostgres } from '../../../coordinator/store/postgresDialect.ts';
import { describeStore } from './storeContract.ts';

/** A pool of one connection, lent to one after the other. */
function poolOf(database: PGlite): PostgresPool {
  let lastReturned: Promise<void> = Promise.resolve();
  let giveBack: () => void = () => undefined;
  const client = {
    async query(sql: string, parameters: readonly unknown[]) {
      const { rows, affectedRows = 0 } = await database.query(sql, [...parameters]);
      return { command: 'UPDATE', rowCount: affectedRows, rows };
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
  } as PostgresPool;
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
