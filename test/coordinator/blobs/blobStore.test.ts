import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import type * as fsPromises from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BlobStore } from '../../../coordinator/blobs/blobStore.ts';

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

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

describe('BlobStore', () => {
  let folder: string;
  let store: BlobStore;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'blobs-'));
    store = await BlobStore.open(folder);
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

  it('names bytes by the SHA-256 of FIPS 180-2 and gives them back', async () => {
    const address = await store.putBytes(new TextEncoder().encode('abc'));
    expect(address).toEqual({
      sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      sizeBytes: 3,
    });
    expect(new TextDecoder().decode(await store.read(address.sha256))).toBe('abc');
  });

  it.each([0, 1, 63, 64, 65, 257, 1_000_000])('keeps %i bytes', async (length) => {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 7) & 255);
    const address = await store.putBytes(bytes);
    expect(Buffer.from(await store.read(address.sha256)).equals(bytes)).toBe(true);
    expect(await store.sizeBytes(address.sha256)).toBe(length);
  });

  it('keeps JSON values', async () => {
    const value = { rounds: [[1.5, 'tree', null]] };
    expect(await store.readJson((await store.putJson(value)).sha256)).toEqual(value);
  });

  it('stores the same bytes once', async () => {
    await store.putBytes(new Uint8Array(10));
    await store.putBytes(new Uint8Array(10));
    expect(await files()).toEqual([sha256(new Uint8Array(10))]);
  });

  it('refuses a stream that is not what was announced and keeps nothing of it', async () => {
    const expected = sha256('right');
    await expect(store.putStream([Buffer.from('wrong')], { sha256: expected })).rejects.toMatchObject({
      code: 'BLOB_MISMATCH',
      message: `The 5 bytes hash to ${sha256('wrong')}, expected ${expected}`,
    });
    expect(await files()).toEqual([]);
  });

  it('refuses a stream that is too long without reading all of it', async () => {
    let taken = 0;
    function* endless(): Generator<Uint8Array> {
      for (;;) {
        taken += 1;
        yield new Uint8Array(100);
      }
    }
    await expect(store.putStream(endless(), { maxBytes: 250 })).rejects.toMatchObject({
      code: 'BODY_TOO_LARGE',
    });
    expect(taken).toBe(3);
    expect(await files()).toEqual([]);
  });

  it('keeps nothing of a stream that breaks', async () => {
    function* broken(): Generator<Uint8Array> {
      yield new Uint8Array(100);
      throw new Error('the line is dead');
    }
    await expect(store.putStream(broken())).rejects.toThrow('the line is dead');
    expect(await files()).toEqual([]);
  });

  it('says that the disk is full and leaves nothing half-written', async () => {
    disk.isFull = true;
    await expect(store.putBytes(new Uint8Array(5_000))).rejects.toMatchObject({
      code: 'STORAGE_FULL',
      message: `A blob cannot be written to ${folder}: the disk has no room left. Free some, or choose another storage folder.`,
    });
    expect(await files()).toEqual([]);
  });

  it('notices that the disk no longer holds what was stored', async () => {
    const { sha256: name } = await store.putBytes(new Uint8Array(10));
    await writeFile(store.pathOf(name), new Uint8Array(9));
    await expect(store.read(name)).rejects.toMatchObject({ code: 'BLOB_MISMATCH' });
  });

  it('has a coded error for a blob that is not there, and for a name that is none', async () => {
    await expect(store.read(sha256('x'))).rejects.toMatchObject({ code: 'BLOB_MISSING' });
    await expect(store.read('../../etc/passwd')).rejects.toMatchObject({ code: 'BLOB_MISSING' });
    expect(await store.sizeBytes('../../etc/passwd')).toBeUndefined();
  });

  it('sweeps away what a killed process left behind, but not what another is writing', async () => {
    const [old, fresh] = ['old', 'fresh'].map((name) => join(folder, 'incoming', name));
    for (const file of [old, fresh]) await writeFile(file ?? '', 'half');
    await utimes(old ?? '', new Date(0), new Date(0));
    await BlobStore.open(folder);
    expect(await readdir(join(folder, 'incoming'))).toEqual(['fresh']);
  });

  it('says so when the folder can not be used', async () => {
    const file = join(folder, 'a-file');
    await mkdir(folder, { recursive: true });
    await writeFile(file, '');
    await expect(BlobStore.open(file)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });

  it('sweeps what is not in use and was not asked for lately', async () => {
    const put = async (text: string): Promise<string> =>
      (await store.putBytes(new TextEncoder().encode(text))).sha256;
    const [used, idle, touched, fresh] = [
      await put('used'),
      await put('idle'),
      await put('touched'),
      'fresh',
    ];
    const longAgo = new Date(Date.now() - 3_600_000);
    for (const name of [used, idle, touched]) await utimes(store.pathOf(name), longAgo, longAgo);
    await put(fresh);
    // Storing it again is to count on it.
    await put('touched');
    expect(await store.sweep(new Set([used]), 1_800_000)).toBe(1);
    expect([await store.has(used), await store.has(idle), await store.has(touched)]).toEqual([
      true,
      false,
      true,
    ]);
    expect(await store.has(sha256(fresh))).toBe(true);
    expect(await store.touch(idle)).toBe(false);
  });
});
