import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { readCsv } from '../../../../coordinator/data/readFiles.ts';
import { askedRange, dataServers, sendRange } from '../support/dataServer.ts';
import { failureOf } from '../support/failureOf.ts';

const serve = dataServers();
const ROWS = 50_000;
const content = Buffer.from(`a\n${Array.from({ length: ROWS }, (_, i) => i).join('\n')}\n`);
const SUM = (ROWS * (ROWS - 1)) / 2;
const fast = { retryDelayMs: 1 };
const anonymous = (endpoint: string) => ({ ...fast, s3: { endpoint, anonymous: true } });

/** @param begin called when the columns are known, for which files are opened once before. */
async function sum(url: string, options = {}, begin: () => unknown = () => undefined): Promise<unknown> {
  const dataset = readCsv(url, { ...fast, ...options });
  await dataset.schema();
  begin();
  return (await dataset.groupBy([]).sum('a').takeAll())[0]?.['sum(a)'];
}

/** Sends a part of what is asked for and hangs up. */
function breakOff(request: IncomingMessage, response: ServerResponse, bytes: number): void {
  const [from, to] = askedRange(request, content.length);
  response.writeHead(206, {
    'content-range': `bytes ${from}-${to}/${content.length}`,
    etag: '"1"',
    'content-length': to - from + 1,
  });
  response.write(content.subarray(from, from + bytes), () => setTimeout(() => response.destroy(), 5));
}

const isWhole = (request: IncomingMessage): boolean => request.headers.range !== 'bytes=0-0';

describe('a connection that is lost in the middle of a file', () => {
  it('is made again for the rest', async () => {
    const asked: (string | undefined)[] = [];
    let isLost = false;
    const url = await serve((request, response) => {
      if (isWhole(request) && isLost) asked.push(request.headers.range);
      if (isWhole(request) && isLost && asked.length <= 3) breakOff(request, response, 1000);
      else sendRange(request, response, content);
    });
    expect(await sum(`${url}/a.csv`, {}, () => (isLost = true))).toBe(SUM);
    const last = content.length - 1;
    expect(asked).toEqual([0, 1000, 2000, 3000].map((from) => `bytes=${from}-${last}`));
  });

  it('is given up after as many attempts as are allowed', async () => {
    let requests = 0;
    const url = await serve((request, response) => {
      if (isWhole(request)) {
        requests++;
        breakOff(request, response, 10);
      } else sendRange(request, response, content);
    });
    expect((await failureOf(sum(`${url}/a.csv`, { retries: 2 }))).code).toBe('DATA_UNREACHABLE');
    expect(requests).toBe(3);
  });

  it('begins the download again where a server knows no ranges', async () => {
    let requests = 0;
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-length': content.length });
      if (requests++ > 0) response.end(content);
      else response.write(content.subarray(0, 5000), () => setTimeout(() => response.destroy(), 5));
    });
    expect(await sum(`${url}/a.csv`)).toBe(SUM);
    // Once again for the columns, and once for the rows.
    expect(requests).toBe(3);
  });
});

describe('Retry-After', () => {
  it('is waited for, in seconds or until a date', async () => {
    for (const date of [() => '1', () => new Date(Date.now() + 3000).toUTCString()]) {
      const times: number[] = [];
      const url = await serve((request, response) => {
        times.push(Date.now());
        if (times.length === 1) response.writeHead(429, { 'retry-after': date() }).end();
        else sendRange(request, response, content);
      });
      expect(await sum(`${url}/a.csv`)).toBe(SUM);
      expect(times[1]! - times[0]!).toBeGreaterThan(900);
    }
  });

  it('of an hour is told to the caller', async () => {
    const url = await serve((_, response) => {
      response.writeHead(503, { 'retry-after': '3600' }).end();
    });
    const error = await failureOf(sum(`${url}/a.csv`));
    expect(error.code).toBe('DATA_HTTP_STATUS');
    expect(error.message).toContain('it asks to wait (Retry-After: 3600)');
  });
});

describe('a listing of S3', () => {
  const listing = (keys: readonly string[], next = ''): string =>
    `<ListBucketResult>${keys.map((key) => `<Contents><Key>${key}</Key></Contents>`).join('')}${next}</ListBucketResult>`;
  const isListing = (request: IncomingMessage): boolean => (request.url ?? '').includes('list-type=2');

  it('is asked for again when its connection is lost', async () => {
    let listings = 0;
    const endpoint = await serve((request, response) => {
      const xml = listing(['d/a.csv', 'd/_temporary/0/b.csv', 'd/.hidden/c.csv', 'elsewhere/d.csv']);
      if (!isListing(request)) sendRange(request, response, content);
      else if (listings++ > 0) response.end(xml);
      else {
        response.writeHead(200, { 'content-length': xml.length });
        response.write(xml.slice(0, 20), () => setTimeout(() => response.destroy(), 5));
      }
    });
    expect(await sum('s3://lake/d/', anonymous(endpoint))).toBe(SUM);
    expect(listings).toBe(3);
  });

  it('without end is given up', async () => {
    const token = '<NextContinuationToken>again</NextContinuationToken>';
    const endpoint = await serve((_, response) => void response.end(listing([], token)));
    const error = await failureOf(sum('s3://lake/d/', anonymous(endpoint)));
    expect(error).toMatchObject({ code: 'DATA_HTTP_STATUS' });
    expect(error.message).toContain('without end: it repeats a page');
  });

  it('of another kind, or of any length, is refused', async () => {
    const page = await serve((_, response) => void response.end('<html>welcome</html>'));
    expect((await failureOf(sum('s3://lake/d/', anonymous(page)))).message).toContain('what is no listing');
    const long = await serve((_, response) => {
      const more = (): void => {
        while (response.write('x'.repeat(1024 * 1024)));
        response.once('drain', more);
      };
      more();
    });
    expect((await failureOf(sum('s3://lake/d/', anonymous(long)))).message).toContain(
      'more than 16777216 bytes',
    );
  });

  it('gives folders that are columns', async () => {
    const endpoint = await serve((request, response) => {
      if (isListing(request)) response.end(listing(['d/year=2023/a.csv', 'd/year=2024/a.csv']));
      else sendRange(request, response, content);
    });
    const years = readCsv('s3://lake/d/', anonymous(endpoint)).groupBy('year').count();
    expect(await years.takeAll()).toEqual([2023, 2024].map((year) => ({ year, 'count()': ROWS })));
  });

  it('and keys with parts that URLs take for folders above are refused', async () => {
    const asked: (string | undefined)[] = [];
    const endpoint = await serve((request, response) => {
      asked.push(request.url);
      response.end(isListing(request) ? listing(['d/../e.csv']) : 'a\n1\n');
    });
    for (const url of ['s3://lake/d/../e.csv', 's3://lake/./e.csv', 's3://lake/..'])
      expect((await failureOf(sum(url, anonymous(endpoint)))).code).toBe('DATA_ARGUMENT');
    expect(asked).toEqual([]);
    expect((await failureOf(sum('s3://lake/d/', anonymous(endpoint)))).code).toBe('DATA_ARGUMENT');
  });
});
