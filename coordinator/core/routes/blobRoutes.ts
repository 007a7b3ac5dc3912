// Blobs over HTTP: immutable, ranged downloads for owners and the workers of the pool; verified, bounded uploads of owners
// and of members of a run.

import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { BlobChecks } from '../blobs/blobChecks.ts';
import { BlobMissingError, BlobTooLargeError } from '../blobs/blobErrors.ts';
import type { BlobStore, ByteRange } from '../blobs/blobStore.ts';
import { isSha256 } from '../blobs/blobStore.ts';
import type { UploadPlace, WorkerUploads } from '../blobs/workerUploads.ts';
import type { Log } from '../../log/log.ts';
import type { Exchange } from '../../http/exchange.ts';
import { bodyPieces } from '../../http/readJson.ts';
import type { Route, RouteCall } from '../http/route.ts';
import { BadRequestError } from '../../http/httpErrors.ts';

export interface BlobRouteOptions {
  readonly blobs: BlobStore;
  readonly checks: BlobChecks;
  readonly uploads: WorkerUploads;
  readonly maxBlobBytes: number;
  readonly log: Log;
}

export function blobRoutes(options: BlobRouteOptions): Route[] {
  return [
    {
      method: 'GET',
      path: '/blobs/:sha256',
      access: 'worker',
      traffic: 'blobs',
      handle: (exchange, call) => download(options, exchange, call),
    },
    {
      method: 'PUT',
      path: '/blobs/:sha256',
      access: 'worker',
      traffic: 'blobs',
      handle: (exchange, call) => upload(options, exchange, call),
    },
  ];
}

async function download(
  { blobs, checks, uploads, log }: BlobRouteOptions,
  exchange: Exchange,
  { params, workerId }: RouteCall,
): Promise<void> {
  const { request, response, signal } = exchange;
  const sha256 = blobName(params);
  const sizeBytes = await blobs.sizeBytes(sha256);
  if (sizeBytes === undefined) throw new BlobMissingError(`No blob ${sha256} is stored`);
  // What a worker stored and no run counts on is not read for it, nor does it last longer.
  if (wantsDigest(request) && !uploads.isUnnamed(sha256)) {
    if (!(await checks.check(sha256, workerId, signal))) {
      log({ level: 'error', message: `Blob ${sha256} of ${blobs.place} lost bytes and was dropped.` });
      throw new BlobMissingError(`Blob ${sha256} was stored, lost bytes and was dropped; store it anew`);
    }
    response.setHeader('Repr-Digest', `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`);
  }
  // What a worker stored and no run counts on does not last longer by being asked for.
  if (!uploads.isUnnamed(sha256)) await blobs.touch(sha256);
  const etag = `"${sha256}"`;
  response.setHeader('ETag', etag);
  response.setHeader('Cache-Control', 'private, max-age=31536000, immutable');
  response.setHeader('Accept-Ranges', 'bytes');
  if (request.headers['if-none-match']?.includes(etag)) {
    exchange.begin(304, {});
    response.end();
    return;
  }
  const range = requestedRange(request.headers.range, sizeBytes);
  if (range === 'unsatisfiable') {
    response.setHeader('Content-Range', `bytes */${sizeBytes}`);
    exchange.text(416, 'text/plain; charset=utf-8', `The blob has ${sizeBytes} bytes.\n`);
    return;
  }
  exchange.begin(range ? 206 : 200, {
    'content-type': 'application/octet-stream',
    'content-length': String(range ? range.end - range.start + 1 : sizeBytes),
    ...(range && { 'content-range': `bytes ${range.start}-${range.end}/${sizeBytes}` }),
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  await pipeline(blobs.stream(sha256, range), response, { signal });
}

async function upload(options: BlobRouteOptions, exchange: Exchange, call: RouteCall): Promise<void> {
  const { blobs, maxBlobBytes } = options;
  const { request, signal } = exchange;
  const { params, workerId } = call;
  const sha256 = blobName(params);
  const length = request.headers['content-length'];
  const announced = Number(length ?? 0);
  if (announced > maxBlobBytes)
    throw new BlobTooLargeError(`A blob may have ${maxBlobBytes} bytes, not ${announced}`);
  if (length === undefined && workerId !== undefined)
    throw new BadRequestError('A worker says how long its blob is: send Content-Length');
  const place = await placeOf(options, call, sha256, announced);
  try {
    const isNew = !(await blobs.has(sha256));
    const maxBytes = place ? announced : maxBlobBytes;
    const address = await blobs.putStream(bodyPieces(exchange), { sha256, maxBytes, signal });
    place?.stored(isNew);
    exchange.json(isNew ? 201 : 200, address);
  } finally {
    place?.end();
  }
}

/** What an owner stores is not limited. */
async function placeOf(
  { uploads }: BlobRouteOptions,
  { workerId }: RouteCall,
  sha256: string,
  sizeBytes: number,
): Promise<UploadPlace | undefined> {
  return workerId === undefined ? undefined : uploads.begin(workerId, sha256, sizeBytes);
}

/** Whoever asks for a digest (RFC 9530) wants to know that the bytes are still those: they are read. */
function wantsDigest({ headers }: IncomingMessage): boolean {
  return /(^|,)\s*sha-256\s*=\s*([1-9]|10)\s*(,|$)/.test(String(headers['want-repr-digest'] ?? ''));
}

function blobName(params: Readonly<Record<string, string>>): string {
  const name = params['sha256'] ?? '';
  if (!isSha256(name))
    throw new BadRequestError('A blob is named by the 64 hexadecimal digits of its SHA-256');
  return name;
}

/** One range of RFC 9110; several at once, or other units, are answered with the whole. */
function requestedRange(
  header: string | undefined,
  sizeBytes: number,
): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  const last = sizeBytes - 1;
  if (match[1] === '') {
    const length = Number(match[2]);
    return length === 0 || sizeBytes === 0
      ? 'unsatisfiable'
      : { start: Math.max(0, sizeBytes - length), end: last };
  }
  const start = Number(match[1]);
  const end = match[2] === '' ? last : Math.min(last, Number(match[2]));
  return start > end ? 'unsatisfiable' : { start, end };
}
