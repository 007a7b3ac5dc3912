// What happened to requests, for Prometheus. Names follow Ray Serve's where it has the same thing.

import { prometheusText, type MetricFamily } from '../../core/http/prometheusText.ts';
import { latencyBoundsS } from '../../../shared/api/servingAnswers.ts';
import type { ServedApp } from '../deployment/servedApp.ts';

interface Counts {
  readonly byStatus: Map<number, number>;
  readonly buckets: Float64Array;
  sumS: number;
}

/** What was counted of applications, as a plain value. */
export type AppCounts = readonly {
  readonly app: string;
  readonly byStatus: readonly (readonly [status: number, count: number])[];
  readonly buckets: readonly number[];
  readonly sumS: number;
}[];

export class ServeMetrics {
  readonly #apps = new Map<string, Counts>();

  count(app: string, status: number, seconds: number): void {
    const counts = this.#counts(app);
    counts.byStatus.set(status, (counts.byStatus.get(status) ?? 0) + 1);
    const bucket = latencyBoundsS.findIndex((bound) => seconds <= bound);
    counts.buckets[bucket < 0 ? latencyBoundsS.length : bucket]! += 1;
    counts.sumS += seconds;
  }

  /** What was counted of an application. */
  of(app: string): { readonly byStatus: ReadonlyMap<number, number>; readonly latencies: readonly number[] } {
    const { byStatus, buckets } = this.#apps.get(app) ?? newCounts();
    return { byStatus, latencies: [...buckets] };
  }

  /** What was counted, which counts no more here. */
  take(): AppCounts {
    const taken = Array.from(this.#apps, ([app, { byStatus, buckets, sumS }]) => ({
      app,
      byStatus: [...byStatus],
      buckets: [...buckets],
      sumS,
    }));
    this.#apps.clear();
    return taken;
  }

  /** Adds what was counted elsewhere. */
  add(counts: AppCounts): void {
    for (const { app, byStatus, buckets, sumS } of counts) {
      const own = this.#counts(app);
      for (const [status, count] of byStatus)
        own.byStatus.set(status, (own.byStatus.get(status) ?? 0) + count);
      for (const [i, count] of buckets.entries()) own.buckets[i]! += count;
      own.sumS += sumS;
    }
  }

  forget(app: string): void {
    this.#apps.delete(app);
  }

  #counts(app: string): Counts {
    let counts = this.#apps.get(app);
    if (!counts) {
      counts = newCounts();
      this.#apps.set(app, counts);
    }
    return counts;
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
        'tabgrad_serve_checks_total',
        'Answers of strangers that were computed again.',
        'counter',
        (d) => d.checks.checks,
      ),
      each('tabgrad_serve_liars_total', 'Workers that had lied.', 'counter', (d) => d.checks.liars),
      each(
        'tabgrad_serve_suspect_answers_total',
        'Answers that callers had of liars since their last check that came out right.',
        'counter',
        (d) => d.checks.suspectAnswers,
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

function newCounts(): Counts {
  return { byStatus: new Map(), buckets: new Float64Array(latencyBoundsS.length + 1), sumS: 0 };
}

function latencyText(counts: readonly (readonly [string, Counts])[]): string {
  const name = 'tabgrad_serve_http_request_seconds';
  const lines = [`# HELP ${name} Time from the request's head to its answer.`, `# TYPE ${name} histogram`];
  for (const [app, { buckets, sumS }] of counts) {
    const label = `application="${app}"`;
    let below = 0;
    for (const [i, count] of buckets.entries()) {
      below += count;
      lines.push(`${name}_bucket{${label},le="${latencyBoundsS[i] ?? '+Inf'}"} ${below}`);
    }
    lines.push(`${name}_sum{${label}} ${sumS}`, `${name}_count{${label}} ${below}`);
  }
  return `${lines.join('\n')}\n`;
}
