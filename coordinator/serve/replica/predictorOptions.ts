// What a checkpoint is bound with: the options of its predictor.

import { z } from 'zod';
import { deviceKinds } from '../../../kernels/deviceKinds.ts';
import { checkOptions } from '../../schema/checkOptions.ts';
import { wholeFrom } from '../../schema/optionWords.ts';
import { serveError } from '../request/serveErrors.ts';

export const treeOptions = z.strictObject({
  outputColumn: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe(
      '"predictions" without it; a model of several classes has one column a class, "predictions_0" and so on.',
    ),
  outputMargin: z.boolean().optional().describe('Margins in place of predictions.'),
  withLabel: z
    .boolean()
    .optional()
    .describe('Adds a column "label": the class, 0 or 1 of binary:logistic, the most probable of several.'),
  withMargin: z
    .boolean()
    .optional()
    .describe(
      'Adds a column "margin", or "margin_0" and so on: what the trees add up to, before it becomes a prediction.',
    ),
  iterationRange: z
    .tuple([wholeFrom(0), wholeFrom(0)])
    .readonly()
    .optional()
    .describe('Rounds to predict with, the second one excluded; [0, 0] is all of them.'),
});

export const layersOptions = z.strictObject({
  device: z
    .enum(deviceKinds)
    .optional()
    .describe(
      'cpu without it. webgpu takes the first adapter of the machine, and fails where there is none.',
    ),
  maxBatchSize: wholeFrom(1, 100_000)
    .optional()
    .describe('Requests that are predicted together; 32 without it.'),
  batchWaitTimeoutS: z
    .number()
    .min(0)
    .max(3_600)
    .optional()
    .describe(
      'Seconds that the first of them waits for others. Without it 0: those are taken together that came in while the batch before was computed.',
    ),
});

/** How trees answer. */
export interface TreeOptions extends Readonly<z.input<typeof treeOptions>> {}
/** How a net answers. */
export interface LayersOptions extends Readonly<z.input<typeof layersOptions>> {}

/** @throws ServeArgumentError naming the option. */
export function readTreeOptions(given: unknown): TreeOptions {
  return checkOptions(treeOptions, given ?? {}, serveError);
}

/** @throws ServeArgumentError naming the option. */
export function readLayersOptions(given: unknown): LayersOptions {
  return checkOptions(layersOptions, given ?? {}, serveError);
}
