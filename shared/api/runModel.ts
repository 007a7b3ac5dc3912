// What the API of a coordinator tells of a run's model: importance of features and single trees, the layers of a net, and
// what the run was asked for. Other keys are left alone, so that a newer coordinator may say more.

import { z } from 'zod';

export const importanceAnswer = z.looseObject({
  /** Rounds that were counted, those of a model that the run goes on from included. */
  rounds: z.number(),
  /** Features that split anything, by their average gain: the first ones where there are many. */
  features: z.array(
    z.object({
      feature: z.string(),
      weight: z.number(),
      gain: z.number(),
      cover: z.number(),
      totalGain: z.number(),
      totalCover: z.number(),
    }),
  ),
  /** Features that split anything. */
  used: z.number(),
});
export type ImportanceAnswer = z.infer<typeof importanceAnswer>;

const node = z.looseObject({
  /** Positions in `nodes`; absent for leaves. */
  left: z.number().optional(),
  right: z.number().optional(),
  feature: z.string().optional(),
  /** Below it goes left; absent for categories. */
  threshold: z.number().optional(),
  /** These go right. */
  categories: z.array(z.union([z.string(), z.number()])).optional(),
  /** Where a missing value goes. */
  missing: z.enum(['left', 'right']).optional(),
  /** Of a leaf. */
  value: z.number().optional(),
  gain: z.number().optional(),
  cover: z.number(),
});
export type ToldNode = z.infer<typeof node>;

export const treeAnswer = z.looseObject({
  /** Trees of the model at present. */
  trees: z.number(),
  /** Which of them this is, from 0. */
  tree: z.number(),
  /** The class that it adds to, where there are several. */
  output: z.number().optional(),
  /** The root first. */
  nodes: z.array(node),
});
export type TreeAnswer = z.infer<typeof treeAnswer>;

const layer = z.looseObject({
  name: z.string(),
  type: z.string(),
  /** Without the batch. */
  shape: z.array(z.number()),
  parameters: z.number(),
  trainable: z.number(),
  /** Of its parameters, their gradients and the optimizer's arrays. */
  stateBytes: z.number(),
  /** Of what comes out, for a microbatch. */
  outputBytes: z.number(),
  /** In the profiled step, where there was one and the device has timestamps. */
  forwardMs: z.number().optional(),
  backwardMs: z.number().optional(),
});

export const layersAnswer = z.looseObject({
  layers: z.array(layer),
  parameters: z.number(),
  /** Why layers are not known, where they are not. */
  note: z.string().optional(),
  /** The step that was profiled. */
  profiledStep: z.number().optional(),
});
export type LayersAnswer = z.infer<typeof layersAnswer>;

/** What it takes, beside a stored state, to make a checkpoint of a net. */
export const netAnswer = z.looseObject({
  /** A tf.LayersModel's. */
  topology: z.unknown(),
  /** How columns became inputs, where the run's owner said so. */
  inputs: z
    .array(
      z.looseObject({
        name: z.string(),
        columns: z.array(z.string()).optional(),
        scale: z.number(),
        offset: z.number(),
      }),
    )
    .optional(),
});
export type NetAnswer = z.infer<typeof netAnswer>;

export const configAnswer = z.looseObject({
  trainer: z.string(),
  /** Milliseconds since 1970. */
  startedAtMs: z.number(),
  endedAtMs: z.number().optional(),
  /** What was asked for, large and secret things left out. */
  config: z.record(z.string(), z.unknown()),
  /** Whether the coordinator can make a model of what it recorded. */
  hasModel: z.boolean(),
  /** The last state that the members of a run of nets stored. */
  state: z.looseObject({ rounds: z.number(), sha256: z.string(), sizeBytes: z.number() }).optional(),
});
export type ConfigAnswer = z.infer<typeof configAnswer>;
