import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ContentCodings } from '../../../coordinator/http/contentCodings.ts';

const MEBIBYTE = 1024 * 1024;
const wanted = new AbortController().signal;

describe('Compressed bodies', () => {
  it('unpack to a megabyte, or to a thousand times their size', async () => {
    const codings = new ContentCodings(64 * MEBIBYTE);
    const unpack = (coding: string, packed: Buffer): Promise<Buffer> =>
      codings.decoder(coding, { party: 'one', signal: wanted })!(packed);
    const small = Buffer.alloc(MEBIBYTE, ' ');
    const large = Buffer.alloc(8 * MEBIBYTE, ' ');
    expect((await unpack('br', brotliCompressSync(small))).equals(small)).toBe(true);
    expect((await unpack('gzip', gzipSync(large))).equals(large)).toBe(true);
    await expect(unpack('br', brotliCompressSync(large))).rejects.toMatchObject({
      code: 'BODY_TOO_LARGE',
      message: expect.stringContaining('The body may have 1048576 bytes') as string,
    });
  });

  it('of one caller wait for one another, not those of others, and not at all once the caller is gone', async () => {
    const codings = new ContentCodings(MEBIBYTE);
    const packed = gzipSync(Buffer.alloc(MEBIBYTE - 1, ' '));
    const callers = Array.from({ length: 20 }, () => new AbortController());
    const done: string[] = [];
    const ask = async (party: string, signal: AbortSignal): Promise<void> => {
      await codings.decoder('gzip', { party, signal })!(packed);
      done.push(party);
    };
    const flood = callers.map(({ signal }) => ask('flood', signal));
    const caller = ask('caller', wanted);
    await caller;
    expect(done.length).toBeLessThanOrEqual(3);
    for (const gone of callers) gone.abort();
    const ends = await Promise.allSettled(flood);
    expect(ends.filter(({ status }) => status === 'rejected').length).toBeGreaterThanOrEqual(17);
  });
});
