// Reads a NeuralSpec that another process wrote. Its blob is what its hash says, but that says nothing of its meaning.

import { z } from 'zod';
import { TabgradError } from '../../../kernels/errors.ts';
import { lossNames, metricNames } from '../trainingEngine.ts';
import { fieldsOf, shardBytes } from './tensorShard.ts';
import { gradientCodecs, type NeuralSpec, type TensorDataset } from './neuralSpec.ts';

/** What the coordinator says of a run contradicts itself. */
export class NeuralSpecError extends TabgradError {
  readonly code = 'TRAIN_SPEC_MALFORMED';
}

const MAX_SHARDS = 1_000_000;
const count = z.int().nonnegative();
const fraction = z.number().min(0).max(1);
export const blob = { sha256: z.string().regex(/^[0-9a-f]{64}$/), sizeBytes: count };
const field = z.object({
  name: z.string().max(512),
  shape: z.array(count.min(1)).max(8),
  storage: z.enum(['float32', 'int32', 'uint8']),
  dtype: z.enum(['float32', 'int32']),
  scale: z.number(),
  offset: z.number().exactOptional(),
});
export const dataset = z.object({
  rows: count.min(1),
  shardRows: count.min(1),
  inputs: z.array(field).max(64),
  target: field,
  shards: z
    .array(z.object({ ...blob, rows: count.min(1) }))
    .min(1)
    .max(MAX_SHARDS),
});
const adam = { beta1: fraction, beta2: fraction, epsilon: z.number().positive(), weightDecay: z.number() };

const neuralSpec = z.object({
  trainer: z.literal('neural'),
  topology: z.unknown(),
  engine: z.enum(['compiled', 'tfjs']),
  initialState: z.object(blob),
  firstStep: count,
  steps: count.min(1),
  loss: z.object({
    name: z.enum(lossNames),
    fromLogits: z.boolean(),
  }),
  metrics: z.array(z.enum(metricNames)).max(metricNames.length),
  optimizer: z.discriminatedUnion('name', [
    z.object({
      name: z.literal('sgd'),
      momentum: fraction,
      nesterov: z.boolean(),
      weightDecay: z.number(),
    }),
    z.object({ name: z.literal('adam'), ...adam }),
    z.object({ name: z.literal('adamw'), ...adam }),
  ]),
  learningRate: z.object({
    initial: z.number(),
    warmupSteps: count,
    decay: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('constant') }),
      z.object({ kind: z.literal('cosine'), final: fraction }),
      z.object({ kind: z.literal('step'), steps: count.min(1), factor: z.number().positive() }),
    ]),
  }),
  clipNorm: z.number().positive().exactOptional(),
  clipValue: z.number().positive().exactOptional(),
  globalBatchSize: count.min(1),
  microbatchSize: count.min(1),
  seed: count,
  bucketBytes: count.min(1024),
  gradientCodec: z.enum(gradientCodecs),
  syncBatchNorm: z.boolean(),
  localSteps: z
    .object({
      steps: count.min(1),
      outerLearningRate: z.number().positive(),
      outerMomentum: z.number().min(0).lt(1),
    })
    .exactOptional(),
  train: dataset,
  valid: dataset.exactOptional(),
  reportEverySteps: count.min(1).exactOptional(),
  checkpointEverySteps: count.min(1),
  verifyEveryStep: z.boolean(),
  centeredClip: z
    .object({ radius: z.number().positive(), iterations: count.min(1).max(100) })
    .exactOptional(),
  checkEverySteps: count.exactOptional(),
  profile: z.boolean().exactOptional(),
  tuneKernels: z.boolean().exactOptional(),
});

/** @throws NeuralSpecError naming the field. */
export function readNeuralSpec(value: unknown): NeuralSpec {
  const parsed = neuralSpec.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const path = issue?.path.join('.') ?? '';
    throw new NeuralSpecError(`neural spec: ${path}: ${issue?.message ?? 'unknown form'}`, { field: path });
  }
  const spec = parsed.data;
  for (const field of ['syncBatchNorm', 'profile'] as const) {
    if (spec.localSteps && spec[field] === true) {
      throw new NeuralSpecError(`neural spec: localSteps and ${field} exclude each other`, { field });
    }
  }
  if (spec.centeredClip && (spec.localSteps || spec.gradientCodec !== 'f32')) {
    const field = 'centeredClip';
    throw new NeuralSpecError(`neural spec: ${field} is for gradients as they are`, { field });
  }
  checkDataset('train', spec.train);
  if (spec.valid) checkDataset('valid', spec.valid);
  return spec;
}

/** Sizes are bounded by what they must be, before anything is fetched. */
export function checkDataset(name: string, data: TensorDataset): void {
  const fields = fieldsOf(data);
  const rows = data.shards.reduce((sum, shard) => sum + shard.rows, 0);
  const wrong = data.shards.findIndex(
    (shard, at) =>
      shard.sizeBytes !== shardBytes(fields, shard.rows) ||
      (at < data.shards.length - 1 ? shard.rows !== data.shardRows : shard.rows > data.shardRows),
  );
  if (rows === data.rows && wrong === -1) return;
  throw new NeuralSpecError(
    wrong === -1
      ? `neural spec: ${name} has ${data.rows} rows, its shards ${rows}`
      : `neural spec: shard ${wrong} of ${name} has a size that its rows do not have`,
    { field: wrong === -1 ? `${name}.rows` : `${name}.shards.${wrong}` },
  );
}
