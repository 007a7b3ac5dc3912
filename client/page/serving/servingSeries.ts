// The last minutes of an application as lines of evenly spaced values.

import type { ServingPoint } from '../../../shared/api/servingAnswers.ts';

export interface ServingSeries {
  /** Each value is of so many seconds; the last ones are of those that are over. */
  readonly requestsPerSecond: readonly number[];
  readonly errorsPerSecond: readonly number[];
  readonly queued: readonly number[];
  /** Null where nothing was asked. */
  readonly p50Ms: readonly (number | null)[];
  readonly p95Ms: readonly (number | null)[];
  readonly p99Ms: readonly (number | null)[];
}

/**
 * @param nowMs milliseconds since 1970 by the coordinator's clock, like those of the points.
 * @param points the oldest first; where none is, nothing was asked.
 */
export function servingSeries(
  points: readonly ServingPoint[],
  pointSeconds: number,
  minutes: number,
  nowMs: number,
): ServingSeries {
  const stepMs = pointSeconds * 1_000;
  const length = Math.ceil((minutes * 60) / pointSeconds);
  // What goes on would look like less than it is.
  const lastMs = (Math.floor(nowMs / stepMs) - 1) * stepMs;
  const places = new Map(points.map((point) => [point.atMs, point]));
  const shown = Array.from({ length }, (_, i) => places.get(lastMs - (length - 1 - i) * stepMs));
  return {
    requestsPerSecond: shown.map((point) => (point?.requests ?? 0) / pointSeconds),
    errorsPerSecond: shown.map((point) => (point?.errors ?? 0) / pointSeconds),
    queued: shown.map((point) => point?.queued ?? 0),
    p50Ms: shown.map((point) => point?.latency?.p50Ms ?? null),
    p95Ms: shown.map((point) => point?.latency?.p95Ms ?? null),
    p99Ms: shown.map((point) => point?.latency?.p99Ms ?? null),
  };
}
