import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { beforeAll, describe, expect, it } from 'vitest';
import { readParquet } from '../../../coordinator/data/readParquet.ts';
import { signV4 } from '../../../coordinator/s3/signV4.ts';
import { dataServers, sendRange } from './support/dataServer.ts';
import { withDuck } from './support/duck.ts';
import { scratchFolder } from './support/scratch.ts';

const path = scratchFolder();
const serve = dataServers();
let content: Buffer;

beforeAll(async () => {
  await withDuck((duck) =>
    duck.run(
      `COPY (SELECT i AS a, i * 2 AS b, random()::VARCHAR AS noise FROM range(50000) t(i)) TO '${path('data.parquet')}' (FORMAT parquet, ROW_GROUP_SIZE 10240)`,
    ),
  );
  content = readFileSync(path('data.parquet'));
});

const fast = { retryDelayMs: 1 };
const sum = async (url: string, options = {}): Promise<number> => {
  let total = 0;
  for await (const { columns } of readParquet(url, { ...fast, ...options }).streamColumns(['b'])) {
    const [b] = columns;
    if (b?.kind === 'numeric') total += Array.from(b.values).reduce((all, value) => all + value, 0);
  }
  return total;
};
const SUM = 50_000 * 49_999;

describe('a Parquet file on a web server', () => {
  it('is read by ranges, and only the wanted columns travel', async () => {
    let sent = 0;
    const url = await serve((request, response) => {
      sent += sendRange(request, response, content);
    });
    expect(await sum(`${url}/data.parquet`)).toBe(SUM);
    expect(sent).toBeLessThan(content.length * 0.6);
  });

  it('is read whole from a server that knows no ranges', async () => {
    let requests = 0;
    const url = await serve((_, response) => {
      requests++;
      response.end(content);
    });
    expect(await sum(`${url}/data.parquet`)).toBe(SUM);
    expect(requests).toBeLessThanOrEqual(2);
  });

  it('is read in spite of passing failures', async () => {
    let requests = 0;
    const url = await serve((request, response) => {
      requests++;
      if (requests % 2 === 1) response.writeHead(503).end();
      else sendRange(request, response, content);
    });
    expect(await sum(`${url}/data.parquet`)).toBe(SUM);
  });

  it('is noticed to change by its ETag', async () => {
    let requests = 0;
    const url = await serve((request, response) => {
      sendRange(request, response, content, `"${requests++ < 4 ? 1 : 2}"`);
    });
    await expect(sum(`${url}/data.parquet`)).rejects.toMatchObject({ code: 'DATA_FILE_CHANGED' });
  });

  it('is reported with the host when statuses are bad', async () => {
    const url = await serve((request, response) => {
      response.writeHead(Number(request.url?.slice(1))).end();
    });
    const failure = (status: number): Promise<unknown> => sum(`${url}/${status}`, { retries: 1 });
    await expect(failure(404)).rejects.toMatchObject({ code: 'DATA_FILE_MISSING' });
    await expect(failure(403)).rejects.toMatchObject({ code: 'DATA_ACCESS_DENIED' });
    await expect(failure(500)).rejects.toMatchObject({ code: 'DATA_HTTP_STATUS' });
    await expect(failure(418)).rejects.toThrow(/127\.0\.0\.1:\d+ answered .* status 418/);
  });

  it('is reported with the host when nobody listens', async () => {
    const url = 'http://127.0.0.1:1';
    await expect(sum(`${url}/data.parquet`, { retries: 0 })).rejects.toMatchObject({
      code: 'DATA_UNREACHABLE',
    });
    await expect(sum(`${url}/data.parquet`, { retries: 0 })).rejects.toThrow(
      /127\.0\.0\.1:\d+ could not be reached/,
    );
  });

  it('is given up at the deadline when the server never answers, and at once when the caller aborts', async () => {
    const url = await serve(() => undefined);
    await expect(sum(`${url}/data.parquet`, { timeoutMs: 30, retries: 0 })).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: expect.stringMatching(/127\.0\.0\.1:\d+ did not answer within 30 ms/) as string,
    });
    const abort = new AbortController();
    const counted = readParquet(`${url}/data.parquet`).count({ signal: abort.signal });
    abort.abort();
    await expect(counted).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('is given up at the deadline when the server stops in the middle', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '100000' });
      response.write('PAR1');
    });
    await expect(sum(`${url}/data.parquet`, { timeoutMs: 30, retries: 0 })).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    });
  });
});

const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };

