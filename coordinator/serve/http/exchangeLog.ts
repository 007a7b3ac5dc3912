// What is written down of requests: counts, accesses, refusals and failures.

import type { Log } from '../../log/log.ts';
import { isRefusal, logRefusal } from '../../core/http/logFailure.ts';
import { OwnerCodeError, serveStatusOf } from '../request/serveErrors.ts';
import type { AccessEntry, Exchange, ExchangeEnd } from './exchange.ts';
import type { ServeMetrics } from './serveMetrics.ts';

export interface ExchangeLog {
  readonly metrics: ServeMetrics;
  readonly accessLog: ((entry: AccessEntry) => void) | undefined;
}

/** Counts a request that was answered. */
export function note({ exchange, status }: ExchangeEnd, { metrics, accessLog }: ExchangeLog): void {
  const durationMs = performance.now() - exchange.startedAtMs;
  if (exchange.application !== '') metrics.count(exchange.application, status, durationMs / 1_000);
  accessLog?.({
    time: new Date().toISOString(),
    requestId: exchange.id,
    method: exchange.request.method ?? '',
    path: exchange.path.slice(0, 500),
    application: exchange.application,
    status,
    durationMs: Math.round(durationMs * 1_000) / 1_000,
    remoteAddress: exchange.request.socket.remoteAddress,
  });
}

/** Who was refused, and what the caller is not told. */
export function logFailure({ id, request, path }: Exchange, error: unknown, log: Log): void {
  if (isRefusal(error)) {
    logRefusal(
      log,
      `serve: ${request.method} ${path.slice(0, 200)}`,
      request.socket.remoteAddress ?? '',
      error.message,
    );
    return;
  }
  if (serveStatusOf(error) !== 500) return;
  const cause = error instanceof OwnerCodeError ? (error.cause ?? error) : error;
  const told = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  log({ level: 'error', kind: 'failed', message: `serve: request ${id} failed: ${told}` });
}
