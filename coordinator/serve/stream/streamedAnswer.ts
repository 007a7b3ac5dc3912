// What an owner's class gives back to answer in pieces: an async iterable (an async generator, a ReadableStream, the
// answer of another deployment) or a generator. Here it becomes pieces ready to be sent.

import type { StreamHead } from './answerStream.ts';

/** An answer in pieces, before they travel. */
export class StreamedAnswer {
  readonly head: StreamHead | undefined;
  readonly pieces: AsyncIterator<unknown>;

  constructor(head: StreamHead | undefined, pieces: AsyncIterator<unknown>) {
    this.head = head;
    this.pieces = pieces;
  }
}

/** The pieces of a value that is to be streamed; undefined for any other value, arrays too. */
export function piecesOf(value: unknown): AsyncIterator<unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Symbol.asyncIterator in value) return (value as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  if (!(Symbol.iterator in value && 'next' in value)) return undefined;
  const iterator = (value as Iterable<unknown>)[Symbol.iterator]();
  return {
    next: async () => iterator.next(),
    return: async () => iterator.return?.() ?? { done: true, value: undefined },
  };
}

/** The same pieces with their errors made into others. Not a generator: that would hold back `return` behind `next`. */
export function withErrors(
  pieces: AsyncIterator<unknown>,
  toError: (error: unknown) => Error,
): AsyncIterator<unknown> {
  return {
    async next() {
      try {
        return await pieces.next();
      } catch (error) {
        throw toError(error);
      }
    },
    return: async () => (await pieces.return?.()) ?? { done: true, value: undefined },
  };
}

/**
 * Pieces as they are written to an HTTP caller. Its first piece is waited for: that decides on the content type, and a
 * class that fails before it is answered with a status.
 * @param headers those that the class chose, in lower case.
 * @param wantsEvents the caller accepts text/event-stream.
 */
export async function httpStream(
  pieces: AsyncIterator<unknown>,
  status: number,
  headers: Readonly<Record<string, string>>,
  wantsEvents: boolean,
): Promise<StreamedAnswer> {
  let first: IteratorResult<unknown> | undefined = await pieces.next();
  // A class that writes its own events, or bytes of some format, has said so.
  const asEvents = wantsEvents && headers['content-type'] === undefined;
  const encode = asEvents ? serverSentEvent : plainPiece;
  const type = asEvents ? 'text/event-stream; charset=utf-8' : plainType(first.value);
  return new StreamedAnswer(
    { status, headers: { 'content-type': type, 'cache-control': 'no-store', ...headers } },
    {
      async next() {
        const result = first ?? (await pieces.next());
        first = undefined;
        return result.done === true ? result : { done: false, value: encode(result.value) };
      },
      return: async () => (await pieces.return?.()) ?? { done: true, value: undefined },
    },
  );
}

function plainType(first: unknown): string {
  if (first === undefined || typeof first === 'string') return 'text/plain; charset=utf-8';
  return first instanceof Uint8Array ? 'application/octet-stream' : 'application/x-ndjson; charset=utf-8';
}

/** Text and bytes as they are, any other value as a line of JSON. */
function plainPiece(piece: unknown): string | Uint8Array {
  return typeof piece === 'string' || piece instanceof Uint8Array ? piece : `${jsonText(piece)}\n`;
}

/** https://html.spec.whatwg.org/multipage/server-sent-events.html */
function serverSentEvent(piece: unknown): string {
  const text =
    typeof piece === 'string'
      ? piece
      : piece instanceof Uint8Array
        ? Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString('utf8')
        : jsonText(piece);
  return `${text
    .split(/\r\n|\r|\n/)
    .map((line) => `data: ${line}\n`)
    .join('')}\n`;
}

/** JSON of any value; arrays of numbers are JSON arrays, however they are kept. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value ?? null, (_key, part: unknown) =>
    ArrayBuffer.isView(part) && !(part instanceof DataView) ? Array.from(part as Float32Array) : part,
  );
}
