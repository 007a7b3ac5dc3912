// Redirects of data hosts: what is followed, and which headers go along.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { readCsv } from '../../../coordinator/data/readFiles.ts';
import { readParquet } from '../../../coordinator/data/readParquet.ts';
import { S3Store } from '../../../coordinator/data/store/s3Store.ts';
import { s3Redirect } from '../../../coordinator/s3/s3Redirect.ts';

const servers: Server[] = [];
afterEach(() => {
  vi.unstubAllGlobals();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

interface Answering {
  readonly url: string;
  readonly host: string;
  readonly asked: IncomingMessage[];
}

/** @param host another name is another origin. */
async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  host = '127.0.0.1',
): Promise<Answering> {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const name = `${host}:${(server.address() as AddressInfo).port}`;
  return { url: `http://${name}`, host: name, asked };
}

const CONTENT = Buffer.from('a\n1\n');
function sendContent(request: IncomingMessage, response: ServerResponse): void {
  const [, from = '0', to = ''] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [];
  const last = Math.min(Number(to), CONTENT.length - 1);
  response.writeHead(206, { etag: '"e"', 'content-range': `bytes ${from}-${last}/${CONTENT.length}` });
  response.end(CONTENT.subarray(Number(from), last + 1));
}

const redirectTo =
  (location: string, status = 307) =>
  (request: IncomingMessage, response: ServerResponse): void =>
    void response.writeHead(status, { location: location + (request.url ?? '') }).end();

const keys = { accessKeyId: 'AK', secretAccessKey: 'SK', sessionToken: 'SESSION-TOKEN' };
const rows = (url: string, s3: object = {}): Promise<unknown[]> => readCsv(url, { retries: 0, s3 }).takeAll();

describe('a data file on a web server', () => {
  it('is read from another host that the first one names', async () => {
    const other = await serve(sendContent, 'localhost');
    const { url } = await serve(redirectTo(other.url, 302));
    expect(await rows(`${url}/a.csv`)).toEqual([{ a: 1 }]);
  });

  it('is not read from a chain of redirects without end', async () => {
    const { url, asked, host } = await serve((request, response) =>
      response.writeHead(302, { location: `${request.url}x` }).end(),
    );
    await expect(rows(`${url}/a.csv`)).rejects.toMatchObject({
      code: 'REDIRECT_REFUSED',
      message: `${host} answers with one redirect more than 10 in a row.`,
    });
    expect(asked).toHaveLength(11);
  });

  it.each([301, 304])('is not an answer of status %i without an address', async (status) => {
    const { url } = await serve((_, response) => response.writeHead(status).end());
    await expect(rows(`${url}/a.csv`)).rejects.toMatchObject({
      message: expect.stringContaining(`status ${status}`) as string,
    });
  });
});

describe('an object on S3 that is redirected', () => {
  it.each([
    ['an object', 's3://bucket/a.csv'],
    ['a prefix', 's3://bucket/d/'],
  ])('%s to another host: no request goes there, and both hosts are named', async (_, name) => {
    const other = await serve(sendContent, 'localhost');
    const store = await serve(redirectTo(other.url));
    const error = await rows(name, { endpoint: store.url, ...keys }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'REDIRECT_REFUSED', place: { file: name } });
    expect((error as Error).message).toContain(
      `${store.host} answers for ${name} with a redirect (status 307) to ${other.host}.`,
    );
    expect(other.asked).toHaveLength(0);
  });

  it('to the same host is signed anew for its path', async () => {
    const store = await serve((request, response) => {
      if (request.url?.startsWith('/moved')) sendContent(request, response);
      else redirectTo('/moved')(request, response);
    });
    expect(await rows('s3://bucket/a.csv', { endpoint: store.url, ...keys })).toEqual([{ a: 1 }]);
    const signatures = store.asked.map(({ headers }) => headers.authorization?.split('Signature=')[1]);
    expect(new Set(signatures).size).toBeGreaterThan(1);
    expect(store.asked.every(({ headers }) => headers['x-amz-security-token'] === 'SESSION-TOKEN')).toBe(
      true,
    );
  });

  it('to another host without keys goes there without any', async () => {
    const other = await serve(sendContent, 'localhost');
    const store = await serve(redirectTo(other.url));
    const anonymous = { endpoint: store.url, anonymous: true };
    expect(await rows('s3://bucket/a.csv', anonymous)).toEqual([{ a: 1 }]);
    const names = other.asked.flatMap(({ headers }) => Object.keys(headers));
    expect(names.filter((name) => /^x-amz|^authorization/.test(name))).toEqual([]);
  });

  it.each([
    ['CSV', (endpoint: string) => rows('s3://bucket/a.csv', { endpoint, ...keys })],
    [
      'Parquet',
      (endpoint: string) =>
        readParquet('s3://bucket/a.parquet', { retries: 0, s3: { endpoint, ...keys } }).count(),
    ],
  ])('without an address is no %s file; the region of the bucket is named', async (_, read) => {
    const store = await serve((_request, response) =>
      response
        .writeHead(301, { 'x-amz-bucket-region': 'eu-west-1' })
        .end('<Error><Code>PermanentRedirect</Code></Error>'),
    );
    await expect(read(store.url)).rejects.toMatchObject({
      code: 'REDIRECT_REFUSED',
      message: expect.stringContaining('the bucket is in the region eu-west-1') as string,
    });
  });

  it('at Amazon to another region is signed for that region, and asked for there from then on', async () => {
    const asked: { host: string; scope: string }[] = [];
    vi.stubGlobal('fetch', (url: URL, { headers }: { headers: Record<string, string> }) => {
      const [, scope = ''] = /Credential=AK\/\d{8}\/([^/]+)\//.exec(headers['authorization'] ?? '') ?? [];
      asked.push({ host: url.host, scope });
      if (url.host !== 'bucket.s3.eu-west-1.amazonaws.com') {
        const region = { 'x-amz-bucket-region': 'eu-west-1' };
        return Promise.resolve(new Response('<Error/>', { status: 301, headers: region }));
      }
      const [, from = '0', to = '0'] = /bytes=(\d+)-(\d+)/.exec(headers['range'] ?? '') ?? [];
      const piece = CONTENT.subarray(Number(from), Number(to) + 1);
      const range = { 'content-range': `bytes ${from}-${to}/${CONTENT.length}`, etag: '"e"' };
      return Promise.resolve(new Response(piece, { status: 206, headers: range }));
    });
    const settings = { timeoutMs: 1_000, retries: 0, retryDelayMs: 1 };
    const store = new S3Store('s3://bucket/a.csv', { region: 'us-east-1', ...keys }, settings);
    const [location] = await store.list(() => true, undefined);
    const file = await location!.open(undefined);
    expect(Buffer.from(await file.read(0, CONTENT.length))).toEqual(CONTENT);
    expect(asked[0]).toEqual({ host: 'bucket.s3.us-east-1.amazonaws.com', scope: 'us-east-1' });
    expect(asked).toHaveLength(4);
    for (const later of asked.slice(1))
      expect(later).toEqual({ host: 'bucket.s3.eu-west-1.amazonaws.com', scope: 'eu-west-1' });
  });
});

