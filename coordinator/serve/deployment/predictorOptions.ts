// What a checkpoint is bound with: the options of its predictor.

import { z } from 'zod';
import type { LayersOptions } from '../replica/layersProgram.ts';
import type { TreeOptions } from '../replica/answerColumns.ts';
import { ServeArgumentError } from '../request/serveErrors.ts';

const treeOptions = z.strictObject({
  outputColumn: z.string().min(1).max(200).optional(),
  outputMargin: z.boolean().optional(),
  withLabel: z.boolean().optional(),
  withMargin: z.boolean().optional(),
  iterationRange: z.tuple([z.number().int().min(0), z.number().int().min(0)]).optional(),
});

const layersOptions = z.strictObject({
  device: z.enum(['cpu', 'webgpu']).optional(),
  maxBatchSize: z.number().int().min(1).max(100_000).optional(),
  batchWaitTimeoutS: z.number().min(0).max(3_600).optional(),
});

/** @throws ServeArgumentError naming the option. */
export function readTreeOptions(given: unknown): TreeOptions {
  return readOptions(treeOptions, given) as TreeOptions;
}

/** @throws ServeArgumentError naming the option. */
export function readLayersOptions(given: unknown): LayersOptions {
  return readOptions(layersOptions, given) as LayersOptions;
}

function readOptions<T extends z.ZodType>(schema: T, options: unknown): z.output<T> {
  const parsed = schema.safeParse(options ?? {});
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new ServeArgumentError(`Options of the predictor${where(issue.path)}: ${issue.message}.`);
}

function where(path: readonly PropertyKey[]): string {
  return path.length === 0 ? '' : ` (${path.join('.')})`;
}
