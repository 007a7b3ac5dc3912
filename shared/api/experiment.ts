// What the durable record of a coordinator knows of tuning experiments: enough to see what was tried and what came of it.
// An experiment goes on from its own folder, never from here.

import { z } from 'zod';

/** An update with more trials than this comes in parts. */
export const MAX_TRIALS_AT_ONCE = 500;
const MAX_ASSIGNMENT_CHARACTERS = 20_000;

const text = (most: number): z.ZodString => z.string().max(most);

const recordedTrial = z.strictObject({
  number: z.number().int().nonnegative().max(2_000_000_000),
  status: z.enum(['pending', 'waiting', 'running', 'paused', 'finished', 'errored']),
  /** Values by their path in the search space. */
  assignment: z
    .record(z.string(), z.unknown())
    .refine((values) => JSON.stringify(values).length <= MAX_ASSIGNMENT_CHARACTERS, 'is too long'),
  iterations: z.number().int().nonnegative().max(2_000_000_000),
  /** The tuned metric as it was reported; absent where there is none, and where it was no number. */
  lastScore: z.number().exactOptional(),
  bestScore: z.number().exactOptional(),
  /** The run that trained it last; absent where the owner's own function is the trial. */
  runId: text(200).exactOptional(),
  errorCode: text(200).exactOptional(),
});
export type RecordedTrial = z.output<typeof recordedTrial>;

const head = {
  name: text(200),
  /** On the machine of its owner. */
  folder: text(4096),
  metric: text(500).exactOptional(),
  mode: z.enum(['max', 'min']).exactOptional(),
  /** "stopped" was called off; `Tuner.restore` goes on with it, and with one that failed. */
  status: z.enum(['running', 'finished', 'stopped', 'failed']),
  errorCode: text(200).exactOptional(),
  /** Milliseconds since 1970 by the owner's clock. */
  startedAtMs: z.number(),
  endedAtMs: z.number().exactOptional(),
};

/** An experiment as it is now, with those of its trials that changed. */
export const experimentUpdate = z.strictObject({
  ...head,
  trials: z.array(recordedTrial).max(MAX_TRIALS_AT_ONCE),
});
export type ExperimentUpdate = z.output<typeof experimentUpdate>;

/** As a coordinator tells of it; a newer one may say more. */
export const recordedExperiment = z.looseObject({
  ...head,
  experimentId: z.string(),
  /** When its owner was last heard, by the coordinator's clock: one that was killed is never heard again. */
  heardAtMs: z.number(),
  trialCount: z.number(),
  /** By number, the first ones where there are many. */
  trials: z.array(z.looseObject(recordedTrial.shape)),
});
export type RecordedExperiment = z.output<typeof recordedExperiment>;

export const experimentIdForm = z.uuid();

export const experimentsAnswer = z.looseObject({ experiments: z.array(recordedExperiment) });
