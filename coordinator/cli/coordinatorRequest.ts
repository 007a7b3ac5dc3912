// One request to the API of a coordinator, with a deadline and a checked answer.

import { z } from 'zod';
import { AbortedError, DeadlineError } from '../../shared/errors.ts';
import { CoordinatorUnreachableError, RequestRefusedError } from './cliErrors.ts';

const TIMEOUT_MS = 10_000;
const MAX_SHOWN_CHARACTERS = 200;

export interface RequestOptions {
  readonly url: string;
  readonly token: string | undefined;
  readonly signal: AbortSignal;
  /** A JSON value to post; without it the request is a GET. */
  readonly body?: unknown;
  readonly timeoutMs?: number;
}

const failure = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/**
 * @param path below the coordinator's address, e.g. "api/v1/status".
 * @throws CoordinatorUnreachableError when nobody or nobody of this kind answers, RequestRefusedError with the
 * coordinator's own reason, DeadlineError, AbortedError.
 */
export async function coordinatorRequest<T>(
  path: string,
  answer: z.ZodType<T>,
  options: RequestOptions,
): Promise<T> {
  const { response, text } = await withDeadline(options, async (signal) => {
    const response = await send(path, options, signal);
    return { response, text: await response.text() };
  });
  const checked = answer.safeParse(parseJson(text));
  if (response.ok && checked.success) return checked.data;
  throw notTheAnswer(response, text, options.url);
}

/** As coordinatorRequest, for an answer that comes bit by bit; the deadline is for its beginning alone. */
export async function openStream(path: string, options: RequestOptions): Promise<AsyncIterable<Uint8Array>> {
  const response = await withDeadline(options, (signal) => send(path, options, signal));
  if (!response.ok || response.body === null)
    throw notTheAnswer(response, await response.text(), options.url);
  return response.body;
}

function send(path: string, { url, token, body }: RequestOptions, signal: AbortSignal): Promise<Response> {
  return fetch(new URL(path, url.endsWith('/') ? url : `${url}/`), {
    signal,
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
  });
}

async function withDeadline<T>(
  { url, signal, timeoutMs = TIMEOUT_MS }: RequestOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), timeoutMs);
  try {
    return await work(AbortSignal.any([signal, deadline.signal]));
  } catch (cause) {
    if (signal.aborted) throw new AbortedError('The request was interrupted.', {}, { cause });
    if (deadline.signal.aborted)
      throw new DeadlineError(
        `The coordinator at ${url} did not answer within ${timeoutMs} ms.`,
        {},
        { cause },
      );
    throw new CoordinatorUnreachableError(
      `No coordinator answers at ${url} (${reasonOf(cause)}). Start one with "tabgrad up", or name its address with --url.`,
      {},
      { cause },
    );
  } finally {
    clearTimeout(timer);
  }
}

function notTheAnswer(response: Response, text: string, url: string): Error {
  const refusal = failure.safeParse(parseJson(text)).data;
  if (refusal !== undefined)
    return new RequestRefusedError(`${refusal.error.message} (${refusal.error.code}, from ${url})`);
  const begin = text.slice(0, MAX_SHOWN_CHARACTERS).trim();
  return new CoordinatorUnreachableError(
    `What answers at ${url} is no tabgrad coordinator of this version: status ${response.status}, ${begin}`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** fetch says only "fetch failed"; the reason is in its cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (!(cause instanceof Error)) return String(cause);
  const code = (cause as NodeJS.ErrnoException).code;
  return code ?? cause.message;
}