/** Checks a signature as the service would, from the raw request line and headers; written apart from the signer. */
function isSigned(request: IncomingMessage, secret: string): boolean {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? '',
    );
  if (match === null) return false;
  const [, key, date, region, names, signature] = match as unknown as string[];
  if (key !== keys.accessKeyId || !names!.split(';').includes('host')) return false;
  const [rawPath = '', rawQuery = ''] = (request.url ?? '').split('?');
  const query = rawQuery
    .split('&')
    .filter(Boolean)
    .map((pair) => {
      const [name = '', value = ''] = pair.split('=');
      const again = (text: string): string =>
        encodeURIComponent(decodeURIComponent(text.replaceAll('+', ' '))).replaceAll(
          /[!'()*]/g,
          (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
        );
      return `${again(name)}=${again(value)}`;
    })
    .sort()
    .join('&');
  const headers = names!.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}\n`);
  const canonical = `${request.method}\n${rawPath}\n${query}\n${headers.join('')}\n${names}\n${String(request.headers['x-amz-content-sha256'])}`;
  const digest = createHash('sha256').update(canonical).digest('hex');
  const text = `AWS4-HMAC-SHA256\n${String(request.headers['x-amz-date'])}\n${date}/${region}/s3/aws4_request\n${digest}`;
  const step = (by: Buffer | string, what: string): Buffer => createHmac('sha256', by).update(what).digest();
  const signing = step(step(step(step(`AWS4${secret}`, date!), region!), 's3'), 'aws4_request');
  return createHmac('sha256', signing).update(text).digest('hex') === signature;
}

/** A bucket "lake" with two Parquet parts behind a prefix, listed one a page. */
function bucket(needsKey: boolean): (request: IncomingMessage, response: ServerResponse) => void {
  const objects = [
    'set one/part-0.parquet',
    'set one/part-1&2.parquet',
    'set one/_SUCCESS',
    'single.parquet',
  ];
  return (request, response) => {
    if (needsKey && !isSigned(request, keys.secretAccessKey)) {
      response.writeHead(403).end('<Error><Code>SignatureDoesNotMatch</Code></Error>');
      return;
    }
    if (!needsKey && request.headers.authorization !== undefined) {
      response.writeHead(400).end('<Error><Code>UnexpectedSignature</Code></Error>');
      return;
    }
    const url = new URL(request.url ?? '', 'http://host');
    const key = decodeURIComponent(url.pathname.replace(/^\/lake\/?/, ''));
    if (url.searchParams.get('list-type') === '2') {
      const found = objects.filter((name) => name.startsWith(url.searchParams.get('prefix') ?? ''));
      const page = Number(url.searchParams.get('continuation-token') ?? 0);
      const next =
        page + 1 < found.length ? `<NextContinuationToken>${page + 1}</NextContinuationToken>` : '';
      const entry =
        found[page] === undefined
          ? ''
          : `<Contents><Key>${found[page].replace('&', '&amp;')}</Key></Contents>`;
      response.end(`<ListBucketResult>${entry}${next}</ListBucketResult>`);
    } else if (!objects.includes(key)) {
      response.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>');
    } else sendRange(request, response, content);
  };
}

describe('s3://', () => {
  it('reads an object and a paged prefix with signed requests', async () => {
    const endpoint = await serve(bucket(true));
    const s3 = { endpoint, region: 'eu-central-1', ...keys };
    expect(await sum('s3://lake/single.parquet', { s3 })).toBe(SUM);
    expect(await sum('s3://lake/set one/', { s3 })).toBe(2 * SUM);
    expect(await sum('s3://lake/set one', { s3 })).toBe(2 * SUM);
  });

  it('reads anonymously, by option and by address', async () => {
    const endpoint = await serve(bucket(false));
    expect(await sum('s3://lake/single.parquet', { s3: { endpoint, ...keys, anonymous: true } })).toBe(SUM);
    expect(await sum('s3://anonymous@lake/single.parquet', { s3: { endpoint, ...keys } })).toBe(SUM);
  });

  it('says what the store said when access is denied or nothing is there', async () => {
    const endpoint = await serve(bucket(true));
    const wrong = { endpoint, ...keys, secretAccessKey: 'wrong' };
    await expect(sum('s3://lake/single.parquet', { s3: wrong })).rejects.toMatchObject({
      code: 'DATA_ACCESS_DENIED',
    });
    await expect(sum('s3://lake/single.parquet', { s3: wrong })).rejects.toThrow(/SignatureDoesNotMatch/);
    await expect(sum('s3://lake/nothing', { s3: { endpoint, ...keys } })).rejects.toMatchObject({
      code: 'DATA_FILE_MISSING',
    });
  });

  it("signs Amazon's published example with Amazon's published signature", () => {
    // https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, "GET Object"
    const headers = signV4(
      'GET',
      new URL('https://examplebucket.s3.amazonaws.com/test.txt'),
      { range: 'bytes=0-9' },
      { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
      'us-east-1',
      new Date('2013-05-24T00:00:00Z'),
    );
    expect(headers['authorization']).toContain(
      'Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    );
  });
});
