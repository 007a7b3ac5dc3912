import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { describe, expect, it } from 'vitest';
import { DATABASE_FILE, openStore } from '../../../../coordinator/core/store/openStore.ts';
import { describeStore } from './storeContract.ts';
import type { TestDatabase } from './storeWorld.ts';

async function embedded(): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'tabgrad-store-'));
  return {
    hasSessions: true,
    open: () => openStore({ folder, durable: true, onError: () => undefined }),
    execute: (sql) => {
      const database = new Database(join(folder, DATABASE_FILE));
      database.exec(sql);
      database.close();
      return Promise.resolve();
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

describeStore('the embedded database', embedded);

describe('The file of the embedded database', () => {
  it('is readable by its owner alone: the key of identities is in it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tabgrad-store-'));
    const store = await openStore({ folder, durable: true, onError: () => undefined });
    await store.setting('key', () => 'secret');
    for (const file of [DATABASE_FILE, `${DATABASE_FILE}-wal`]) {
      expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600);
    }
    await store.close();
    await rm(folder, { recursive: true });
  });

  it('is named when it can not be opened', async () => {
    const folder = join(tmpdir(), 'tabgrad-store-that-is-not-there');
    await expect(openStore({ folder, durable: true, onError: () => undefined })).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining(join(folder, DATABASE_FILE)) as string,
    });
  });

  it('is not taken for an address: what is no PostgreSQL URL is refused', async () => {
    const opening = openStore({
      folder: '.',
      durable: true,
      databaseUrl: 'mysql://x',
      onError: () => undefined,
    });
    await expect(opening).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });
});
