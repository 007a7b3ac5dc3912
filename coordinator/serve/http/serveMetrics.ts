// What happened to requests, for Prometheus. Names follow Ray Serve's where it has the same thing.

import { prometheusText, type MetricFamily } from '../../core/http/prometheusText.ts';
import type { ServedApp } from '../deployment/servedApp.ts';

/** Upper bounds of the latency histogram, in seconds. */
const BOUNDS_S = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60];

interface AppCounts {
  readonly byStatus: Map<number, number>;
  readonly buckets: Float64Array;
  sumS: number;
}

export class ServeMetrics {
  readonly #apps = new Map<string, AppCounts>();

  count(app: string, status: number, seconds: number): void {
    let counts = this.#apps.get(app);
    if (!counts) {
      counts = { byStatus: new Map(), buckets: new Float64Array(BOUNDS_S.length + 1), sumS: 0 };
      this.#apps.set(app, counts);
    }
    counts.byStatus.set(status, (counts.byStatus.get(status) ?? 0) + 1);
    const bucket = BOUNDS_S.findIndex((bound) => seconds <= bound);
    counts.buckets[bucket < 0 ? BOUNDS_S.length : bucket]! += 1;
    counts.sumS += seconds;
  }

  forget(app: string): void {
    this.#apps.delete(app);
  }

  text(apps: readonly ServedApp[]): string {
    const counts = [...this.#apps];
    const each = (
      name: string,
      help: string,
      type: 'counter' | 'gauge',
      valueOf: (deployment: ReturnType<ServedApp['deployments']>[number]) => number,
    ): MetricFamily => ({
      name,
      help,
      type,
      samples: apps.flatMap((app) =>
        app.deployments().map((deployment) => ({
          labels: { application: app.name, deployment: deployment.name },
          value: valueOf(deployment),
        })),
      ),
    });
    const text = prometheusText([
      {
        name: 'tabgrad_serve_http_requests_total',
        help: 'Requests answered, by application and status.',
        type: 'counter',
        samples: counts.flatMap(([application, { byStatus }]) =>
          [...byStatus].map(([status, value]) => ({
            labels: { application, status: String(status) },
            value,
          })),
        ),
      },
      each('tabgrad_serve_replicas', 'Replicas that run.', 'gauge', ({ replicas }) => replicas.running),
      each('tabgrad_serve_target_replicas', 'Replicas that are wanted.', 'gauge', ({ target }) => target),
      each(
        'tabgrad_serve_ongoing_requests',
        'Requests that replicas have in hand.',
        'gauge',
        (d) => d.ongoing,
      ),
      each('tabgrad_serve_queued_requests', 'Requests in line for a replica.', 'gauge', (d) => d.queued),
      each(
        'tabgrad_serve_replica_restarts_total',
        'Replicas replaced after they ended.',
        'counter',
        (d) => d.restarts,
      ),
      each(
        'tabgrad_serve_retries_total',
        'Requests given to another replica.',
        'counter',
        (d) => d.counts.retries,
      ),
      each(
        'tabgrad_serve_overloads_total',
        'Requests refused for too many in line.',
        'counter',
        (d) => d.counts.overloads,
      ),
      each(
        'tabgrad_serve_timeouts_total',
        'Requests that were not answered in time.',
        'counter',
        (d) => d.counts.timeouts,
      ),
    ]);
    return text + latencyText(counts);
  }
}

function latencyText(counts: readonly (readonly [string, AppCounts])[]): string {
  const name = 'tabgrad_serve_http_request_seconds';
  const lines = [`# HELP ${name} Time from the request's head to its answer.`, `# TYPE ${name} histogram`];
  for (const [app, { buckets, sumS }] of counts) {
    const label = `application="${app}"`;
    let below = 0;
    for (const [i, count] of buckets.entries()) {
      below += count;
      lines.push(`${name}_bucket{${label},le="${BOUNDS_S[i] ?? '+Inf'}"} ${below}`);
    }
    lines.push(`${name}_sum{${label}} ${sumS}`, `${name}_count{${label}} ${below}`);
  }
  return `${lines.join('\n')}\n`;
}
