// Where a coordinator keeps what it knows: the storage folder it was given, or a temporary one that goes with it.

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StorageError } from '../blobs/blobErrors.ts';
import { BlobStore } from '../blobs/blobStore.ts';
import type { Log } from '../pool/log.ts';
import { openStore } from '../store/openStore.ts';
import type { Store } from '../store/store.ts';

export interface Storage {
  readonly blobs: BlobStore;
  readonly store: Store;
  /** Whether it is there after this process. */
  readonly durable: boolean;
  close(): Promise<void>;
}

export interface StorageOptions {
  readonly storagePath?: string;
  readonly databaseUrl?: string;
}

/** @throws StorageError, StorageFullError, StorageInUseError, StorageVersionError */
export async function openStorage({ storagePath, databaseUrl }: StorageOptions, log: Log): Promise<Storage> {
  if (databaseUrl !== undefined && storagePath === undefined) {
    // Runs that go on need their shards.
    throw new StorageError('A database is of use only together with a storage folder for the blobs');
  }
  const folder = storagePath ?? (await mkdtemp(join(tmpdir(), 'tabgrad-')));
  const durable = storagePath !== undefined;
  const remove = (): Promise<void> =>
    durable ? Promise.resolve() : rm(folder, { recursive: true, force: true });
  const onError = (error: Error): void =>
    log({ level: 'warn', message: `The database connection broke off: ${error.message}` });
  try {
    const blobs = await BlobStore.open(join(folder, 'blobs'));
    await mkdir(folder, { recursive: true });
    const store = await openStore({ folder, durable, databaseUrl, onError });
    return {
      blobs,
      store,
      durable,
      close: async () => {
        await store.close();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
