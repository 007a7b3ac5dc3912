// What the API of a coordinator tells of its workers, and of those that may not come back. Other keys are
// left alone, so that a newer coordinator may say more.

import { z } from 'zod';

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
});
export type WorkerSummary = z.infer<typeof worker>;

export const workersAnswer = z.looseObject({ workers: z.array(worker) });

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
