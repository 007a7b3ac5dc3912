// Reads a TrainSpec that another process wrote. Its blob is what its hash says, but that says nothing of its meaning.

import { z } from 'zod';
import { gradientKinds } from '../../kernels/gbdt/gradientKinds.ts';
import { LIMB_BITS, MAX_VALUE_BINS } from '../../kernels/gbdt/treeDevice.ts';
import { TrainSpecError } from './errors/gbdtErrors.ts';
import { resolveParams } from './params.ts';
import { MAX_TRAIN_LOOP_LENGTH } from './trainLoop.ts';
import type { TrainSpec } from './trainSpec.ts';

const HALF_LIMB = 2 ** (LIMB_BITS - 1);
const MAX_FEATURES = 1 << 20;
const MAX_CLASSES = 1024;
const MAX_EVALUATION_SETS = 64;

const count = z.int().nonnegative();
const unit = z.number().nonnegative();
const names = z.array(z.string().max(128)).max(MAX_EVALUATION_SETS);

const trainSpec = z.object({
  trainer: z.literal('gbdt'),
  params: z.record(z.string(), z.unknown()),
  numBoostRound: count.min(1),
  firstRound: count.optional(),
  features: z
    .array(
      z.object({
        name: z.string(),
        bins: count.max(MAX_VALUE_BINS),
        categorical: z.boolean(),
        monotone: z.literal([-1, 0, 1]),
      }),
    )
    .min(1)
    .max(MAX_FEATURES),
  device: z.object({
    gradient: z.enum(gradientKinds),
    outputs: count.min(1).max(MAX_CLASSES),
    marginFractionBits: z.int(),
    baseMargin: z.int(),
    isWide: z.boolean().optional(),
    baseMarginLow: z
      .int()
      .min(-HALF_LIMB)
      .max(HALF_LIMB - 1)
      .optional(),
    slotsPerFeature: z.array(count.min(1).max(MAX_VALUE_BINS + 1)),
    sampling: z.object({ seed: z.number(), threshold: count.max(2 ** 32) }),
  }),
  gradientUnit: unit,
  hessianUnit: unit,
  evaluationSets: names,
  metrics: names,
  trainRows: count,
  sharesRows: z.boolean().optional(),
  trainLoop: z.object({ source: z.string().max(MAX_TRAIN_LOOP_LENGTH), config: z.unknown() }).optional(),
});

/**
 * The spec of a parsed JSON value.
 * @throws TrainSpecError naming the field; UnknownParameterError, ParameterRangeError.
 */
export function readTrainSpec(value: unknown): TrainSpec {
  const parsed = trainSpec.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = issue?.path.join('.') ?? '';
    throw new TrainSpecError(`train spec: ${field}: ${issue?.message ?? 'unknown form'}`, { field });
  }
  const { firstRound, sharesRows, trainLoop, device, ...spec } = parsed.data;
  const { isWide, baseMarginLow, ...narrow } = device;
  if (device.slotsPerFeature.length !== spec.features.length) {
    throw new TrainSpecError(
      `train spec: device.slotsPerFeature has ${device.slotsPerFeature.length} entries, features ${spec.features.length}`,
      { field: 'device.slotsPerFeature' },
    );
  }
  return {
    ...spec,
    params: resolveParams(spec.params),
    device: {
      ...narrow,
      ...(isWide !== undefined && { isWide }),
      ...(baseMarginLow !== undefined && { baseMarginLow }),
    },
    ...(firstRound !== undefined && { firstRound }),
    ...(sharesRows !== undefined && { sharesRows }),
    ...(trainLoop && { trainLoop: { source: trainLoop.source, config: trainLoop.config } }),
  };
}
