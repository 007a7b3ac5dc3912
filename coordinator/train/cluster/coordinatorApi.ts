// Requests to a coordinator in another process, with deadlines, and its refusals as errors.

import {
  AbortedError,
  DeadlineError,
  errorCodes,
  TabgradError,
  type ErrorCode,
} from '../../../shared/errors.ts';

/** Nobody answers at the address, or something that is no coordinator. */
export class ClusterUnreachableError extends TabgradError {
  readonly code = 'COORDINATOR_UNREACHABLE';
}

/** What the coordinator reported, under the code that it reported. */
export class RemoteError extends TabgradError {
  readonly code: ErrorCode;

  constructor(code: string, message: string) {
    super(message);
    this.code = code in errorCodes ? (code as ErrorCode) : 'INTERNAL';
  }
}

export interface ApiAddress {
  readonly url: string;
  readonly token: string | undefined;
  readonly signal: AbortSignal;
}

export interface ApiRequest {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly json?: unknown;
  readonly bytes?: Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Until the answer's headers. Default a minute: shards travel over slow lines. */
  readonly timeoutMs?: number;
  /** Statuses besides 2xx that are answers too. */
  readonly accept?: readonly number[];
}

const TIMEOUT_MS = 60_000;

/** @throws ClusterUnreachableError, RemoteError, DeadlineError, AbortedError */
export async function askCoordinator(
  { url, token, signal }: ApiAddress,
  path: string,
  request: ApiRequest = {},
): Promise<Response> {
  const { method = 'GET', json, bytes, headers, timeoutMs = TIMEOUT_MS, accept = [] } = request;
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), timeoutMs);
  let response: Response;
  try {
    response = await fetch(new URL(path, url.endsWith('/') ? url : `${url}/`), {
      method,
      signal: AbortSignal.any([signal, deadline.signal]),
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(json !== undefined && { body: JSON.stringify(json) }),
      ...(bytes && { body: bytes }),
    });
  } catch (cause) {
    if (signal.aborted) throw new AbortedError('The run was called off.', {}, { cause });
    if (deadline.signal.aborted) {
      throw new DeadlineError(
        `The coordinator at ${url} did not answer ${method} ${path} within ${timeoutMs} ms.`,
        {},
        { cause },
      );
    }
    throw new ClusterUnreachableError(
      `No coordinator answers at ${url} (${reasonOf(cause)}). Start one with "tabgrad up", or leave the URL out to train on this machine.`,
      {},
      { cause },
    );
  } finally {
    clearTimeout(timer);
  }
  if (response.ok || accept.includes(response.status)) return response;
  throw refusal(await response.text(), response.status, url);
}

function refusal(text: string, status: number, url: string): TabgradError {
  try {
    const { error } = JSON.parse(text) as { error?: { code?: unknown; message?: unknown } };
    if (typeof error?.code === 'string' && typeof error.message === 'string') {
      return new RemoteError(error.code, error.message);
    }
  } catch {
    // Not JSON: not a coordinator.
  }
  return new ClusterUnreachableError(
    `What answers at ${url} is no tabgrad coordinator of this version: status ${status}, ${text.slice(0, 200).trim()}`,
  );
}

/** fetch says only "fetch failed"; the reason is in its cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (!(cause instanceof Error)) return String(cause);
  return (cause as NodeJS.ErrnoException).code ?? cause.message;
}
