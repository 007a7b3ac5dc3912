// What the durable record of a coordinator knows of tuning experiments: enough to see what was tried and what came of it.
// An experiment goes on from its own folder, never from here.

import { z } from 'zod';

/** An update with more trials than this comes in parts. */
export const MAX_TRIALS_AT_ONCE = 500;
/** Scores of one trial that an update may have, and that the record keeps. */
export const MAX_CURVE_POINTS = 256;
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
  /** Why it ended before its end. */
  stopReason: text(500).exactOptional(),
  /** The iteration at which a scheduler stopped it. */
  prunedAt: z.number().int().nonnegative().max(2_000_000_000).exactOptional(),
});
export type RecordedTrial = z.output<typeof recordedTrial>;

const iteration = z.number().int().nonnegative().max(2_000_000_000);

const trialUpdate = recordedTrial.extend({
  /**
   * Scores that are new since the last update, by iteration, thinned where they are many (trialCurve.ts). They take the
   * place of those from their first iteration on.
   */
  reports: z
    .array(z.tuple([iteration, z.number()]))
    .max(MAX_CURVE_POINTS)
    .refine(
      (points) => points.every(([at], i) => i === 0 || at > points[i - 1]![0]),
      'must ascend by iteration',
    )
    .exactOptional(),
});
export type TrialUpdate = z.output<typeof trialUpdate>;

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
  trials: z.array(trialUpdate).max(MAX_TRIALS_AT_ONCE),
});
export type ExperimentUpdate = z.output<typeof experimentUpdate>;

/** What the owner's process is answered: whether the experiment, or some of its trials, are wished to end. */
export const experimentWishes = z.looseObject({
  stop: z.boolean().default(false),
  stopTrials: z.array(z.number()).default([]),
});
export interface ExperimentWishes extends Readonly<z.output<typeof experimentWishes>> {}

/** As a coordinator tells of it; a newer one may say more. */
export const recordedExperiment = z.looseObject({
  ...head,
  experimentId: z.string(),
  /** When its owner was last heard, by the coordinator's clock: one that was killed is never heard again. */
  heardAtMs: z.number(),
  /** How long ago that was, when the answer was made. */
  silentMs: z.number().exactOptional(),
  trialCount: z.number(),
  /** Trials by their status. */
  counts: z.record(z.string(), z.number()).exactOptional(),
  /** Of the last scores of trials that did not fail. */
  best: z.looseObject({ number: z.number(), score: z.number() }).exactOptional(),
  /** A stop is wished, and the owner's process has not ended it yet. */
  isStopWished: z.boolean().exactOptional(),
  /** By number, the first ones where there are many; none in the status of a coordinator. */
  trials: z.array(z.looseObject(recordedTrial.shape)),
});
export type RecordedExperiment = z.output<typeof recordedExperiment>;

export const experimentIdForm = z.uuid();

/** So long after it was last heard, the owner's process of a running experiment is taken for gone. */
export const SILENT_MS = 90_000;

/** A part of an experiment's trials: those after `after`, by number. */
const experimentAnswer = recordedExperiment.extend({
  /** The number after which the next part begins; absent in the last one. */
  nextAfter: z.number().exactOptional(),
});
export type ExperimentAnswer = z.output<typeof experimentAnswer>;

/** Scores of trials over iterations: thinned the more, the more trials there are; of very many, the best trials'. */
const curvesAnswer = z.looseObject({
  trialCount: z.number(),
  curves: z.array(
    z.looseObject({
      number: z.number(),
      points: z.array(z.tuple([z.number(), z.number()])),
    }),
  ),
});
export type CurvesAnswer = z.output<typeof curvesAnswer>;

export const experimentsAnswer = z.looseObject({
  experiments: z.array(recordedExperiment),
});
