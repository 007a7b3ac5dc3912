// The blob store on an S3-compatible server, which checks every signature by itself.

import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { S3BlobStore } from '../../../../coordinator/core/blobs/s3/s3BlobStore.ts';
import { blobStoreContract } from './blobStoreContract.ts';
import { s3Environment, s3Url, startS3Server, type S3Server } from './s3Server.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

beforeAll(() => {
  for (const [name, value] of Object.entries(s3Environment)) vi.stubEnv(name, value);
});
afterAll(() => vi.unstubAllEnvs());

blobStoreContract('S3', async () => {
  const server = await startS3Server();
  const keyOf = (name: string): string => `some/where/${name.slice(0, 2)}/${name}`;
  return {
    store: await S3BlobStore.open(s3Url(server, 'some/where/')),
    names: () => Promise.resolve([...server.objects.keys()].map((key) => key.split('/').at(-1)!)),
    age: (name, ms) => {
      server.objects.get(keyOf(name))!.modifiedMs -= ms;
      return Promise.resolve();
    },
    reopened(laterMs) {
      const now = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + laterMs);
      // It looks at the clock at once; what the server says comes later.
      const opening = S3BlobStore.open(s3Url(server, 'some/where'));
      now.mockRestore();
      return opening;
    },
    damage: () => {
      server.isDamaging = true;
      return Promise.resolve();
    },
    close: () => server.close(),
  };
});

describe('a blob store in S3', () => {
  let server: S3Server;
  beforeEach(async () => {
    server = await startS3Server();
  });
  afterEach(() => server.close());

  it('uploads what is there already no second time, and leaves no file behind', async () => {
    const store = await S3BlobStore.open(s3Url(server, 'p'));
    await store.putStream([Buffer.from('once')]);
    await store.putStream([Buffer.from('once')]);
    expect(server.requests.filter((request) => request.startsWith('PUT'))).toHaveLength(1);
    expect((await readdir(tmpdir())).filter((name) => name.startsWith('tabgrad-blob-'))).toEqual([]);
  });

  it('tries again when the server is busy, also in the middle of an upload from a file', async () => {
    const store = await S3BlobStore.open(s3Url(server, 'p'));
    server.busy = 2;
    const bytes = Buffer.alloc(200_000, 7);
    const { sha256: name } = await store.putStream([bytes]);
    server.busy = 2;
    expect(Buffer.from(await store.read(name)).equals(bytes)).toBe(true);
  });

  it('says where and why when it is refused', async () => {
    const store = await S3BlobStore.open(s3Url(server, 'p'));
    server.busy = 100;
    const name = sha256('x');
    await expect(store.sizeBytes(name)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    server.busy = 0;
    const failure = async (url: string): Promise<string> => {
      const error: unknown = await S3BlobStore.open(url).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'STORAGE_FAILED' });
      return (error as Error).message;
    };
    expect(await failure(s3Url(server, 'p').replace('shards', 'other'))).toContain('404 (NoSuchBucket)');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'wrong');
    expect(await failure(s3Url(server, 'p'))).toContain('403 (SignatureDoesNotMatch)');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', s3Environment.AWS_SECRET_ACCESS_KEY);
    expect(await failure('s3://')).toContain('not of the form s3://bucket/key');
    expect(await failure('s3://b/p?acl=public')).toContain('not "acl"');
    expect(await failure('s3://key:secret@b/p')).toContain('AWS_ACCESS_KEY_ID');
    expect(await failure('s3://key:secret@b/p')).not.toContain('secret@');
    await server.close();
    expect(await failure(s3Url(server, 'p'))).toContain('ECONNREFUSED');
  });

  it('sends nothing to another host that it is redirected to, and names both', async () => {
    const asked: string[] = [];
    const listen = async (answer: (response: ServerResponse) => void): Promise<string> => {
      const http = createServer((request, response) => {
        asked.push(`${request.headers.host}`);
        answer(response);
      });
      onTestFinished(() => void http.close());
      await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
      return `127.0.0.1:${(http.address() as AddressInfo).port}`;
    };
    const other = await listen((response) => response.end());
    const redirecting = await listen((response) =>
      response.writeHead(307, { location: `http://${other}/`, connection: 'close' }).end(),
    );
    await expect(S3BlobStore.open(`s3://b/p?endpoint=http://${redirecting}`)).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining(
        `${redirecting} answers for s3://b/ with a redirect (status 307) to ${other}.`,
      ) as string,
    });
    const regional = await listen((response) =>
      response.writeHead(301, { 'x-amz-bucket-region': 'eu-west-1', connection: 'close' }).end(),
    );
    await expect(S3BlobStore.open(`s3://b/p?endpoint=http://${regional}`)).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining('the bucket is in the region eu-west-1') as string,
    });
    expect(asked).toEqual([redirecting, regional]);
  });
});
