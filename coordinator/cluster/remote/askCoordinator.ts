// Requests to a coordinator in another process: deadlines, checked answers, and its refusals as errors.

import { z } from 'zod';
import { AbortedError, DeadlineError, type TabgradError } from '../../../kernels/errors.ts';
import { checkHops, isRedirect, RedirectRefusedError, redirectTarget } from '../../http/redirect.ts';
import { Outage, type Patience } from './outage.ts';
import { CoordinatorUnreachableError, RemoteError } from './remoteErrors.ts';
import { untrustedReason, untrustedServer } from './serverTrust.ts';
import { trustingFetch } from './trustingFetch.ts';

export interface CoordinatorAddress {
  readonly url: string;
  readonly token: string | undefined;
  /** Authorities to trust besides the usual ones, in PEM. */
  readonly ca?: string | undefined;
  readonly signal: AbortSignal;
}

export interface CoordinatorRequest {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly json?: unknown;
  readonly bytes?: Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default ten seconds. */
  readonly timeoutMs?: number;
  /** Statuses besides 2xx that are answers too. */
  readonly accept?: readonly number[];
  /** Makes the request again while the coordinator is out of reach, for so long; by default it is made once. */
  readonly patience?: Patience;
}

const TIMEOUT_MS = 10_000;
const MAX_SHOWN_CHARACTERS = 200;

const refusalForm = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/**
 * An answer whose body is still to be read; the deadline is for its headers.
 * @param path below the coordinator's address, e.g. "api/v1/status".
 * @throws CoordinatorUnreachableError, ServerUntrustedError, RemoteError, RedirectRefusedError, DeadlineError,
 *   AbortedError
 */
export function askCoordinator(
  address: CoordinatorAddress,
  path: string,
  request: CoordinatorRequest = {},
): Promise<Response> {
  return patiently(address, path, request, (signal) => send(address, path, request, signal));
}

/**
 * An answer in JSON, of the form that is asked for; the deadline is for all of it.
 * @throws as askCoordinator; CoordinatorUnreachableError also for an answer of another form.
 */
export function askForJson<T>(
  address: CoordinatorAddress,
  path: string,
  form: z.ZodType<T>,
  request: CoordinatorRequest = {},
): Promise<T> {
  return patiently(address, path, request, async (signal) => {
    const response = await send(address, path, request, signal);
    const text = await response.text();
    const answer = form.safeParse(parseJson(text));
    if (!answer.success) throw noCoordinator(text, response.status, address.url);
    return answer.data;
  });
}

async function patiently<T>(
  address: CoordinatorAddress,
  path: string,
  request: CoordinatorRequest,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { method = 'GET', patience = { outageMs: 0 } } = request;
  const outage = new Outage(address.url, patience, address.signal);
  for (;;) {
    try {
      return await withDeadline(address, path, request, work);
    } catch (error) {
      await outage.wait(error, `${method} ${path} was given up`);
    }
  }
}

async function send(
  address: CoordinatorAddress,
  path: string,
  request: CoordinatorRequest,
  signal: AbortSignal,
): Promise<Response> {
  const { url } = address;
  const { method = 'GET', accept = [] } = request;
  let target = new URL(path, url.endsWith('/') ? url : `${url}/`);
  let response = await exchange(target, address, request, signal);
  for (let hops = 0; isRedirect(response.status); hops++) {
    await response.body?.cancel();
    checkHops(hops, target);
    const next = redirectTarget(target, response.status, response.headers.get('location'));
    // Token and body are for this coordinator alone; of what is no GET, 301 to 303 would make one.
    if (next.origin !== target.origin || (response.status < 304 && method !== 'GET' && method !== 'HEAD')) {
      throw new RedirectRefusedError(
        `${target.origin} redirects ${method} ${target.pathname} to ${next.origin}${next.pathname} (status ` +
          `${response.status}), which is not followed. Give the coordinator's own address.`,
      );
    }
    target = next;
    response = await exchange(target, address, request, signal);
  }
  if (response.ok || accept.includes(response.status)) return response;
  const text = await response.text();
  const refusal = refusalForm.safeParse(parseJson(text)).data?.error;
  throw refusal ? new RemoteError(refusal.code, refusal.message) : noCoordinator(text, response.status, url);
}

function exchange(
  target: URL,
  { token, ca }: CoordinatorAddress,
  { method = 'GET', json, bytes, headers }: CoordinatorRequest,
  signal: AbortSignal,
): Promise<Response> {
  const ask = ca === undefined || target.protocol !== 'https:' ? fetch : trustingFetch(ca);
  return ask(target, {
    method,
    signal,
    redirect: 'manual',
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(json !== undefined && { body: JSON.stringify(json) }),
    ...(bytes && { body: bytes }),
  });
}

async function withDeadline<T>(
  { url, signal }: CoordinatorAddress,
  path: string,
  { method = 'GET', timeoutMs = TIMEOUT_MS }: CoordinatorRequest,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), timeoutMs);
  try {
    return await work(AbortSignal.any([signal, deadline.signal]));
  } catch (cause) {
    if (cause instanceof CoordinatorUnreachableError || cause instanceof RemoteError) throw cause;
    if (cause instanceof RedirectRefusedError) throw cause;
    if (signal.aborted) {
      throw new AbortedError(`The request to the coordinator at ${url} was called off.`, {}, { cause });
    }
    if (deadline.signal.aborted) {
      throw new DeadlineError(
        `The coordinator at ${url} did not answer ${method} ${path} within ${timeoutMs} ms.`,
        {},
        { cause },
      );
    }
    const untrusted = untrustedReason(reasonIn(cause));
    if (untrusted !== undefined) throw untrustedServer(url, untrusted, cause);
    throw new CoordinatorUnreachableError(
      `No coordinator answers at ${url} (${reasonOf(cause)}). Start one with "tabgrad up", or correct the address.`,
      true,
      { cause },
    );
  } finally {
    clearTimeout(timer);
  }
}

function noCoordinator(text: string, status: number, url: string): TabgradError {
  const beginning = text.slice(0, MAX_SHOWN_CHARACTERS).trim();
  return new CoordinatorUnreachableError(
    `What answers at ${url} is no tabgrad coordinator of this version: status ${status}, ${beginning}`,
    // A proxy says so of a coordinator that is being restarted.
    [502, 503, 504].includes(status),
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
function reasonIn(error: unknown): unknown {
  return error instanceof Error ? (error.cause ?? error) : error;
}

function reasonOf(error: unknown): string {
  const cause = reasonIn(error);
  if (!(cause instanceof Error)) return String(cause);
  return (cause as NodeJS.ErrnoException).code ?? cause.message;
}
