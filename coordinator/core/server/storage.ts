// Where a coordinator keeps what it knows: the storage folder it was given, or a temporary one that goes with it.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { StorageError } from '../blobs/blobErrors.ts';
import type { BlobStore } from '../blobs/blobStore.ts';
import { FolderBlobStore } from '../blobs/folderBlobStore.ts';
import { makeTemporaryFolder, sweepTemporaryFolders } from '../../files/temporaryFolder.ts';
import type { Log } from '../../log/log.ts';
import { openStore } from '../store/openStore.ts';
import { openWhenFree } from '../store/openWhenFree.ts';
import { storeFailure, type StorageInUseError } from '../store/storeErrors.ts';
import type { Store } from '../store/store.ts';
import type { StorageOptions } from './coordinatorOptions.ts';

export interface Storage {
  readonly blobs: BlobStore;
  readonly store: Store;
  /** Whether it is there after this process. */
  readonly durable: boolean;
  close(): Promise<void>;
}

/**
 * @param onTakenOver another coordinator has got the record: what this one writes from now on is refused.
 * @throws StorageError, StorageFullError, StorageInUseError, StorageVersionError, AbortedError
 */
export async function openStorage(
  options: StorageOptions,
  log: Log,
  onTakenOver: (error: StorageInUseError) => void = () => undefined,
): Promise<Storage> {
  const { storagePath, databaseUrl, blobsUrl, standby } = options;
  if (databaseUrl !== undefined && storagePath === undefined && blobsUrl === undefined) {
    // Runs that go on need their shards.
    throw new StorageError(
      'A database is of use only together with a storage folder or a bucket for the blobs',
    );
  }
  const durable = storagePath !== undefined || databaseUrl !== undefined;
  await sweepKilled(log);
  const temporary =
    storagePath === undefined
      ? await makeTemporaryFolder('storage').catch((error: unknown) => {
          throw storeFailure(error, 'The temporary storage folder can not be made');
        })
      : undefined;
  const folder = storagePath ?? temporary!.path;
  const onError = (error: Error): void =>
    log({ level: 'warn', message: `The database connection broke off: ${error.message}` });
  try {
    // One that is there already may be shared on purpose; what is made in it is not.
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const open = (): Promise<Store> => openStore({ folder, durable, databaseUrl, onError, onTakenOver });
    const store = await (standby
      ? openWhenFree(open, { onWaiting: standby.onStandby, signal: standby.signal })
      : open());
    const blobs = await openBlobs(blobsUrl, folder, log).catch(async (error: unknown) => {
      await store.close();
      throw error;
    });
    return {
      blobs,
      store,
      durable,
      close: async () => {
        await store.close();
        await temporary?.remove();
      },
    };
  } catch (error) {
    await temporary?.remove();
    throw error;
  }
}

/** What killed coordinators and trainings have left, rows among it. */
async function sweepKilled(log: Log): Promise<void> {
  try {
    for (const folder of await sweepTemporaryFolders())
      log({ level: 'info', message: `Removed ${folder}, which a process left behind that was killed` });
  } catch (error) {
    log({ level: 'warn', message: `Temporary folders could not be swept: ${messageOf(error)}` });
  }
}

async function openBlobs(url: string | undefined, folder: string, log: Log): Promise<BlobStore> {
  if (url === undefined) {
    return FolderBlobStore.open(join(folder, 'blobs'), (message) => log({ level: 'warn', message }));
  }
  // Loaded here: most coordinators have a folder.
  const { S3BlobStore } = await import('../blobs/s3/s3BlobStore.ts');
  return S3BlobStore.open(url);
}