describe("the rule of S3's redirects", () => {
  const follow = (from: string, headers: Record<string, string>) =>
    s3Redirect(
      new URL(from),
      { status: 307, header: (name) => headers[name] ?? null },
      's3://bucket/a b.csv',
      true,
    );

  it.each([
    [
      'a header with the region',
      'https://bucket.s3.us-east-1.amazonaws.com/a%20b.csv?x=1',
      { 'x-amz-bucket-region': 'eu-west-1' },
      'https://bucket.s3.eu-west-1.amazonaws.com/a%20b.csv?x=1',
    ],
    [
      "a region's host for a bucket in the path",
      'https://s3.amazonaws.com/bucket/a.csv',
      { location: 'https://s3.eu-central-1.amazonaws.com/other-bucket/a.csv' },
      'https://s3.eu-central-1.amazonaws.com/bucket/a.csv',
    ],
    [
      "the older form of a region's host",
      'https://bucket.s3.amazonaws.com/a.csv',
      { location: 'https://bucket.s3-ap-northeast-1.amazonaws.com/a.csv' },
      'https://bucket.s3.ap-northeast-1.amazonaws.com/a.csv',
    ],
  ])('changes the region alone for %s', (_, from, headers, to) => {
    const { url, region } = follow(from, headers);
    expect(url.href).toBe(to);
    expect(region).toBe(/s3\.([a-z0-9-]+)\.amazonaws/.exec(to)?.[1]);
  });

  it.each([
    ['another company', 'https://bucket.s3.us-east-1.amazonaws.com/a', { location: 'https://example.org/a' }],
    [
      "a host that only ends like Amazon's",
      'https://bucket.s3.us-east-1.amazonaws.com/a',
      { location: 'https://s3.eu-west-1.amazonaws.com.example.org/a' },
    ],
    [
      'a region that is none',
      'https://bucket.s3.us-east-1.amazonaws.com/a',
      { 'x-amz-bucket-region': 'x.example.org/' },
    ],
    ['the same region again', 'https://s3.eu-west-1.amazonaws.com/a', { 'x-amz-bucket-region': 'eu-west-1' }],
    [
      'an endpoint without encryption',
      'http://s3.us-east-1.amazonaws.com/a',
      { 'x-amz-bucket-region': 'eu-west-1' },
    ],
  ])('refuses %s', (_, from, headers) => {
    expect(() => follow(from, headers)).toThrow(expect.objectContaining({ code: 'REDIRECT_REFUSED' }));
  });
});
