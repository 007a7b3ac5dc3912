// What the API of a coordinator tells of its workers, and of those that may not come back. Other keys are
// left alone, so that a newer coordinator may say more.

import { z } from 'zod';

/** How far a worker is believed: the owner's own is; strangers' work is checked, less often once enough of it was right. */
const workerTrust = z.enum(['owners', 'proven', 'unproven']);
export type WorkerTrust = z.infer<typeof workerTrust>;

const worker = z.looseObject({
  workerId: z.string(),
  name: z.string().optional(),
  runtime: z.string(),
  device: z.looseObject({ kind: z.string(), name: z.string(), reason: z.string().optional() }),
  cores: z.number(),
  remoteAddress: z.string(),
  present: z.boolean(),
  leaving: z.string().optional(),
  runId: z.string().optional(),
  /** Instances of programs on it. */
  programs: z.number(),
  joinedAtMs: z.number(),
  roundTripMs: z.number().optional(),
  ageMs: z.number().optional(),
  /** Since anything was last heard from it. */
  silentMs: z.number().optional(),
  /** Of its control sockets. */
  sentBytes: z.number().optional(),
  receivedBytes: z.number().optional(),
  /** Sent to other workers in committed rounds, as it says itself. */
  exchangedBytes: z.number().optional(),
  /** Sent over the coordinator's relay. */
  relayedBytes: z.number().optional(),
  /** To the other members of its group, as it told when the group began. */
  links: z.looseObject({ direct: z.number(), relay: z.number() }).optional(),
  trust: workerTrust.optional(),
  /** Checks of its work that came out right. */
  checksPassed: z.number().optional(),
  /** The owner gives it no more work. */
  isDrained: z.boolean().optional(),
  /** What the runs that go on have learned of it. */
  standing: z
    .looseObject({
      rowsPerSecond: z.number().optional(),
      rounds: z.number(),
      disturbances: z.number(),
      delays: z.number(),
      doubts: z.number(),
      setAside: z.looseObject({ reason: z.string(), isForGood: z.boolean() }).optional(),
    })
    .optional(),
});
export type WorkerSummary = z.infer<typeof worker>;

export const workersAnswer = z.looseObject({ workers: z.array(worker) });

/** Who is linked to whom, as members of runs say. */
const linksAnswer = z.looseObject({
  workers: z.array(z.looseObject({ workerId: z.string(), runId: z.string() })),
  /** Two places in the list of workers, and 1 where what they exchange goes through the coordinator's relay. */
  links: z.array(z.tuple([z.number(), z.number(), z.number()])),
});
export type WorkerLinks = z.infer<typeof linksAnswer>;

export const drainedAnswer = z.looseObject({ workerId: z.string(), drained: z.boolean() });

/** That a worker lied, and what shows it. */
const lie = z.looseObject({
  workerId: z.string(),
  evidence: z.looseObject({
    what: z.string(),
    runId: z.string().optional(),
    round: z.number().optional(),
    level: z.number().optional(),
    shards: z.array(z.string()).readonly().optional(),
    claimed: z.string().optional(),
    found: z.string().optional(),
  }),
  foundAtMs: z.number(),
});
export type LieSummary = z.infer<typeof lie>;

const ban = z.looseObject({
  kind: z.enum(['worker', 'address']),
  value: z.string(),
  reason: z.string(),
  bannedAtMs: z.number(),
  /** Of a worker that is banned for them. */
  lies: z.array(lie).optional(),
});
const workerIds = z.array(z.string());
export type BanSummary = z.infer<typeof ban>;
export const bansAnswer = z.looseObject({ bans: z.array(ban) });
export const liftedAnswer = z.looseObject({
  lifted: z.array(ban),
  /** Lies that do not count any more. */
  pardoned: z.array(lie).optional(),
});
export const removalAnswer = z.looseObject({ removed: workerIds, bans: z.array(ban) });
export const rotatedAnswer = z.looseObject({
  token: z.string(),
  removed: workerIds,
  joinUrl: z.string().optional(),
});
