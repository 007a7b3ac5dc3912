// What the log has of requests that were turned away or failed.

import type { IncomingMessage } from 'node:http';
import { TabgradError, type ErrorCode } from '../../kernels/errors.ts';
import { outsideMessage } from '../../shared/outsideMessage.ts';
import type { Log } from '../log/log.ts';
import { statusOf } from './httpErrors.ts';

export interface FailedRequest {
  readonly log: Log;
  /** E.g. "GET /api/v1/runs". */
  readonly what: string;
  readonly address: string;
  /** Under which the answer refers to the log. */
  readonly id: string;
}

/** What somebody may have tried who should not have. */
const refusals: readonly ErrorCode[] = [
  'TOKEN_REQUIRED',
  'TOO_MANY_ATTEMPTS',
  'TOO_MANY_CONNECTIONS',
  'ORIGIN_REFUSED',
  'UPLOAD_REFUSED',
];

/** @param what e.g. "GET /api/v1/runs". */
export function logRefusal(log: Log, what: string, address: string, message: string): void {
  const told = `Refused ${what} of ${address}: ${message}`;
  log({ level: 'warn', kind: 'refused', source: address, message: told });
}

/** Errors of requests themselves are their sender's business and not logged; refusals, defects and what only the owner is told are. */
export function logFailure({ log, what, address, id }: FailedRequest, error: unknown): void {
  if (error instanceof TabgradError && refusals.includes(error.code)) {
    logRefusal(log, what, address, error.message);
  } else if (outsideMessage(error).isShortened || statusOf(error) === 500) {
    const told = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log({ level: 'error', kind: 'failed', message: `${what} failed, ${id}: ${told}` });
  }
}

/** The socket that a handshake asks for, without the query, in which secrets may be. */
export function socketName({ url = '' }: IncomingMessage): string {
  return `a socket at ${(url.split(/[?#]/, 1)[0] ?? '').slice(0, 200)}`;
}
