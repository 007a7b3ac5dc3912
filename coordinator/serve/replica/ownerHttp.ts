// The answers that an owner's class may give over HTTP, and how they become what is written.

import type { RequestParts } from '../../../shared/serve/serveRequest.ts';
import { httpStream, jsonText, piecesOf, withErrors, type StreamedAnswer } from '../stream/streamedAnswer.ts';

/** What a class may give back to choose status and headers itself; any other value is answered as 200. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text and bytes as they are, an async iterable or generator in pieces, any other value as JSON. */
  readonly body?: unknown;
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
