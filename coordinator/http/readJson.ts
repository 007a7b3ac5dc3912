// The JSON of a request's body, and its pieces where it is stored and not read.

import type { z } from 'zod';
import { AbortedError } from '../../kernels/errors.ts';
import { bodyText, withoutMark } from './bodyText.ts';
import type { Exchange } from './exchange.ts';
import { BadRequestError } from './httpErrors.ts';
import { readBody } from './readBody.ts';

const BODY_TIMEOUT_MS = 30_000;

/**
 * The JSON value of a body.
 * @throws BodyTooLargeError, BadRequestError; AbortedError when the client breaks off.
 */
export async function readJson(exchange: Exchange, maxBodyBytes: number): Promise<unknown> {
  const { request, signal } = exchange;
  const coding = request.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (coding !== 'identity') {
    throw new BadRequestError(
      `The body has the content coding "${coding.slice(0, 100)}"; the coordinator reads JSON as it is, in UTF-8.`,
    );
  }
  const timer = setTimeout(() => request.destroy(), BODY_TIMEOUT_MS);
  try {
    const body = await new Promise<string | Uint8Array>((resolve, reject) => {
      const gone = (): void => reject(new AbortedError('The client broke off.'));
      if (signal.aborted) gone();
      signal.addEventListener('abort', gone);
      const bounds = { maxBodyBytes, hold: (): void => undefined };
      readBody(exchange, bounds, { decoder: undefined, as: 'text' }, (error, received) => {
        if (error) reject(error);
        else resolve(received);
      });
    });
    return parseJson(bodyText(body));
  } finally {
    clearTimeout(timer);
  }
}

/** The body in the form that its route asks for. @throws BodyTooLargeError, BadRequestError naming the field that is wrong */
export async function readForm<T>(form: z.ZodType<T>, exchange: Exchange, maxBytes: number): Promise<T> {
  const parsed = form.safeParse(await readJson(exchange, maxBytes));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  throw new BadRequestError(`${field === '' ? 'The body' : field}: ${issue?.message ?? 'unknown form'}`, {
    field,
  });
}

/** The body piece by piece. Whoever stops in the middle leaves the connection open, for the answer that says why. */
export function bodyPieces(exchange: Exchange): AsyncIterable<Buffer> {
  exchange.expectBody();
  return exchange.request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(withoutMark(text));
  } catch {
    throw new BadRequestError('The body must be JSON');
  }
}
