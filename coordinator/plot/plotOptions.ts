// What can be said of a plot: one schema for scripts, docs/options.md and the command.

import { z } from 'zod';
import { importanceTypes } from '../../shared/gbdt/model/featureImportance.ts';

const title = z
  .string()
  .min(1)
  .max(200)
  .optional()
  .describe('Title of the page or picture. Without it the name of the run or experiment.');
const logScale = z.boolean().default(false).describe('Values of metrics on a logarithmic axis.');

export const resultPlotOptions = z.strictObject({
  title,
  metrics: z
    .array(z.string())
    .min(1)
    .max(100)
    .readonly()
    .optional()
    .describe('Metrics to draw, e.g. valid-auc. Without it all but those that tell of progress alone.'),
  logScale,
  importance: z
    .array(z.enum(importanceTypes))
    .max(importanceTypes.length)
    .readonly()
    .optional()
    .describe('Of trees: by what features are compared; gain, cover and weight, if nothing is said.'),
  maxFeatures: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .optional()
    .describe('Of trees: features that are drawn at most; 20, if nothing is said.'),
});

/** What a plot of a training shows. */
export interface ResultPlotOptions extends Readonly<z.input<typeof resultPlotOptions>> {}

export const gridPlotOptions = z.strictObject({
  title,
  metric: z.string().min(1).optional().describe('The score. Without it the metric of the tuneConfig.'),
  mode: z
    .enum(['max', 'min'])
    .optional()
    .describe(
      'Which end of it is best. Without it the mode of the tuneConfig, or what the name of the metric says.',
    ),
  logScale,
});

/** What a plot of an experiment shows. */
export interface GridPlotOptions extends Readonly<z.input<typeof gridPlotOptions>> {}
