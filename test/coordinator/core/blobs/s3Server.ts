// A strict S3 store for tests: objects in memory behind the REST interface, every request's signature worked out anew
// from Amazon's description (sigv4-create-signed-request), hashes of bodies checked, lengths asked for.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface StoredObject {
  readonly bytes: Buffer;
  modifiedMs: number;
}

export interface S3Server {
  readonly endpoint: string;
  readonly objects: Map<string, StoredObject>;
  /** "METHOD key" of what was answered, in order. */
  readonly requests: string[];
  /** The next requests fail so often with 503, before anything is looked at. */
  busy: number;
  /** Answers with bytes other than those that are stored. */
  isDamaging: boolean;
  close(): Promise<void>;
}

const testKeys = { id: 'AKTEST', secret: 'marked-s3-secret', bucket: 'shards', region: 'eu-test-1' };
const MAX_SKEW_MS = 15 * 60_000;
/** Small, so that lists come in several pages. */
const MAX_KEYS = 3;

class Refusal extends Error {
  readonly status: number;
  constructor(status: number, code: string) {
    super(code);
    this.status = status;
  }
}

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();

/** @throws Refusal unless the request was signed with the test's keys, for this very method, path, query and body. */
function checkSignature(request: IncomingMessage, body: Buffer): void {
  const header = request.headers.authorization ?? '';
  const parts =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/.exec(
      header,
    );
  if (!parts) throw new Refusal(403, 'AccessDenied');
  const [, id, day, region, names, signature] = parts as unknown as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  if (id !== testKeys.id) throw new Refusal(403, 'InvalidAccessKeyId');
  if (region !== testKeys.region) throw new Refusal(400, 'AuthorizationHeaderMalformed');
  const signedNames = names.split(';');
  const date = String(request.headers['x-amz-date']);
  const at = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (!(Math.abs(at - Date.now()) < MAX_SKEW_MS) || !date.startsWith(day))
    throw new Refusal(403, 'RequestTimeTooSkewed');
  for (const must of ['host', 'x-amz-date', 'x-amz-content-sha256'])
    if (!signedNames.includes(must)) throw new Refusal(403, 'AccessDenied');
  const bodyHash = String(request.headers['x-amz-content-sha256']);
  if (bodyHash !== sha256(body)) throw new Refusal(400, 'XAmzContentSHA256Mismatch');
  const [path = '', query = ''] = (request.url ?? '').split('?', 2);
  const canonicalQuery = query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', value = ''] = pair
        .split('=', 2)
        .map((part) => decodeURIComponent(part.replaceAll('+', ' ')));
      return `${uriEncode(name)}=${uriEncode(value)}`;
    })
    .sort()
    .join('&');
  const canonicalHeaders = signedNames
    .map((name) => `${name}:${String(request.headers[name]).trim()}\n`)
    .join('');
  const canonical = `${request.method}\n${path}\n${canonicalQuery}\n${canonicalHeaders}\n${names}\n${bodyHash}`;
  const scope = `${day}/${region}/s3/aws4_request`;
  const key = hmac(hmac(hmac(hmac(`AWS4${testKeys.secret}`, day), region), 's3'), 'aws4_request');
  const expected = hmac(key, `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(canonical)}`);
  if (!timingSafeEqual(expected, Buffer.from(signature, 'hex')))
    throw new Refusal(403, 'SignatureDoesNotMatch');
}

/** RFC 3986: everything but letters, digits and -._~ in upper-case hexadecimal. */
function uriEncode(text: string): string {
  return [...Buffer.from(text, 'utf8')]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9\-._~]/.test(character)
        ? character
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

export async function startS3Server(): Promise<S3Server> {
  const objects = new Map<string, StoredObject>();
  const requests: string[] = [];

  const answer = (request: IncomingMessage, body: Buffer, response: ServerResponse): void => {
    if (request.method === 'PUT' && request.headers['content-length'] === undefined)
      throw new Refusal(411, 'MissingContentLength');
    checkSignature(request, body);
    const url = new URL(request.url ?? '', 'http://s3');
    const [, bucket = '', ...rest] = url.pathname.split('/').map(decodeURIComponent);
    const key = rest.join('/');
    requests.push(`${request.method} ${key}`);
    if (bucket !== testKeys.bucket) throw new Refusal(404, 'NoSuchBucket');
    if (key === '') {
      list(url.searchParams, response);
      return;
    }
    if (request.method === 'PUT') {
      objects.set(key, { bytes: body, modifiedMs: Date.now() });
      response.writeHead(200, { etag: '"e"' }).end();
      return;
    }
    if (request.method === 'DELETE') {
      objects.delete(key);
      response.writeHead(204).end();
      return;
    }
    const object = objects.get(key);
    if (!object) throw new Refusal(404, 'NoSuchKey');
    send(object, request, response);
  };

  const send = ({ bytes }: StoredObject, request: IncomingMessage, response: ServerResponse): void => {
    const shown = server.isDamaging ? Buffer.from(bytes.map((byte) => byte ^ 1)) : bytes;
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    const from = range ? Number(range[1]) : 0;
    const to = range ? Math.min(Number(range[2]), bytes.length - 1) : bytes.length - 1;
    response.writeHead(range ? 206 : 200, { 'content-length': to - from + 1 });
    response.end(request.method === 'HEAD' ? undefined : shown.subarray(from, to + 1));
  };

  const list = (query: URLSearchParams, response: ServerResponse): void => {
    const prefix = query.get('prefix') ?? '';
    const limit = Math.min(MAX_KEYS, Number(query.get('max-keys') ?? MAX_KEYS));
    const after = query.get('continuation-token') ?? '';
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    const page = keys.slice(0, limit);
    const next =
      keys.length > page.length ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : '';
    const entries = page.map(
      (key) =>
        `<Contents><Key>${key}</Key><LastModified>${new Date(objects.get(key)!.modifiedMs).toISOString()}</LastModified></Contents>`,
    );
    response
      .writeHead(200, { 'content-type': 'application/xml' })
      .end(`<?xml version="1.0"?><ListBucketResult>${entries.join('')}${next}</ListBucketResult>`);
  };

  const http = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      try {
        if (server.busy > 0) {
          server.busy -= 1;
          throw new Refusal(503, 'SlowDown');
        }
        answer(request, Buffer.concat(chunks), response);
      } catch (error) {
        const status = error instanceof Refusal ? error.status : 500;
        response.writeHead(status).end(`<Error><Code>${(error as Error).message}</Code></Error>`);
      }
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const server: S3Server = {
    endpoint: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    objects,
    requests,
    busy: 0,
    isDamaging: false,
    close: () => {
      http.closeAllConnections();
      return new Promise((resolve) => http.close(() => resolve()));
    },
  };
  return server;
}

/** The variables that a coordinator needs for the test's store. */
export const s3Environment = {
  AWS_ACCESS_KEY_ID: testKeys.id,
  AWS_SECRET_ACCESS_KEY: testKeys.secret,
} as const;

export function s3Url(server: S3Server, prefix: string): string {
  const query = new URLSearchParams({ endpoint: server.endpoint, region: testKeys.region });
  return `s3://${testKeys.bucket}/${prefix}?${query.toString()}`;
}
