// What every blob store does, wherever it keeps the bytes.

import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlobStore } from '../../../../coordinator/core/blobs/blobStore.ts';

export interface StoreUnderTest {
  readonly store: BlobStore;
  /** Names of everything that is stored, finished or not. */
  names(): Promise<string[]>;
  /** Makes a blob as old as that; a store of its own opened then. */
  age(sha256: string, ms: number): Promise<void>;
  /** Another process on the same bytes, which opens them so much later. */
  reopened(laterMs: number): Promise<BlobStore>;
  damage(sha256: string): Promise<void>;
  close(): Promise<void>;
}

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
const HOUR_MS = 60 * 60_000;

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

export function blobStoreContract(kind: string, open: () => Promise<StoreUnderTest>): void {
  describe(`a blob store in ${kind}`, () => {
    let tested: StoreUnderTest;
    let store: BlobStore;

    beforeEach(async () => {
      tested = await open();
      ({ store } = tested);
    });
    afterEach(() => tested.close());

    it('names bytes by the SHA-256 of FIPS 180-2 and gives them back, whole or in ranges', async () => {
      const address = await store.putBytes(new TextEncoder().encode('abc'));
      expect(address).toEqual({
        sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
        sizeBytes: 3,
      });
      expect(Buffer.from(await store.read(address.sha256)).toString()).toBe('abc');
      expect((await collect(store.stream(address.sha256))).toString()).toBe('abc');
      expect((await collect(store.stream(address.sha256, { start: 1, end: 1 }))).toString()).toBe('b');
      expect(await store.sizeBytes(address.sha256)).toBe(3);
    });

    it.each([0, 1, 63, 64, 65, 257, 300_000])('keeps a stream of %i bytes in odd pieces', async (size) => {
      const bytes = Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i * 31) & 0xff));
      const pieces = async function* (): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < size; at += 7_001) yield bytes.subarray(at, at + 7_001);
      };
      const address = await store.putStream(pieces());
      expect(address).toEqual({ sha256: sha256(bytes), sizeBytes: size });
      expect(Buffer.from(await store.read(address.sha256)).equals(bytes)).toBe(true);
    });

    it('stores JSON, and the same bytes once', async () => {
      const [one, two] = [await store.putJson({ a: [1, 'ä'] }), await store.putJson({ a: [1, 'ä'] })];
      expect(two).toEqual(one);
      expect(await store.readJson(one.sha256)).toEqual({ a: [1, 'ä'] });
      expect(await tested.names()).toEqual([one.sha256]);
    });

    it('keeps nothing of streams that are refused or break', async () => {
      const bytes = new Uint8Array(100);
      await expect(store.putStream([bytes], { sha256: sha256('other') })).rejects.toMatchObject({
        code: 'BLOB_MISMATCH',
      });
      await expect(store.putStream([bytes, bytes], { maxBytes: 199 })).rejects.toMatchObject({
        code: 'BODY_TOO_LARGE',
      });
      const broken = async function* (): AsyncGenerator<Uint8Array> {
        yield bytes;
        throw new Error('the line broke');
      };
      await expect(store.putStream(broken())).rejects.toThrow('the line broke');
      const gone = AbortSignal.abort(new Error('the client is gone'));
      await expect(store.putStream([bytes], { signal: gone })).rejects.toThrow('the client is gone');
      expect(await tested.names()).toEqual([]);
    });

    it('knows what it lacks: size, touch, read, stream and delete', async () => {
      const name = sha256('nowhere');
      expect([await store.has(name), await store.sizeBytes(name), await store.touch(name)]).toEqual([
        false,
        undefined,
        false,
      ]);
      await expect(store.read(name)).rejects.toMatchObject({ code: 'BLOB_MISSING' });
      await expect(collect(store.stream(name))).rejects.toThrow();
      await store.delete(name);
      expect(await store.sizeBytes('../etc/passwd')).toBeUndefined();
      await expect(store.read('../etc/passwd')).rejects.toMatchObject({ code: 'BLOB_MISSING' });
    });

    it('notices bytes that are no longer the ones that were stored', async () => {
      const { sha256: name } = await store.putBytes(Buffer.from('precious'));
      await tested.damage(name);
      await expect(store.read(name)).rejects.toMatchObject({ code: 'BLOB_MISMATCH' });
    });

    it('sweeps what is idle, and neither what is in use nor what somebody counted on since', async () => {
      const names: string[] = [];
      for (const text of ['used', 'idle', 'touched', 'again', 'young', 'idle too']) {
        names.push((await store.putBytes(Buffer.from(text))).sha256);
      }
      const [used, idle, touched, again, young, idleToo] = names as [
        string,
        string,
        string,
        string,
        string,
        string,
      ];
      for (const name of [used, idle, touched, again, idleToo]) await tested.age(name, 10 * HOUR_MS);
      const later = await tested.reopened(-2 * HOUR_MS);
      expect(await later.touch(touched)).toBe(true);
      await later.putBytes(Buffer.from('again'));
      expect(await later.sweep(new Set([used]), HOUR_MS)).toBe(2);
      expect((await tested.names()).sort()).toEqual([used, touched, again, young].sort());
    });

    it('deletes one blob, unless it was counted on lately', async () => {
      const { sha256: name } = await store.putBytes(Buffer.from('stored just now'));
      expect(await store.deleteIdle(name, HOUR_MS)).toBe(false);
      expect(await store.has(name)).toBe(true);
      await tested.age(name, 10 * HOUR_MS);
      const later = await tested.reopened(-2 * HOUR_MS);
      expect(await later.touch(name)).toBe(true);
      expect(await later.deleteIdle(name, HOUR_MS)).toBe(false);
      expect(await later.deleteIdle(name, -1)).toBe(true);
      expect(await store.has(name)).toBe(false);
      expect(await later.deleteIdle(name, -1)).toBe(true);
    });
  });
}
