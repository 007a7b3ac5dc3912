// What the record of a run of trees needs beside its rounds: all of the model but the trees, and the rule of early stopping.

import { z } from 'zod';
import type { ModelInput } from '../../../shared/gbdt/model/buildModel.ts';
import type { GbdtModel } from '../../../shared/gbdt/model/model.ts';
import { readModel } from '../../../shared/gbdt/model/readModel.ts';
import { writeModel } from '../../../shared/gbdt/model/writeModel.ts';
import { resolveParams, type GbdtParams } from '../../../shared/gbdt/params.ts';
import type { TrainSpec } from '../../../shared/gbdt/trainSpec.ts';

export interface TreePlan {
  readonly params: GbdtParams;
  readonly features: ModelInput['features'];
  /** The model that the run goes on from. */
  readonly continued?: GbdtModel;
  /** What is measured; the last metric of the last set rules early stopping. */
  readonly scored: Pick<TrainSpec, 'evaluationSets' | 'metrics'>;
  readonly earlyStoppingRounds?: number;
  /** The best round before the run was cut short, counted from this run's first: negative. */
  readonly earlier?: { readonly round: number; readonly score: number };
}

const whole = z.number().int();

const remembered = z.object({
  params: z.record(z.string(), z.unknown()),
  features: z.array(
    z.object({
      name: z.string(),
      cuts: z.array(z.number()).min(1),
      belowAll: z.number(),
      categorical: z.boolean(),
      categories: z.array(z.string()).exactOptional(),
    }),
  ),
  continued: z.string().exactOptional(),
  scored: z.object({ evaluationSets: z.array(z.string()), metrics: z.array(z.string()) }),
  earlyStoppingRounds: whole.min(1).exactOptional(),
  earlier: z.object({ round: whole.max(-1), score: z.number() }).exactOptional(),
});

/** Floats keep every bit: JSON has the shortest text of each as a double. */
export function rememberTrees({ features, continued, ...plan }: TreePlan): object {
  return {
    ...plan,
    features: features.map(({ name, cuts, categories }) => ({
      ...cuts,
      name,
      cuts: Array.from(cuts.cuts),
      categories,
    })),
    ...(continued && { continued: writeModel(continued) }),
  };
}

/** @throws ZodError, UnknownParameterError, ParameterRangeError, ModelFormatError, ModelUnsupportedError */
export function recallTrees(value: unknown): TreePlan {
  const { params, features, continued, ...plan } = remembered.parse(value);
  return {
    ...plan,
    params: resolveParams(params),
    features: features.map(({ name, cuts, belowAll, categorical, ...rest }) => ({
      ...rest,
      name,
      cuts: { cuts: Float32Array.from(cuts), belowAll, categorical },
    })),
    ...(continued !== undefined && { continued: readModel(continued) }),
  };
}
