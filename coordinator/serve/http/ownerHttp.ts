// The HTTP request that an owner's class gets to see, and the answers that it may give. Plain values on the way to a
// replica in another thread; made into a ServeRequest where the class runs.

import { BadRequestError } from '../../server/serverErrors.ts';
import { httpStream, jsonText, piecesOf, withErrors, type StreamedAnswer } from '../stream/streamedAnswer.ts';

/** A request as it travels to a replica. */
export interface RequestParts {
  readonly method: string;
  /** Path below the application's route prefix; begins with "/". */
  readonly path: string;
  /** As in the address, with its "?"; empty when there is none. */
  readonly search: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string | Uint8Array;
}

/** What a class may give back to choose status and headers itself; any other value is answered as 200. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text and bytes as they are, an async iterable or generator in pieces, any other value as JSON. */
  readonly body?: unknown;
}

/** An HTTP request, as the `call` of an ingress deployment gets it. */
export class ServeRequest {
  readonly method: string;
  /** Path below the application's route prefix; begins with "/". */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: RequestParts['headers'];
  readonly #body: string | Uint8Array;

  constructor(parts: RequestParts) {
    this.method = parts.method;
    this.path = parts.path;
    this.query = new URLSearchParams(parts.search);
    this.headers = parts.headers;
    this.#body = parts.body;
  }

  text(): string {
    return bodyText(this.#body);
  }

  bytes(): Uint8Array {
    return typeof this.#body === 'string' ? Buffer.from(this.#body) : this.#body;
  }

  /** @throws BadRequestError, which the caller gets as 400. */
  json(): unknown {
    try {
      return JSON.parse(this.text());
    } catch (error) {
      throw new BadRequestError(`The body is not JSON: ${(error as Error).message.slice(0, 200)}.`);
    }
  }
}

export function bodyText(body: string | Uint8Array): string {
  if (typeof body === 'string') return body;
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
}

/** An answer ready to be written. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/**
 * @param toError makes the errors of pieces into what the caller may be told.
 * @throws TypeError for a value that has no JSON, e.g. one with a cycle; `toError` of what the first piece throws.
 */
export function wireAnswer(
  value: unknown,
  request: RequestParts,
  toError: (error: unknown) => Error,
): WireAnswer | Promise<StreamedAnswer> {
  const {
    status,
    headers = {},
    body,
  }: HttpAnswer = isHttpAnswer(value) ? value : { status: 200, body: value };
  const named = Object.fromEntries(
    Object.entries(headers)
      .map(([name, text]) => [name.toLowerCase(), text] as const)
      .filter(([name]) => !ownHeaders.includes(name)),
  );
  const pieces = piecesOf(body);
  if (!pieces) return { status, ...encodeBody(body, named) };
  const wantsEvents = String(request.headers['accept'] ?? '').includes('text/event-stream');
  return httpStream(withErrors(pieces, toError), status, named, wantsEvents);
}

function isHttpAnswer(value: unknown): value is HttpAnswer {
  if (typeof value !== 'object' || value === null || !('status' in value)) return false;
  const keys = ['status', 'headers', 'body'];
  const { status } = value;
  return (
    Number.isInteger(status) &&
    (status as number) >= 200 &&
    (status as number) <= 599 &&
    Object.keys(value).every((key) => keys.includes(key))
  );
}

/** The server writes these itself. */
const ownHeaders: readonly string[] = ['content-length', 'transfer-encoding', 'connection', 'x-request-id'];

function encodeBody(
  value: unknown,
  named: Readonly<Record<string, string>>,
): Pick<WireAnswer, 'headers' | 'body'> {
  const as = (type: string): Record<string, string> => ({ 'content-type': type, ...named });
  if (typeof value === 'string') return { headers: as('text/plain; charset=utf-8'), body: value };
  if (value instanceof Uint8Array) return { headers: as('application/octet-stream'), body: value };
  return { headers: as('application/json; charset=utf-8'), body: jsonText(value) };
}
