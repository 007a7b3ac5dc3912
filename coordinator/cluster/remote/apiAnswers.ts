// What the API of a coordinator answers, as far as the command line and the trainer read it. Other keys are left alone,
// so that a newer coordinator may say more.

import { z } from 'zod';
import type { RunEvent } from '../../core/run/runRequest.ts';
import { recordedExperiment } from '../../core/store/experimentRecord.ts';

const metrics = z.record(z.string(), z.number());

export const runSummary = z.looseObject({
  runId: z.string(),
  name: z.string(),
  status: z.enum(['running', 'finished', 'stopped', 'failed']),
  phase: z.string(),
  generation: z.number(),
  rounds: z.number(),
  totalRounds: z.number(),
  workers: z.array(z.string()),
  waiting: z.string().optional(),
  lastMetrics: metrics.optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
});
export type RunSummary = z.infer<typeof runSummary>;

export const runsAnswer = z.looseObject({ runs: z.array(runSummary) });

export const experimentsAnswer = z.looseObject({ experiments: z.array(recordedExperiment) });

export const statusAnswer = z.looseObject({
  uptimeMs: z.number(),
  joinUrl: z.string(),
  runs: z.array(runSummary),
  applications: z.array(
    z.looseObject({
      name: z.string(),
      routePrefix: z.string(),
      status: z.string(),
      message: z.string(),
      deployments: z.array(
        z.looseObject({ name: z.string(), version: z.string().optional(), replicas: z.number() }),
      ),
    }),
  ),
  experiments: z.array(recordedExperiment),
  traffic: z.record(z.string(), z.looseObject({ sentBytes: z.number(), receivedBytes: z.number() })),
});

export const workersAnswer = z.looseObject({
  workers: z.array(
    z.looseObject({
      workerId: z.string(),
      name: z.string().optional(),
      runtime: z.string(),
      device: z.looseObject({ kind: z.string(), name: z.string(), reason: z.string().optional() }),
      remoteAddress: z.string(),
      present: z.boolean(),
      leaving: z.string().optional(),
      runId: z.string().optional(),
      roundTripMs: z.number().optional(),
    }),
  ),
});

const ban = z.looseObject({
  kind: z.enum(['worker', 'address']),
  value: z.string(),
  reason: z.string(),
  bannedAtMs: z.number(),
});
const workerIds = z.array(z.string());
export const bansAnswer = z.looseObject({ bans: z.array(ban) });
export const liftedAnswer = z.looseObject({ lifted: z.array(ban) });
export const removalAnswer = z.looseObject({ removed: workerIds, bans: z.array(ban) });
export const rotatedAnswer = z.looseObject({
  token: z.string(),
  removed: workerIds,
  joinUrl: z.string().optional(),
});

const groupWorker = z.object({
  workerId: z.string(),
  runtime: z.string(),
  device: z.string(),
  rows: z.number(),
});
const timing = z.object({
  workerId: z.string(),
  computeMs: z.number(),
  exchangeMs: z.number(),
  bytesSent: z.number(),
});

/** An event of a run as it is streamed. */
const reportedEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('waiting'), reason: z.string() }),
  z.object({ type: z.literal('loading'), rowsLoaded: z.number(), rowsTotal: z.number() }),
  z.object({
    type: z.literal('group'),
    generation: z.number(),
    workers: z.array(groupWorker),
    note: z.string().exactOptional(),
  }),
  z.object({
    type: z.literal('round'),
    round: z.number(),
    metrics,
    timings: z.array(timing),
  }),
  z.object({
    type: z.literal('checkpoint'),
    rounds: z.number(),
    sha256: z.string(),
    sizeBytes: z.number(),
  }),
  z.object({ type: z.literal('profiled'), sha256: z.string(), sizeBytes: z.number() }),
  z.object({
    type: z.literal('workerLost'),
    workerId: z.string(),
    reason: z.string(),
    shards: z.number(),
  }),
  z.object({ type: z.literal('workerJoined'), workerId: z.string() }),
  z.object({
    type: z.literal('end'),
    status: z.enum(['running', 'finished', 'stopped', 'failed']),
    error: z.object({ code: z.string(), message: z.string() }).exactOptional(),
  }),
]);
export type ReportedEvent = z.infer<typeof reportedEvent>;

/** Undefined for kinds of events that a newer coordinator may have. */
export function parseEvent(text: string): ReportedEvent | undefined {
  try {
    return reportedEvent.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Rounds come without their payload; that are in the outcome. */
export function asRunEvent(event: Exclude<ReportedEvent, { type: 'end' }>): RunEvent {
  if (event.type !== 'round') return event;
  const { round, metrics, timings } = event;
  return { type: 'round', committed: { round, metrics, payload: [] }, timings };
}

/** How a run ended, with its trees. */
export const outcomeAnswer = z.object({
  status: z.enum(['finished', 'stopped']),
  rounds: z.array(
    z.object({ round: z.number().int().nonnegative(), payload: z.array(z.unknown()), metrics }),
  ),
});
