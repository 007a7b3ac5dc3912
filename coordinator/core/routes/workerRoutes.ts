// The workers over HTTP, as owners look at them: who they are, what is seen and learned of them, and who is linked to whom.

import type { WorkerLinks, WorkerSummary } from '../../../shared/api/workerAnswers.ts';
import type { Pool } from '../pool/pool.ts';
import { trustOf } from '../pool/workerTrust.ts';
import type { RunRegistry } from '../run/runRegistry.ts';
import type { Route } from '../http/route.ts';

export interface WorkerSource {
  readonly pool: Pool;
  readonly runs: Pick<RunRegistry, 'standings'>;
  /** Of the coordinator's monotonic clock. */
  readonly now: () => number;
  /** Payload bytes that a worker sent over the relay. */
  readonly relayedBytes: (workerId: string) => number;
}

/** Links in one answer; beyond that a picture would be black. */
const MAX_LINKS = 50_000;

export function workerRoutes(source: WorkerSource): Route[] {
  const read = (path: string, handle: Route['handle']): Route => ({
    method: 'GET',
    path,
    access: 'admin',
    traffic: 'api',
    handle,
  });
  return [
    read('/api/v1/workers', (exchange) => exchange.json(200, { workers: toldWorkers(source) })),
    read('/api/v1/workers/links', (exchange) => exchange.json(200, toldLinks(source.pool))),
  ];
}

function toldWorkers({ pool, runs, now, relayedBytes }: WorkerSource): WorkerSummary[] {
  const standings = runs.standings();
  return pool.workers().map(({ isOwners, ...worker }) => {
    const { workerId, checksPassed } = worker;
    const { links = [], drained, ...seen } = pool.seen(workerId) ?? {};
    const standing = standings.get(workerId);
    const over = (path: string): number => links.filter((link) => link.path === path).length;
    return {
      ...worker,
      ...seen,
      ageMs: Math.max(0, now() - worker.joinedAtMs),
      relayedBytes: relayedBytes(workerId),
      links: { direct: over('direct') + over('memory'), relay: over('relay') },
      trust: trustOf({ isOwners, checksPassed }),
      isDrained: drained !== undefined,
      ...(standing && { standing: { ...standing } }),
    };
  });
}

/** Each pair once. Of those who are in no run any more nothing is told. */
function toldLinks(pool: Pool): WorkerLinks {
  const members = pool.workers().filter(({ runId }) => runId !== undefined);
  const places = new Map(members.map(({ workerId }, place) => [workerId, place]));
  const told = members.map(({ workerId }) => pool.seen(workerId)?.links ?? []);
  // What one member tells takes time by its length, whatever it names.
  const tellers = told.map((links) => new Set(links.map(({ workerId }) => workerId)));
  const links: WorkerLinks['links'] = [];
  for (const [from, { workerId, runId }] of members.entries()) {
    for (const { workerId: other, path } of told[from]!) {
      const to = places.get(other);
      if (to === undefined || to === from || members[to]?.runId !== runId) continue;
      if (links.length >= MAX_LINKS) break;
      if (from < to || !tellers[to]!.has(workerId)) links.push([from, to, path === 'relay' ? 1 : 0]);
    }
  }
  return { workers: members.map(({ workerId, runId = '' }) => ({ workerId, runId })), links };
}
