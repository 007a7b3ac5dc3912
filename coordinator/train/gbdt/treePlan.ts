// What the record of a run of trees needs beside its rounds: all of the model but the trees, and the rule of early stopping.

import { z } from 'zod';
import {
  modelPartsFields,
  readModelParts,
  writeModelParts,
  type ModelParts,
} from '../../../shared/gbdt/model/modelParts.ts';
import type { TrainSpec } from '../../../shared/gbdt/trainSpec.ts';

export interface TreePlan extends ModelParts {
  /** What is measured; the last metric of the last set rules early stopping. */
  readonly scored: Pick<TrainSpec, 'evaluationSets' | 'metrics'>;
  readonly earlyStoppingRounds?: number;
  /** The best round before the run was cut short, counted from this run's first: negative. */
  readonly earlier?: { readonly round: number; readonly score: number };
}

const whole = z.number().int();

const remembered = z.object({
  ...modelPartsFields,
  scored: z.object({ evaluationSets: z.array(z.string()), metrics: z.array(z.string()) }),
  earlyStoppingRounds: whole.min(1).exactOptional(),
  earlier: z.object({ round: whole.max(-1), score: z.number() }).exactOptional(),
});

export function rememberTrees({ params, features, continued, ...plan }: TreePlan): object {
  return { ...plan, ...writeModelParts({ params, features, ...(continued && { continued }) }) };
}

/** @throws ZodError, UnknownParameterError, ParameterRangeError, ModelFormatError, ModelUnsupportedError */
export function recallTrees(value: unknown): TreePlan {
  const { params, features, continued, ...plan } = remembered.parse(value);
  return {
    ...plan,
    ...readModelParts({ params, features, ...(continued !== undefined && { continued }) }),
  };
}
