// What the API of a coordinator tells of runs, as the command line, trainers and the dashboard read it. Other keys are
// left alone, so that a newer coordinator may say more.

import { z } from 'zod';

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

const groupWorker = z.object({
  workerId: z.string(),
  runtime: z.string(),
  device: z.string(),
  rows: z.number(),
});
export const roundTiming = z.object({
  workerId: z.string(),
  computeMs: z.number(),
  exchangeMs: z.number(),
  bytesSent: z.number(),
});

/** An event of a run as it is streamed. */
export const reportedEvent = z.discriminatedUnion('type', [
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
    timings: z.array(roundTiming),
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
    type: z.literal('undone'),
    rounds: z.number(),
    reason: z.string(),
    savedState: z.object({ rounds: z.number(), sha256: z.string(), sizeBytes: z.number() }).exactOptional(),
  }),
  z.object({
    type: z.literal('end'),
    status: z.enum(['running', 'finished', 'stopped', 'failed']),
    error: z.object({ code: z.string(), message: z.string() }).exactOptional(),
  }),
]);
export type ReportedEvent = z.infer<typeof reportedEvent>;
export type RoundTiming = z.infer<typeof roundTiming>;
/** As it is streamed: with milliseconds since 1970, where they are known. */
export type StreamedEvent = ReportedEvent & { readonly atMs?: number };

/** Undefined for kinds of events that a newer coordinator may have. */
export function parseEvent(text: string): ReportedEvent | undefined {
  try {
    return reportedEvent.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** How a run ended, with its trees. */
export const outcomeAnswer = z.object({
  status: z.enum(['finished', 'stopped']),
  rounds: z.array(
    z.object({ round: z.number().int().nonnegative(), payload: z.array(z.unknown()), metrics }),
  ),
});
