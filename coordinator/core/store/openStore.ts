// Which database a coordinator keeps its record in: the one at an address, or the file in its storage folder.

import { chmod, open } from 'node:fs/promises';
import { join } from 'node:path';
import { embeddedDialect } from './embeddedDialect.ts';
import { postgresDialect } from './postgresDialect.ts';
import { Store } from './store.ts';
import { storeFailure, type StorageInUseError } from './storeErrors.ts';
import { StorageError } from '../blobs/blobErrors.ts';

export interface StoreOptions {
  readonly folder: string;
  /** False when the folder goes away with the coordinator. */
  readonly durable: boolean;
  /** postgres://…; takes the place of the file. */
  readonly databaseUrl?: string | undefined;
  /** Told of connections that broke off while nobody used them. */
  readonly onError: (error: Error) => void;
  /** Told when another coordinator got the database while the connection was lost. */
  readonly onTakenOver?: ((error: StorageInUseError) => void) | undefined;
}

export const DATABASE_FILE = 'tabgrad.db';

/** @throws StorageInUseError, StorageVersionError, StorageFullError, StorageError */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { folder, durable, databaseUrl, onError, onTakenOver } = options;
  if (databaseUrl !== undefined) {
    if (!/^postgres(ql)?:\/\//.test(databaseUrl) || !URL.canParse(databaseUrl)) {
      throw new StorageError(
        'The database URL must have the form postgres://user:password@host:port/database',
      );
    }
    const { host, pathname } = new URL(databaseUrl);
    return Store.open(postgresDialect(databaseUrl, onError, onTakenOver), `postgres://${host}${pathname}`);
  }
  const file = join(folder, DATABASE_FILE);
  await reserve(file);
  return Store.open(embeddedDialect({ file, durable }), file);
}

/** The file holds the key of workers' identities: its owner alone may read it, and SQLite's log beside it likewise. */
async function reserve(file: string): Promise<void> {
  try {
    await (await open(file, 'a', 0o600)).close();
    await chmod(file, 0o600);
  } catch (error) {
    throw storeFailure(error, `The record ${file} cannot be opened`);
  }
}
