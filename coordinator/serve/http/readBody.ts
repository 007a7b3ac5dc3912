// Reads the body of a request, with a limit on its size. The server has one on the time that a request takes.

import type { IncomingMessage } from 'node:http';
import { linger } from '../../http/linger.ts';
import { BodyTooLargeError } from '../../server/serverErrors.ts';

/** Larger bodies go to replicas in shared memory instead of being copied as text. */
const SHARED_FROM_BYTES = 64 * 1024;

export interface BodyBounds {
  readonly maxBodyBytes: number;
  /** Told how much has come. */
  readonly hold: (bytes: number) => void;
}

/**
 * Calls back once, unless the client breaks off before.
 * @param asBytes gives bytes even where the body is small.
 * @returns how to give up the body while it is read: the callback gets the error.
 */
export function readBody(
  request: IncomingMessage,
  { maxBodyBytes, hold }: BodyBounds,
  asBytes: boolean,
  done: (error: Error | undefined, body: string | Uint8Array) => void,
): (error: Error) => void {
  let sizeBytes = 0;
  let chunks: Buffer[] = [];
  const refuse = (error: Error): void => {
    chunks = [];
    request.off('data', take).off('end', finish);
    linger(request);
    done(error, '');
  };
  const tooLarge = (what: string): void =>
    refuse(new BodyTooLargeError(`The body may have ${maxBodyBytes} bytes, ${what}.`));
  const take = (chunk: Buffer): void => {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > maxBodyBytes) {
      tooLarge('and more have come');
      return;
    }
    chunks.push(chunk);
    hold(sizeBytes);
  };
  const finish = (): void => {
    const body = joined(chunks, sizeBytes, asBytes);
    // The request, and with it this closure, lives until the answer: once is enough to have the body in memory.
    chunks = [];
    done(undefined, body);
  };
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxBodyBytes) {
    tooLarge(`not ${announced}`);
  } else {
    request.on('data', take);
    request.on('end', finish);
  }
  return refuse;
}

function joined(chunks: readonly Buffer[], sizeBytes: number, asBytes: boolean): string | Uint8Array {
  if (sizeBytes < SHARED_FROM_BYTES && !asBytes) {
    return chunks.length === 1
      ? chunks[0]!.toString('utf8')
      : Buffer.concat(chunks, sizeBytes).toString('utf8');
  }
  const body = new Uint8Array(new SharedArrayBuffer(sizeBytes));
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.byteLength;
  }
  return body;
}
