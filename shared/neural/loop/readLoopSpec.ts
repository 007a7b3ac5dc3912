// Reads a LoopSpec that another process wrote.

import { z } from 'zod';
import { MAX_TRAIN_LOOP_LENGTH } from '../../gbdt/trainLoop.ts';
import { blob, checkDataset, dataset, NeuralSpecError } from '../run/readNeuralSpec.ts';
import type { LoopSpec } from './loopSpec.ts';

const loopSpec = z.object({
  trainer: z.literal('loop'),
  code: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('module'), bundle: z.object(blob), exportName: z.string().max(256) }),
    z.object({ kind: z.literal('text'), source: z.string().max(MAX_TRAIN_LOOP_LENGTH) }),
  ]),
  config: z.unknown(),
  datasets: z.record(z.string().max(128), dataset),
  seed: z.int().nonnegative(),
  timeoutMs: z.number().positive(),
  maxReports: z.int().min(1),
  startingCheckpoint: z.object(blob).exactOptional(),
});

/** @throws NeuralSpecError naming the field. */
export function readLoopSpec(value: unknown): LoopSpec {
  const parsed = loopSpec.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const path = issue?.path.join('.') ?? '';
    throw new NeuralSpecError(`loop spec: ${path}: ${issue?.message ?? 'unknown form'}`, { field: path });
  }
  for (const [name, data] of Object.entries(parsed.data.datasets)) checkDataset(name, data);
  return parsed.data;
}
