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
  readonly method?: 'GET' | 'POST';
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
  const { url, token, signal, method = 'GET', timeoutMs = TIMEOUT_MS } = options;
  const deadline = AbortSignal.timeout(timeoutMs);
  let response: Response;
  let text: string;
  try {
    response = await fetch(new URL(path, url.endsWith('/') ? url : `${url}/`), {
      method,
      signal: AbortSignal.any([signal, deadline]),
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
    text = await response.text();
  } catch (cause) {
    if (signal.aborted) throw new AbortedError('The request was interrupted.', {}, { cause });
    if (deadline.aborted)
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
  }
  const value = parseJson(text);
  const refusal = failure.safeParse(value).data;
  if (refusal !== undefined)
    throw new RequestRefusedError(`${refusal.error.message} (${refusal.error.code}, from ${url})`);
  const checked = answer.safeParse(value);
  if (!response.ok || !checked.success)
    throw new CoordinatorUnreachableError(
      `What answers at ${url} is no tabgrad coordinator of this version: status ${response.status}, ${text.slice(0, MAX_SHOWN_CHARACTERS).trim()}`,
    );
  return checked.data;
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
