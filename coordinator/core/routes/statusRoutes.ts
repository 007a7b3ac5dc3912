// How the coordinator is: for people, for programs and for Prometheus.

import { visibleLine } from '../../../kernels/visibleText.ts';
import type { Pool } from '../pool/pool.ts';
import type { RecordedApplication } from '../store/serveRecord.ts';
import type { RunRegistry } from '../run/runRegistry.ts';
import type { RecordedExperiment } from '../../../shared/api/experiment.ts';
import { prometheusText } from '../http/prometheusText.ts';
import type { MetricFamily } from '../http/prometheusText.ts';
import type { Route } from '../http/route.ts';
import type { Traffic } from '../http/trafficMeter.ts';

export interface StatusSource {
  readonly pool: Pool;
  readonly runs: RunRegistry;
  readonly traffic: () => Traffic;
  readonly applications: () => Promise<RecordedApplication[]>;
  readonly experiments: () => Promise<RecordedExperiment[]>;
  readonly uptimeMs: () => number;
  readonly joinUrl: () => string;
}

export function statusRoutes(source: StatusSource): Route[] {
  const { pool, runs } = source;
  const read = (path: string, handle: Route['handle'], access: Route['access'] = 'admin'): Route => ({
    method: 'GET',
    path,
    access,
    traffic: 'api',
    handle,
  });
  return [
    read('/healthz', (exchange) => exchange.text(200, 'text/plain; charset=utf-8', 'ok\n'), 'public'),
    read('/metrics', (exchange) =>
      exchange.text(200, 'text/plain; version=0.0.4; charset=utf-8', prometheusText(metrics(source))),
    ),
    read('/api/v1/status', async (exchange) =>
      exchange.json(200, {
        uptimeMs: Math.round(source.uptimeMs()),
        joinUrl: source.joinUrl(),
        workers: pool.workers().length,
        runs: runs.list().map((entry) => entry.summary()),
        applications: (await source.applications()).map(({ recipe, ...told }) => ({
          ...told,
          isRestorable: 'nodes' in recipe,
        })),
        experiments: await source.experiments(),
        counters: pool.counters,
        traffic: source.traffic(),
      }),
    ),
  ];
}

/** The page at "/", until there is a dashboard. */
export function statusText({ pool, runs, joinUrl }: StatusSource): string {
  const workers = pool.workers();
  const lines = [`tabgrad coordinator`, '', `workers: ${workers.length}`];
  for (const { runtime, device, present, runId } of workers) {
    lines.push(
      `  ${runtime} on ${device.name}${present ? '' : ' (away)'}${runId === undefined ? '' : `, run ${runId}`}`,
    );
  }
  lines.push(`runs: ${runs.list().length}`);
  for (const { runId, status, rounds, totalRounds } of runs.list().map((entry) => entry.summary())) {
    lines.push(`  ${runId}: ${status}, ${rounds} of ${totalRounds} rounds`);
  }
  // The token of the join link is not for everybody who can read this page.
  lines.push('', `lend this machine: ${joinUrl().split('#')[0] ?? ''}`, '');
  return lines.map(visibleLine).join('\n');
}

function metrics({ pool, runs, traffic, uptimeMs }: StatusSource): MetricFamily[] {
  const workers = pool.workers();
  const { counters } = pool;
  const states = ['present', 'away'] as const;
  const statuses = ['running', 'finished', 'stopped', 'failed'] as const;
  const entries = runs.list();
  const counter = (name: string, help: string, value: number): MetricFamily => ({
    name,
    help,
    type: 'counter',
    samples: [{ value }],
  });
  return [
    {
      name: 'tabgrad_uptime_seconds',
      help: 'Since the start.',
      type: 'gauge',
      samples: [{ value: uptimeMs() / 1000 }],
    },
    {
      name: 'tabgrad_workers',
      help: 'Workers by presence.',
      type: 'gauge',
      samples: states.map((state) => ({
        labels: { state },
        value: workers.filter((worker) => worker.present === (state === 'present')).length,
      })),
    },
    {
      name: 'tabgrad_runs',
      help: 'Runs by status.',
      type: 'gauge',
      samples: statuses.map((status) => ({
        labels: { status },
        value: entries.filter((entry) => entry.status === status).length,
      })),
    },
    {
      name: 'tabgrad_run_rounds',
      help: 'Committed rounds of a run.',
      type: 'gauge',
      samples: entries.map((entry) => ({
        labels: { run: entry.runId },
        value: entry.summary().rounds,
      })),
    },
    {
      name: 'tabgrad_traffic_bytes_total',
      help: 'Bytes on the wire by purpose and direction.',
      type: 'counter',
      samples: Object.entries(traffic()).flatMap(([purpose, count]) => [
        { labels: { purpose, direction: 'sent' }, value: count.sentBytes },
        { labels: { purpose, direction: 'received' }, value: count.receivedBytes },
      ]),
    },
    counter('tabgrad_control_messages_total', 'Control messages received.', counters.messagesReceived),
    counter(
      'tabgrad_malformed_messages_total',
      'Control messages not understood.',
      counters.malformedMessages,
    ),
    counter('tabgrad_refused_workers_total', 'Sockets refused.', counters.refusedWorkers),
    counter('tabgrad_reconnects_total', 'Lost sockets that came back.', counters.reconnects),
    counter('tabgrad_lost_workers_total', 'Workers lost for good.', counters.lostWorkers),
  ];
}
