// The PostgreSQL dialect on a real server: `npm run test:postgres`, with TABGRAD_TEST_DATABASE_URL naming a database
// where schemas may be made.

import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { tmpdir } from 'node:os';
import { openStore } from '../../../coordinator/store/openStore.ts';
import { describeStore } from './storeContract.ts';

const server = process.env['TABGRAD_TEST_DATABASE_URL'];
if (server === undefined) {
  throw new Error(
    'Set TABGRAD_TEST_DATABASE_URL to a PostgreSQL database, e.g. postgres://user:word@127.0.0.1/test',
  );
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(sql);
  await client.end();
}

describeStore('PostgreSQL', async () => {
  const schema = `tabgrad_${randomBytes(6).toString('hex')}`;
  const url = new URL(server);
  url.searchParams.set('options', `-c search_path=${schema}`);
  await execute(server, `create schema ${schema}`);
  return {
    hasSessions: true,
    open: () =>
      openStore({ folder: tmpdir(), durable: true, databaseUrl: url.href, onError: () => undefined }),
    execute: (sql) => execute(url.href, sql),
    remove: () => execute(server, `drop schema ${schema} cascade`),
  };
});
