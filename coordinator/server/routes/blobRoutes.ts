// Blobs over HTTP: immutable, ranged downloads; verified, bounded uploads. A blob's name is a capability: who knows the
// SHA-256 may read it, so workers need no token to fetch what they were assigned.

import { pipeline } from 'node:stream/promises';
import { BlobMissingError, BlobTooLargeError } from '../../blobs/blobErrors.ts';
import type { BlobStore, ByteRange } from '../../blobs/blobStore.ts';
import { isSha256 } from '../../blobs/blobStore.ts';
import { answerJson, answerText } from '../answers.ts';
import type { Exchange, Route } from '../route.ts';
import { BadRequestError } from '../serverErrors.ts';

export function blobRoutes(blobs: BlobStore, maxBlobBytes: number): Route[] {
  return [
    {
      method: 'GET',
      path: '/blobs/:sha256',
      access: 'public',
      traffic: 'blobs',
      handle: (exchange) => download(blobs, exchange),
    },
    {
      method: 'PUT',
      path: '/blobs/:sha256',
      access: 'upload',
      traffic: 'blobs',
      handle: (exchange) => upload(blobs, maxBlobBytes, exchange),
    },
  ];
}

async function download(blobs: BlobStore, { request, response, params, signal }: Exchange): Promise<void> {
  const sha256 = blobName(params);
  const sizeBytes = await blobs.sizeBytes(sha256);
  if (sizeBytes === undefined) throw new BlobMissingError(`No blob ${sha256} is stored`);
  await blobs.touch(sha256);
  const etag = `"${sha256}"`;
  response.setHeader('ETag', etag);
  response.setHeader('Cache-Control', 'public, max-age=31536000, immutable');
  response.setHeader('Accept-Ranges', 'bytes');
  if (request.headers['if-none-match']?.includes(etag)) {
    response.writeHead(304).end();
    return;
  }
  const range = requestedRange(request.headers.range, sizeBytes);
  if (range === 'unsatisfiable') {
    response.setHeader('Content-Range', `bytes */${sizeBytes}`);
    return answerText(response, 416, 'text/plain; charset=utf-8', `The blob has ${sizeBytes} bytes.\n`);
  }
  response.setHeader('Content-Type', 'application/octet-stream');
  response.setHeader('Content-Length', range ? range.end - range.start + 1 : sizeBytes);
  if (range) response.setHeader('Content-Range', `bytes ${range.start}-${range.end}/${sizeBytes}`);
  response.writeHead(range ? 206 : 200);
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  await pipeline(blobs.stream(sha256, range), response, { signal });
}

async function upload(blobs: BlobStore, maxBytes: number, exchange: Exchange): Promise<void> {
  const { request, response, params, signal } = exchange;
  const sha256 = blobName(params);
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxBytes)
    throw new BlobTooLargeError(`A blob may have ${maxBytes} bytes, not ${announced}`);
  const isNew = !(await blobs.has(sha256));
  const address = await blobs.putStream(request as AsyncIterable<Buffer>, { sha256, maxBytes, signal });
  answerJson(response, isNew ? 201 : 200, address);
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
