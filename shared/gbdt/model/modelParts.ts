// All of a model but its trees, as plain JSON: with it and the recorded rounds the model of a run can be made, in another
// process and later on.

import { z } from 'zod';
import { resolveParams, type GbdtParams } from '../params.ts';
import type { ModelInput } from './buildModel.ts';
import type { GbdtModel } from './model.ts';
import { readModel } from './readModel.ts';
import { writeModel } from './writeModel.ts';

export interface ModelParts {
  readonly params: GbdtParams;
  readonly features: ModelInput['features'];
  /** The model that the run goes on from. */
  readonly continued?: GbdtModel;
}

/** The form of it, for those who keep more beside it. */
export const modelPartsFields = {
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
};
const written = z.object(modelPartsFields);

/** Floats keep every bit: JSON has the shortest text of each as a double. */
export function writeModelParts({ params, features, continued }: ModelParts): z.input<typeof written> {
  return {
    params: { ...params },
    features: features.map(({ name, cuts, categories }) => ({
      ...cuts,
      name,
      cuts: Array.from(cuts.cuts),
      ...(categories && { categories: [...categories] }),
    })),
    ...(continued && { continued: writeModel(continued) }),
  };
}

/** @throws ZodError, UnknownParameterError, ParameterRangeError, ModelFormatError, ModelUnsupportedError */
export function readModelParts(value: unknown): ModelParts {
  const { params, features, continued } = written.parse(value);
  return {
    params: resolveParams(params),
    features: features.map(({ name, cuts, belowAll, categorical, ...rest }) => ({
      ...rest,
      name,
      cuts: { cuts: Float32Array.from(cuts), belowAll, categorical },
    })),
    ...(continued !== undefined && { continued: readModel(continued) }),
  };
}
