// The body of a response, piece by piece, with a deadline for each piece.

import { AbortedError } from '../../../kernels/errors.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { HttpStatusError, LostConnectionError } from '../plan/dataErrors.ts';
import { tooSlow } from './httpRequest.ts';

/** @throws DeadlineError, LostConnectionError when the connection breaks, AbortedError. */
export async function* responseBytes(
  response: Response,
  url: URL,
  name: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      const piece = await inTime(reader, url, name, timeoutMs, signal);
      if (piece === undefined) return;
      yield piece;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function inTime(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  url: URL,
  name: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooSlow(url, name, timeoutMs)), timeoutMs);
  });
  try {
    const { done, value } = await Promise.race([
      reader.read().catch((error: unknown) => {
        if (signal?.aborted === true) throw new AbortedError(`Reading ${name} was stopped by its caller.`);
        throw new LostConnectionError(
          `${url.host} broke off while sending ${name}: ${messageOf(error)}.`,
          { file: name },
          { cause: error },
        );
      }),
      late,
    ]);
    return done ? undefined : value;
  } finally {
    clearTimeout(timer);
  }
}

/** The body as text. @throws HttpStatusError when it is longer, and what `responseBytes` throws. */
export async function responseText(
  response: Response,
  url: URL,
  name: string,
  maxBytes: number,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of responseBytes(response, url, name, timeoutMs, signal)) {
    bytes += piece.length;
    if (bytes > maxBytes)
      throw new HttpStatusError(`${url.host} answered for ${name} with more than ${maxBytes} bytes.`, {
        file: name,
      });
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
