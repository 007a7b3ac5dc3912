import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import type * as fsPromises from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FolderBlobStore } from '../../../../coordinator/core/blobs/folderBlobStore.ts';
import { blobStoreContract } from './blobStoreContract.ts';

const disk = vi.hoisted(() => ({ isFull: false }));

// A disk that is full after the first kilobyte of a file, when the test says so.
vi.mock('node:fs/promises', async (load) => {
  const real = await load<typeof fsPromises>();
  return {
    ...real,
    open: async (...call: Parameters<typeof real.open>): Promise<fsPromises.FileHandle> => {
      const handle = await real.open(...call);
      const write = handle.writeFile.bind(handle);
      handle.writeFile = async (data) => {
        if (!disk.isFull) return write(data);
        await write((data as Uint8Array).subarray(0, 1024));
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), {
          code: 'ENOSPC',
          syscall: 'write',
        });
      };
      return handle;
    },
  };
});

blobStoreContract('a folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'blobs-'));
  const store = await FolderBlobStore.open(folder);
  const setAge = async (name: string, ms: number): Promise<void> => {
    const then = new Date(Date.now() - ms);
    await utimes(store.pathOf(name), then, then);
  };
  return {
    store,
    async names() {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
    },
    age: setAge,
    reopened: () => FolderBlobStore.open(folder),
    damage: (name) => writeFile(store.pathOf(name), 'other bytes'),
    close: () => rm(folder, { recursive: true, force: true }),
  };
});

describe('a blob store in a folder', () => {
  let folder: string;
  let store: FolderBlobStore;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'blobs-'));
    store = await FolderBlobStore.open(folder);
  });
  afterEach(async () => {
    disk.isFull = false;
    await rm(folder, { recursive: true, force: true });
  });

  /** Every file of the store. */
  async function files(): Promise<string[]> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
  }

  it('says that the disk is full and leaves nothing half-written', async () => {
    disk.isFull = true;
    await expect(store.putBytes(new Uint8Array(5_000))).rejects.toMatchObject({
      code: 'STORAGE_FULL',
      message: `A blob cannot be written to ${folder}: the disk has no room left. Free some, or choose another storage folder.`,
    });
    expect(await files()).toEqual([]);
  });

  it('sweeps away what a killed process left behind, but not what another is writing', async () => {
    const [old, fresh] = ['old', 'fresh'].map((name) => join(folder, 'incoming', name));
    for (const file of [old, fresh]) await writeFile(file ?? '', 'half');
    await utimes(old ?? '', new Date(0), new Date(0));
    await FolderBlobStore.open(folder);
    expect(await readdir(join(folder, 'incoming'))).toEqual(['fresh']);
  });

  it.each(['other bytes', 'prec'])('stores anew what rotted to "%s"', async (rotten) => {
    const { sha256: name } = await store.putBytes(Buffer.from('precious'));
    await writeFile(store.pathOf(name), rotten);
    await store.putBytes(Buffer.from('precious'));
    expect(Buffer.from(await store.read(name)).toString()).toBe('precious');
    await writeFile(store.pathOf(name), rotten);
    expect([await store.verify(name), await store.has(name), await store.verify(name)]).toEqual([
      false,
      false,
      false,
    ]);
  });

  it('says so when the folder can not be used', async () => {
    const file = join(folder, 'a-file');
    await mkdir(folder, { recursive: true });
    await writeFile(file, '');
    await expect(FolderBlobStore.open(file)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });
});
