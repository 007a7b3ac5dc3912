// What an application did in the last hour: counters of one report after the other become points of a few seconds each.

import type { ServingPoint, ServingReport } from '../../../shared/api/servingAnswers.ts';
import { latencyQuantiles } from './latencyQuantiles.ts';

export const POINT_SECONDS = 5;
const HOUR_MS = 3_600_000;
const POINT_MS = POINT_SECONDS * 1_000;
export const RECENT_SECONDS = 300;
const MAX_POINTS = HOUR_MS / POINT_MS;
/** Servers of one application whose counters are known. */
const MAX_SERVERS = 8;
/** A caller that is told to slow down. */
const TOO_MANY = 429;

interface Point {
  readonly atMs: number;
  requests: number;
  errors: number;
  latencies: number[];
  queued: number;
  ongoing: number;
}

type Counted = Pick<ServingReport, 'serverId' | 'byStatus' | 'latencies' | 'deployments'>;

export class ServingHistory {
  readonly #points: Point[] = [];
  /** The last report of each server: two of one name may be told of in turn while one takes over from the other. */
  readonly #last = new Map<string, Counted>();

  /**
   * The first report of a server tells where its counters stand: what it did before is of no known time.
   * @param atMs milliseconds since 1970.
   */
  add(report: Counted, atMs: number): void {
    const before = this.#last.get(report.serverId) ?? report;
    const point = this.#pointAt(atMs);
    const newer = (now: number, then = 0): number => Math.max(0, now - then);
    for (const [status, count] of Object.entries(report.byStatus)) {
      const added = newer(count, before.byStatus[status]);
      point.requests += added;
      if (Number(status) >= 500 || Number(status) === TOO_MANY) point.errors += added;
    }
    point.latencies = report.latencies.map(
      (count, bucket) => (point.latencies[bucket] ?? 0) + newer(count, before.latencies[bucket]),
    );
    const sum = (key: 'queued' | 'ongoing'): number =>
      report.deployments.reduce((all, deployment) => all + deployment[key], 0);
    point.queued = Math.max(point.queued, sum('queued'));
    point.ongoing = Math.max(point.ongoing, sum('ongoing'));
    this.#last.delete(report.serverId);
    this.#last.set(report.serverId, report);
    if (this.#last.size > MAX_SERVERS) this.#last.delete([...this.#last.keys()][0]!);
  }

  /** The oldest first. */
  points(nowMs: number): ServingPoint[] {
    this.#forget(nowMs);
    return this.#points.map(({ latencies, ...point }) => {
      const latency = latencyQuantiles(latencies);
      return { ...point, ...(latency && { latency }) };
    });
  }

  /** All of the last minutes together. */
  recent(nowMs: number): {
    seconds: number;
    requests: number;
    errors: number;
    latency?: ServingPoint['latency'];
  } {
    const points = this.#points.filter(({ atMs }) => atMs > nowMs - RECENT_SECONDS * 1_000);
    const sum = (key: 'requests' | 'errors'): number => points.reduce((all, point) => all + point[key], 0);
    const latencies = points.reduce<number[]>(
      (all, point) => point.latencies.map((count, bucket) => count + (all[bucket] ?? 0)),
      [],
    );
    const latency = latencyQuantiles(latencies);
    return {
      seconds: RECENT_SECONDS,
      requests: sum('requests'),
      errors: sum('errors'),
      ...(latency && { latency }),
    };
  }

  #pointAt(nowMs: number): Point {
    const atMs = Math.floor(nowMs / POINT_MS) * POINT_MS;
    const last = this.#points.at(-1);
    // A clock that was set back goes on with the last point.
    if (last && last.atMs >= atMs) return last;
    const point: Point = { atMs, requests: 0, errors: 0, latencies: [], queued: 0, ongoing: 0 };
    this.#points.push(point);
    this.#forget(nowMs);
    return point;
  }

  #forget(nowMs: number): void {
    const kept = this.#points.findIndex(({ atMs }) => atMs > nowMs - HOUR_MS);
    if (kept === -1) this.#points.length = 0;
    else this.#points.splice(0, Math.max(kept, this.#points.length - MAX_POINTS));
  }
}
