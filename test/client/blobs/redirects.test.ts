// Blobs and tokens of a worker go between it and its coordinator, and nowhere else.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { noBlobCache } from '../../../client/blobs/blobCache.ts';
import { answerOf, createBlobFetcher } from '../../../client/blobs/blobFetcher.ts';
import { createBlobUploader } from '../../../client/blobs/blobUploader.ts';
import { systemClock } from '../../../shared/clock.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function redirecting(location: string, asked: string[]): Promise<string> {
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.headers.host}`);
    request.resume();
    response.writeHead(307, { location, connection: 'close' }).end();
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const { signal } = new AbortController();
const surroundings = { clock: systemClock, random: () => 0 };

describe('a coordinator that redirects', () => {
  it('has no blob fetched from elsewhere, and none stored there', async () => {
    const elsewhere: string[] = [];
    const other = await redirecting('/', elsewhere);
    const asked: string[] = [];
    const origin = await redirecting(`${other}/stolen`, asked);
    const fetchBlob = createBlobFetcher({ ...surroundings, origin, cache: noBlobCache });
    const putBlob = createBlobUploader({
      ...surroundings,
      origin,
      credentials: { workerId: 'w', secret: 'marked-secret' },
    });
    await expect(fetchBlob('0'.repeat(64), { signal })).rejects.toMatchObject({
      code: 'BLOB_UNAVAILABLE',
      message: expect.stringContaining('a redirect, which is not followed') as string,
    });
    await expect(putBlob(new Uint8Array(3), signal)).rejects.toMatchObject({
      code: 'BLOB_NOT_STORED',
      message: expect.stringContaining('a redirect, which is not followed') as string,
    });
    const host = new URL(origin).host;
    expect(asked).toEqual([`GET ${host}`, `PUT ${host}`]);
    expect(elsewhere).toEqual([]);
  });

  it('is known by what browsers make of a redirect', () => {
    // Fetch standard, 2.2.6: an opaque-redirect filtered response.
    const opaque = Object.defineProperty(Response.error(), 'type', { value: 'opaqueredirect' });
    expect([opaque.status, opaque.ok]).toEqual([0, false]);
    expect(answerOf(opaque)).toBe('a redirect, which is not followed,');
    expect(answerOf(new Response(null, { status: 404 }))).toBe('404');
  });
});
