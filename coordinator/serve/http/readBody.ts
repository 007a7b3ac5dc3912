// Reads the body of a request, with a limit on its size and on the time it takes.

import type { IncomingMessage } from 'node:http';
import { BodyTooLargeError } from '../../server/serverErrors.ts';
import { RequestTimeoutError } from '../serveErrors.ts';

export interface BodyLimits {
  readonly maxBodyBytes: number;
  readonly bodyTimeoutS: number;
}

/** Larger bodies go to replicas in shared memory instead of being copied as text. */
const SHARED_FROM_BYTES = 64 * 1024;
/** How long a client that was refused may go on sending, so that it gets to read why. */
const LINGER_MS = 5_000;

/**
 * Calls back once, unless the client breaks off before.
 * @param asBytes gives bytes even where the body is small.
 */
export function readBody(
  request: IncomingMessage,
  { maxBodyBytes, bodyTimeoutS }: BodyLimits,
  asBytes: boolean,
  done: (error: Error | undefined, body: string | Uint8Array) => void,
): void {
  let sizeBytes = 0;
  let chunks: Buffer[] = [];
  let timer: NodeJS.Timeout | undefined;
  let isDone = false;
  const refuse = (error: Error): void => {
    isDone = true;
    clearTimeout(timer);
    chunks = [];
    request.off('data', take).off('end', finish);
    linger(request);
    done(error, '');
  };
  const tooLarge = (what: string): void =>
    refuse(new BodyTooLargeError(`The body may have ${maxBodyBytes} bytes, ${what}.`));
  const take = (chunk: Buffer): void => {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > maxBodyBytes) tooLarge('and more have come');
    else chunks.push(chunk);
  };
  const finish = (): void => {
    isDone = true;
    clearTimeout(timer);
    done(undefined, joined(chunks, sizeBytes, asBytes));
  };
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxBodyBytes) {
    tooLarge(`not ${announced}`);
    return;
  }
  request.on('data', take);
  request.on('end', finish);
  // Most bodies come with their headers: those need no timer.
  setImmediate(() => {
    if (isDone || request.destroyed) return;
    timer = setTimeout(
      () => refuse(new RequestTimeoutError(`The body did not arrive within ${bodyTimeoutS} s.`)),
      bodyTimeoutS * 1_000,
    );
    request.on('close', () => clearTimeout(timer));
  });
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

/** Throws away what a refused client still sends, for a while. */
function linger(request: IncomingMessage): void {
  const { socket } = request;
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  const stop = (): void => clearTimeout(timer);
  request.once('end', stop);
  socket.once('close', stop);
  request.resume();
}
