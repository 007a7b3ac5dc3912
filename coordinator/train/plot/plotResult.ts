// Plots of what a trainer's fit returned, as one file.

import { resolve } from 'node:path';
import type { GbdtModel } from '../../../shared/gbdt/model/model.ts';
import { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { DataParallelCheckpoint } from '../../checkpoint/dataParallelCheckpoint.ts';
import { NeuralCheckpoint } from '../../checkpoint/neuralCheckpoint.ts';
import type { Chart } from '../../plot/chart.ts';
import { curveCharts } from '../../plot/curveCharts.ts';
import { importanceCharts } from '../../plot/importanceCharts.ts';
import { plotError, PlotArgumentError } from '../../plot/plotErrors.ts';
import { plotFormat } from '../../plot/plotFormat.ts';
import { resultPlotOptions, type ResultPlotOptions } from '../../plot/plotOptions.ts';
import { checkOptions } from '../../schema/checkOptions.ts';
import { writeFileAtomically } from '../record/atomicWrite.ts';
import type { Metrics, Result } from '../result.ts';

/** What plots are made of: a result, or as much of one as there is. */
export interface PlottedResult {
  readonly name: string;
  /** Metrics of every round, in order; rounds count from 0. */
  readonly metricsTable: readonly (Metrics & { readonly round: number })[];
  /** The datasets, which metrics have before their names. */
  readonly datasetRows?: Readonly<Record<string, number>>;
  readonly checkpoint?: Checkpoint | DataParallelCheckpoint | undefined;
}

const FEATURES = 20;
const IMPORTANCE = ['gain', 'cover', 'weight'] as const;

/**
 * Writes learning curves, and of trees the importance of features, as one file without anything from elsewhere: a picture, or a
 * page with the numbers too.
 * @param path of the file; ends in .html or .svg. One that is there is replaced.
 * @returns the absolute path.
 * @throws PlotArgumentError before anything is read; ResultWriteError; CheckpointError, ModelFormatError for a checkpoint that is gone.
 */
export async function plotResult(
  result: PlottedResult,
  path: string,
  options: ResultPlotOptions = {},
): Promise<string> {
  const write = plotFormat(path);
  const { title = result.name, ...asked } = checkOptions(resultPlotOptions, options, plotError);
  const { name, metricsTable, datasetRows = {}, checkpoint } = result;
  const isTrees = checkpoint instanceof Checkpoint && !(checkpoint instanceof NeuralCheckpoint);
  if (!isTrees) refuseFeatures(asked, name);
  const curves = curveCharts(
    {
      rows: metricsTable.map(({ round, ...metrics }) => ({ at: round + 1, metrics })),
      unit: unitOf(checkpoint),
      sets: Object.keys(datasetRows),
    },
    { metrics: asked.metrics, isLog: asked.logScale },
  );
  const features = isTrees ? featureCharts(checkpoint.loadModel(), asked) : [];
  const file = resolve(path);
  await writeFileAtomically(file, write(title, [...curves, ...features]));
  return file;
}

/** The same result with its method `plot`, which is no part of its JSON, of copies and of comparisons. */
export function withPlot<R extends PlottedResult>(fields: R): R & Pick<Result, 'plot'> {
  const plot: Result['plot'] = (path, options) => plotResult(fields, path, options);
  return Object.defineProperty(fields, 'plot', { value: plot }) as R & Pick<Result, 'plot'>;
}

function unitOf(checkpoint: PlottedResult['checkpoint']): string {
  if (checkpoint instanceof NeuralCheckpoint) return 'step';
  return checkpoint instanceof DataParallelCheckpoint ? 'report' : 'round';
}

type Features = Pick<ResultPlotOptions, 'importance' | 'maxFeatures'>;

function featureCharts(
  model: GbdtModel,
  { importance = IMPORTANCE, maxFeatures = FEATURES }: Features,
): Chart[] {
  return importanceCharts(model, [...new Set(importance)], maxFeatures);
}

/** @throws PlotArgumentError for options without effect. */
function refuseFeatures(asked: Features, name: string): void {
  const field = (['importance', 'maxFeatures'] as const).find((option) => asked[option] !== undefined);
  if (field === undefined) return;
  throw new PlotArgumentError(`${field} has no effect: "${name}" has no model of trees.`, { field });
}
