// One HTTP request for data, with a deadline, retries of what is worth retrying, and coded errors.

import { AbortedError, DeadlineError } from '../../../kernels/errors.ts';
import { backoffMs } from '../../../shared/backoff.ts';
import { delay, MAX_DELAY_MS, systemClock } from '../../../shared/clock.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { checkHops, isRedirect, redirectTarget } from '../../http/redirect.ts';
import {
  AccessDeniedError,
  FileMissingError,
  HttpStatusError,
  LostConnectionError,
  UnreachableError,
} from '../plan/dataErrors.ts';

export interface RequestSettings {
  /** How long to wait for the answer to begin, and for each piece of it. */
  readonly timeoutMs: number;
  /** Attempts after the first, for lost connections and statuses 429, 500, 502, 503, 504. */
  readonly retries: number;
  /** Wait before the first retry; doubled for each further one. */
  readonly retryDelayMs: number;
}

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** As errors show it; for s3:// not the URL of the request. */
  readonly name: string;
  /** Headers that only this address may have; asked for anew before each attempt and after each redirect. */
  readonly sign?: (url: URL) => Readonly<Record<string, string>>;
  /** Where a redirect leads, other than where it says. @throws RedirectRefusedError */
  readonly follow?: (from: URL, response: Response) => URL;
}

/** Sends requests; a store that signs them wraps this. */
export type SendRequest = (request: HttpRequest, signal: AbortSignal | undefined) => Promise<Response>;

/**
 * @returns the response of any status below 300, and 412 and 416; its body is the caller's. Redirects are followed.
 * @throws RedirectRefusedError, UnreachableError, FileMissingError, AccessDeniedError, HttpStatusError, DeadlineError,
 *   AbortedError
 */
export async function sendRequest(
  request: HttpRequest,
  settings: RequestSettings,
  signal: AbortSignal | undefined,
): Promise<Response> {
  for (let attempt = 0; ; attempt++) {
    const isLast = attempt >= settings.retries;
    let response: Response | undefined;
    try {
      response = await fetchFollowing(request, settings, signal);
    } catch (error) {
      if (isLast || !(error instanceof UnreachableError)) throw error;
    }
    if (response !== undefined) {
      if (response.status < 300 || response.status === 412 || response.status === 416) return response;
      const isTransient = response.status === 429 || (response.status >= 500 && response.status !== 501);
      const askedMs = isTransient ? retryAfterMs(response) : 0;
      if (isLast || !isTransient || askedMs > MAX_RETRY_AFTER_MS) throw await statusError(request, response);
      await response.body?.cancel();
      await waitToRetry(settings, attempt, signal, askedMs);
    } else {
      await waitToRetry(settings, attempt, signal);
    }
  }
}

/** A longer wait is not made: the caller is told of it. */
const MAX_RETRY_AFTER_MS = 120_000;

/** What Retry-After asks for: seconds, or a date. 0 without it. */
function retryAfterMs({ headers }: Response): number {
  const asked = headers.get('retry-after')?.trim() ?? '';
  if (/^\d+$/.test(asked)) return Number(asked) * 1000;
  const date = Date.parse(asked);
  return Number.isNaN(date) ? 0 : Math.max(0, date - Date.now());
}

/** Calls `read` again when its connection is lost half-way, as often as the settings allow. */
export async function afterLostConnections<T>(
  settings: RequestSettings,
  signal: AbortSignal | undefined,
  read: () => Promise<T>,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await read();
    } catch (error) {
      if (attempt >= settings.retries || !(error instanceof LostConnectionError)) throw error;
    }
    await waitToRetry(settings, attempt, signal);
  }
}

async function fetchFollowing(
  request: HttpRequest,
  settings: RequestSettings,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const { follow = plainRedirect } = request;
  let { url } = request;
  for (let hops = 0; ; hops++) {
    const response = await fetchInTime({ ...request, url }, settings, signal);
    if (!isRedirect(response.status)) return response;
    await response.body?.cancel();
    checkHops(hops, url);
    url = follow(url, response);
  }
}

function plainRedirect(from: URL, { status, headers }: Response): URL {
  return redirectTarget(from, status, headers.get('location'));
}

async function fetchInTime(
  { method, url, headers, name, sign }: HttpRequest,
  { timeoutMs }: RequestSettings,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const timer = new AbortController();
  const timeout = setTimeout(() => timer.abort(), timeoutMs);
  const signals = signal === undefined ? [timer.signal] : [timer.signal, signal];
  try {
    // Compressed transfer would make ranges and lengths mean something else.
    const all = { ...headers, ...sign?.(url), 'accept-encoding': 'identity' };
    return await fetch(url, { method, headers: all, signal: AbortSignal.any(signals), redirect: 'manual' });
  } catch (error) {
    if (signal?.aborted === true)
      throw new AbortedError(`Reading ${name} was stopped by its caller.`, {}, { cause: error });
    if (timer.signal.aborted) throw tooSlow(url, name, timeoutMs);
    const reason =
      error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
    throw new UnreachableError(
      `${url.host} could not be reached for ${name}: ${reason}.`,
      { file: name },
      { cause: error },
    );
  } finally {
    clearTimeout(timeout);
  }
}

export function tooSlow(url: URL, name: string, timeoutMs: number): DeadlineError {
  return new DeadlineError(`${url.host} did not answer within ${timeoutMs} ms for ${name}.`, { file: name });
}

async function statusError({ name, url, method }: HttpRequest, response: Response): Promise<Error> {
  const body = method === 'HEAD' ? '' : await beginning(response);
  const code = /<Code>([^<]*)<\/Code>/.exec(body)?.[1];
  const asked = response.headers.get('retry-after');
  const reason =
    `status ${response.status}` +
    (code === undefined ? '' : ` (${code})`) +
    (asked === null ? '' : `; it asks to wait (Retry-After: ${asked.slice(0, 40)})`);
  const place = { file: name };
  if (response.status === 404 || response.status === 410) {
    return new FileMissingError(`${url.host} has no ${name}: ${reason}.`, place);
  }
  if (response.status === 401 || response.status === 403) {
    return new AccessDeniedError(`${url.host} refused access to ${name}: ${reason}.`, place);
  }
  return new HttpStatusError(`${url.host} answered for ${name} with ${reason}.`, place);
}

/** Enough of an error's body to find its code. */
async function beginning(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const piece of response.body ?? []) {
      text += decoder.decode(piece, { stream: true });
      // Leaving the loop cancels the rest.
      if (text.length >= 4096) break;
    }
  } catch {
    // The status says enough.
  }
  return text.slice(0, 4096);
}

/**
 * Waits before another attempt.
 * @param attempt 0 after the first.
 * @throws AbortedError
 */
export async function waitToRetry(
  { retryDelayMs }: RequestSettings,
  attempt: number,
  signal: AbortSignal | undefined,
  leastMs = 0,
): Promise<void> {
  const waitMs = backoffMs(attempt, { firstMs: retryDelayMs, maxMs: MAX_DELAY_MS });
  await delay(systemClock, Math.max(leastMs, waitMs), signal);
  if (signal?.aborted === true) throw new AbortedError('Reading was stopped by its caller.');
}
