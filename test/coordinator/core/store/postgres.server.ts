// The PostgreSQL dialect on a real server: `npm run test:postgres` starts one, or takes the database that
// TABGRAD_TEST_DATABASE_URL names, where schemas may be made.

import { randomBytes } from 'node:crypto';
import { Client, type QueryResultRow } from 'pg';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../../../coordinator/core/store/openStore.ts';
import { openWhenFree } from '../../../../coordinator/core/store/openWhenFree.ts';
import type { Store } from '../../../../coordinator/core/store/store.ts';
import { describeKilledWriter } from './killedWriterSuite.ts';
import { describeStore } from './storeContract.ts';
import { committed } from './storeFacts.ts';

/** Set by the suite's setup where nobody else did. */
const server = process.env['TABGRAD_TEST_DATABASE_URL']!;

async function execute<R extends QueryResultRow>(url: string, sql: string): Promise<R[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<R>(sql);
  await client.end();
  return rows;
}

/** A schema of its own, as an address whose tables are in it. */
async function makeSchema(): Promise<{ url: string; remove: () => Promise<void> }> {
  const schema = `tabgrad_${randomBytes(6).toString('hex')}`;
  const url = new URL(server);
  url.searchParams.set('options', `-c search_path=${schema}`);
  await execute(server, `create schema ${schema}`);
  return {
    url: url.href,
    remove: async () => void (await execute(server, `drop schema ${schema} cascade`)),
  };
}

const open = (databaseUrl: string, onTakenOver?: () => void): Promise<Store> =>
  openStore({ folder: tmpdir(), durable: true, databaseUrl, onError: () => undefined, onTakenOver });

describeStore('PostgreSQL', async () => {
  const { url, remove } = await makeSchema();
  return {
    hasSessions: true,
    open: () => open(url),
    execute: async (sql) => void (await execute(url, sql)),
    remove,
  };
});

describeKilledWriter('PostgreSQL', async () => {
  const { url, remove } = await makeSchema();
  return { folder: tmpdir(), databaseUrl: url, remove };
});

describe('A PostgreSQL record that another coordinator gets', () => {
  const lock = "select pg_advisory_lock(hashtextextended('tabgrad ' || current_schema(), 0))";
  const queued = "select count(*)::int as n from pg_locks where locktype = 'advisory' and not granted";
  const cut = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tabgrad'";

  it('takes nothing more from the one whose connection was cut, who is told at once', async () => {
    const { url, remove } = await makeSchema();
    let told!: () => void;
    const takenOver = new Promise<void>((resolve) => (told = resolve));
    const first = await open(url, told);
    // Whoever waits for the lock on the server gets it before the first one can be back.
    const other = new Client({ connectionString: url });
    await other.connect();
    const held = other.query(lock);
    while ((await execute<{ n: number }>(server, queued))[0]?.n !== 1);
    await execute(server, cut);
    await held;
    await takenOver;
    const rows = { rounds: [committed(0)], events: [] };
    await expect(first.runs.append('r', rows)).rejects.toMatchObject({ code: 'STORAGE_IN_USE' });

    let waits!: () => void;
    const waiting = new Promise<void>((resolve) => (waits = resolve));
    const standby = openWhenFree(() => open(url), { onWaiting: waits });
    await waiting;
    await other.end();
    await (await standby).close();
    await first.close();
    await remove();
  });
});
