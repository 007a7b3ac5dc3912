import { createHash } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noBlobCache, type BlobCache } from '../../../client/blobs/blobCache.ts';
import { createBlobFetcher } from '../../../client/blobs/blobFetcher.ts';
import { diskBlobCache } from '../../../client/blobs/diskBlobCache.node.ts';
import type { Clock } from '../../../shared/clock.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const shard = Uint8Array.from({ length: 1000 }, (_, index) => index % 251);
const name = sha256(shard);
const signal = new AbortController().signal;

/** Waits cost nothing and are written down; the long deadline for stalled transfers never comes. */
function instantClock(waits: number[]): Clock {
  return {
    now: () => 0,
    after: (delayMs, callback) => {
      if (delayMs >= 30_000) return () => {};
      waits.push(delayMs);
      queueMicrotask(callback);
      return () => {};
    },
  };
}

function memoryCache(
  entries: Record<string, Uint8Array> = {},
): BlobCache & { entries: Map<string, Uint8Array> } {
  const map = new Map(Object.entries(entries));
  return {
    entries: map,
    get: async (key) => map.get(key),
    put: async (key, bytes) => void map.set(key, bytes),
  };
}

function fetcher(answers: (() => Response)[], cache: BlobCache = noBlobCache) {
  const asked: string[] = [];
  const shown: unknown[] = [];
  const waits: number[] = [];
  const fetchBlob = createBlobFetcher({
    origin: 'http://host',
    cache,
    clock: instantClock(waits),
    random: () => 1,
    fetch: (async (url: string, { headers }: RequestInit) => {
      asked.push(url);
      shown.push(headers);
      return (answers[asked.length - 1] ?? answers.at(-1))!();
    }) as typeof fetch,
  });
  return { fetchBlob, asked, shown, waits };
}

const good = () => new Response(shard);

describe('fetching a blob', () => {
  test('asks the coordinator once, checks the bytes and keeps them', async () => {
    const cache = memoryCache();
    const { fetchBlob, asked, waits } = fetcher([good], cache);
    expect(await fetchBlob(name, { sizeBytes: 1000, signal })).toEqual(shard);
    expect(asked).toEqual([`http://host/blobs/${name}`]);
    expect(waits).toEqual([]);
    expect(await fetchBlob(name, { signal })).toEqual(shard);
    expect(asked).toHaveLength(1);
    expect([...cache.entries.keys()]).toEqual([name]);
  });

  test('does not believe a damaged cache', async () => {
    const cache = memoryCache({ [name]: new Uint8Array(1000) });
    const { fetchBlob, asked } = fetcher([good], cache);
    expect(await fetchBlob(name, { signal })).toEqual(shard);
    expect(asked).toHaveLength(1);
    expect(cache.entries.get(name)).toEqual(shard);
  });

  test('tries again after errors, cut transfers and wrong bytes, waiting longer each time', async () => {
    const { fetchBlob, waits } = fetcher([
      () => {
        throw new TypeError('no route');
      },
      () => new Response('busy', { status: 503 }),
      () => new Response(shard.subarray(1)),
      () => new Response(shard.map((byte) => byte ^ 1)),
      good,
    ]);
    expect(await fetchBlob(name, { sizeBytes: 1000, signal })).toEqual(shard);
    expect(waits).toEqual([200, 400, 800, 1600]);
  });

  test('has the coordinator look at a blob that came with other bytes', async () => {
    const { fetchBlob, shown } = fetcher([
      () => new Response('busy', { status: 503 }),
      () => new Response(shard.subarray(1)),
      () => new Response('gone', { status: 404 }),
    ]);
    await expect(fetchBlob(name, { signal })).rejects.toMatchObject({ code: 'BLOB_UNAVAILABLE' });
    expect(shown).toEqual([{}, {}, { 'want-repr-digest': 'sha-256=10' }]);
  });

  test('shows whose end it is, and tries again until a restarted coordinator knows it', async () => {
    const { fetchBlob, shown, waits } = fetcher([() => new Response('who?', { status: 401 }), good]);
    const credentials = { workerId: 'w-1', secret: 's3' };
    expect(await fetchBlob(name, { signal, credentials })).toEqual(shard);
    expect(shown).toEqual([{ authorization: 'Worker w-1:s3' }, { authorization: 'Worker w-1:s3' }]);
    expect(waits).toEqual([200]);
  });

  test('gives up after six attempts and says what went wrong last', async () => {
    const { fetchBlob, asked } = fetcher([() => new Response('busy', { status: 503 })]);
    await expect(fetchBlob(name, { signal })).rejects.toMatchObject({
      code: 'BLOB_UNAVAILABLE',
      message: expect.stringContaining('answered 503') as string,
    });
    expect(asked).toHaveLength(6);
  });

  test.each([
    ['that is not there', () => new Response('none', { status: 404 }), 'answered 404'],
    [
      'larger than announced',
      () => new Response(new Uint8Array(1001)),
      'larger than the 1000 bytes expected',
    ],
  ])('%s fails at once', async (_, answer, message) => {
    const { fetchBlob, asked } = fetcher([answer]);
    await expect(fetchBlob(name, { sizeBytes: 1000, signal })).rejects.toThrow(message);
    expect(asked).toHaveLength(1);
  });

  test('stops when it is withdrawn', async () => {
    const abort = new AbortController();
    const { fetchBlob, asked } = fetcher([
      () => {
        abort.abort();
        throw new TypeError('aborted');
      },
    ]);
    await expect(fetchBlob(name, { signal: abort.signal })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(asked).toHaveLength(1);
  });
});

describe('the disk cache', () => {
  let folder: string;
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('keeps within its bound by dropping what was used longest ago', async () => {
    folder = await mkdtemp(join(tmpdir(), 'tabgrad-test-'));
    const cache = diskBlobCache(folder, 250);
    const blob = (fill: number) => new Uint8Array(100).fill(fill);
    await cache.put('a', blob(1));
    await cache.put('b', blob(2));
    await utimes(join(folder, 'a'), 2000, 2000);
    await utimes(join(folder, 'b'), 1000, 1000);
    await cache.put('c', blob(3));
    expect((await readdir(folder)).sort()).toEqual(['a', 'c']);
    expect(new Uint8Array((await cache.get('a'))!)).toEqual(blob(1));
    expect(await cache.get('b')).toBeUndefined();
    await cache.put('too large', new Uint8Array(251));
    expect(await cache.get('too large')).toBeUndefined();
  });

  test('is merely empty where nothing can be written', async () => {
    folder = await mkdtemp(join(tmpdir(), 'tabgrad-test-'));
    await writeFile(join(folder, 'file'), '');
    const cache = diskBlobCache(join(folder, 'file', 'below'), 1000);
    await cache.put('a', shard);
    expect(await cache.get('a')).toBeUndefined();
  });

  test('is for one account alone, where an earlier version left it open too', async () => {
    folder = await mkdtemp(join(tmpdir(), 'tabgrad-test-'));
    const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);
    for (const place of ['new', 'old']) {
      const cacheFolder = join(folder, place);
      if (place === 'old') await mkdir(cacheFolder, { mode: 0o755 });
      await diskBlobCache(cacheFolder, 1000).put('a', new Uint8Array(1));
      expect([place, await modeOf(cacheFolder)]).toEqual([place, '700']);
      expect(await modeOf(join(cacheFolder, 'a'))).toBe('600');
    }
  });
});
