// The whole of a coordinator at a look, as its API tells it. Other keys are
// left alone, so that a newer coordinator may say more.

import { z } from 'zod';
import { recordedExperiment } from './experiment.ts';
import { runSummary } from './runAnswers.ts';

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
export type StatusAnswer = z.infer<typeof statusAnswer>;
