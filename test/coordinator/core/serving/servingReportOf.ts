// What a server could tell of an application, for tests to change.

import { latencyBoundsS, type ServingReport } from '../../../../shared/api/servingAnswers.ts';

export function servingReportOf(change: Partial<ServingReport> = {}): ServingReport {
  return {
    serverId: '00000000-0000-4000-8000-000000000001',
    status: 'running',
    url: 'http://127.0.0.1:8000/',
    port: 8000,
    hasKey: false,
    routePrefix: '/late',
    modelName: 'late',
    version: '1',
    isReady: true,
    model: {
      summary: 'trees',
      fields: [
        { name: 'hour', kind: 'number' },
        { name: 'carrier', kind: 'category', choices: ['AA', 'UA'] },
      ],
      fieldCount: 2,
    },
    byStatus: {},
    latencies: latencyCounts(),
    deployments: [
      {
        name: 'trees',
        status: 'running',
        target: 1,
        ongoing: 0,
        queued: 0,
        restarts: 0,
        retries: 0,
        overloads: 0,
        timeouts: 0,
        message: '',
        replicas: [{ id: 'trees#1', isCurrent: true, state: 'running', ongoing: 0, answered: 0 }],
      },
    ],
    ...change,
  };
}

/** @param counts by the upper bound of their bucket, in seconds. */
export function latencyCounts(counts: Readonly<Record<number, number>> = {}): number[] {
  return [...latencyBoundsS, Infinity].map((bound) => counts[bound] ?? 0);
}
