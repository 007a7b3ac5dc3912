// Reads the body of a request, with a limit on its size. The server has one on the time that a request takes.

import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { bufferUnder } from './bodyText.ts';
import type { Decoder } from './contentCodings.ts';
import type { Exchange } from './exchange.ts';
import { BodyTooLargeError } from './httpErrors.ts';

/** Larger bodies go to replicas in shared memory instead of being copied as text. */
const SHARED_FROM_BYTES = 64 * 1024;

export interface BodyBounds {
  readonly maxBodyBytes: number;
  /** Told how much has come. */
  readonly hold: (bytes: number) => void;
}

/** What to make of the bytes that come. */
export interface BodyForm {
  /** Where the body is compressed. */
  readonly decoder: Decoder | undefined;
  readonly as: BodyKind;
}

/**
 * Small bodies become text, where they are UTF-8; or stay as they came, for code of this thread. All others are bytes in
 * memory that threads share.
 */
export type BodyKind = 'text' | 'own bytes' | 'shared bytes';

/**
 * Calls back once, unless the client breaks off before. A body that is not UTF-8 is given as bytes.
 * @returns how to give up the body while it is read: the callback gets the error.
 */
export function readBody(
  exchange: Exchange,
  { maxBodyBytes, hold }: BodyBounds,
  { decoder, as }: BodyForm,
  done: (error: Error | undefined, body: string | Uint8Array) => void,
): (error: Error) => void {
  const { request } = exchange;
  let sizeBytes = 0;
  let chunks: Buffer[] = [];
  let isGivenUp = false;
  const refuse = (error: Error): void => {
    if (isGivenUp) return;
    isGivenUp = true;
    chunks = [];
    request.off('data', take).off('end', finish);
    request.resume();
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
    if (sizeBytes > SHARED_FROM_BYTES) takeTurns(request);
  };
  const finish = (): void => {
    const received = chunks;
    // The request, and with it this closure, lives until the answer: once is enough to have the body in memory.
    chunks = [];
    if (!decoder) {
      done(undefined, joined(received, sizeBytes, as));
      return;
    }
    void unpack(decoder, Buffer.concat(received, sizeBytes));
  };
  const unpack = async (decode: Decoder, packed: Buffer): Promise<void> => {
    let unpacked: Buffer;
    try {
      unpacked = await decode(packed);
    } catch (error) {
      refuse(error as Error);
      return;
    }
    if (isGivenUp) return;
    hold(unpacked.byteLength);
    done(undefined, joined([unpacked], unpacked.byteLength, as));
  };
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxBodyBytes) {
    tooLarge(`not ${announced}`);
  } else {
    exchange.expectBody();
    request.on('data', take);
    request.on('end', finish);
  }
  return refuse;
}

/**
 * One piece in each turn of the event loop: it would read two megabytes of every body that is there, and a small request would wait
 * for those of a hundred.
 */
function takeTurns(request: IncomingMessage): void {
  request.pause();
  setImmediate(() => request.resume());
}

/** A body that was read as 'own bytes', as another thread gets it. */
export function bodyForThread(body: Uint8Array, as: Exclude<BodyKind, 'own bytes'>): string | Uint8Array {
  return body.buffer instanceof SharedArrayBuffer ? body : joined([body], body.byteLength, as);
}

function joined(chunks: readonly Uint8Array[], sizeBytes: number, as: BodyKind): string | Uint8Array {
  if (sizeBytes < SHARED_FROM_BYTES && as !== 'shared bytes') {
    const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, sizeBytes);
    if (as === 'own bytes') return bytes;
    if (isUtf8(bytes)) return bufferUnder(bytes).toString('utf8');
  }
  const body = new Uint8Array(new SharedArrayBuffer(sizeBytes));
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.byteLength;
  }
  return body;
}
