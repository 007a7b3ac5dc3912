// Plots of an experiment, as one file.

import { resolve } from 'node:path';
import { higherIsBetter } from '../../../shared/run/metricNames.ts';
import { chooseMetrics } from '../../plot/curveCharts.ts';
import { plotError, PlotArgumentError } from '../../plot/plotErrors.ts';
import { plotFormat } from '../../plot/plotFormat.ts';
import { gridPlotOptions, type GridPlotOptions } from '../../plot/plotOptions.ts';
import { trialCharts } from '../../plot/trialCharts.ts';
import { checkOptions } from '../../schema/checkOptions.ts';
import { writeFileAtomically } from '../../train/record/atomicWrite.ts';
import type { Metrics } from '../../train/result.ts';

/** An experiment, as much of it as is known. */
export interface PlottableExperiment {
  readonly name: string;
  /** Of the tuneConfig. */
  readonly metric: string | undefined;
  readonly mode: 'max' | 'min' | undefined;
  readonly trials: readonly {
    readonly index: number;
    readonly status: string;
    readonly params: Readonly<Record<string, unknown>>;
    readonly metricsTable: readonly (Metrics & { readonly trainingIteration: number })[];
  }[];
}

/**
 * Writes the score of each trial, parameters beside scores, and curves, as one file without anything from elsewhere.
 * @param path of the file; ends in .html or .svg. One that is there is replaced.
 * @returns the absolute path.
 * @throws PlotArgumentError; ResultWriteError
 */
export async function plotTrials(
  experiment: PlottableExperiment,
  path: string,
  options: GridPlotOptions = {},
): Promise<string> {
  const write = plotFormat(path);
  const { title = experiment.name, logScale, ...asked } = checkOptions(gridPlotOptions, options, plotError);
  const metric = asked.metric ?? experiment.metric;
  if (metric === undefined) {
    throw new PlotArgumentError(
      'metric is missing: the tuneConfig has none; expected the metric to compare trials by.',
      { field: 'metric' },
    );
  }
  const names = new Set(
    experiment.trials.flatMap(({ metricsTable }) => metricsTable.flatMap((row) => Object.keys(row))),
  );
  names.delete('trainingIteration');
  if (asked.metric !== undefined) chooseMetrics([metric], [...names]);
  const mode = asked.mode ?? (metric === experiment.metric ? experiment.mode : undefined) ?? modeOf(metric);
  const charts = trialCharts(
    {
      metric,
      mode,
      trials: experiment.trials.map(({ index, status, params, metricsTable }) => {
        const curve = metricsTable.flatMap((row) => {
          const y = row[metric];
          return y === undefined ? [] : [{ x: row.trainingIteration, y }];
        });
        return { index, status, params, curve, score: status === 'errored' ? undefined : curve.at(-1)?.y };
      }),
    },
    { isLog: logScale },
  );
  const file = resolve(path);
  await writeFileAtomically(file, write(title, charts));
  return file;
}

/** @throws PlotArgumentError where the name of the metric does not say which end is best. */
function modeOf(metric: string): 'max' | 'min' {
  const isMore = higherIsBetter(metric);
  if (isMore !== undefined) return isMore ? 'max' : 'min';
  throw new PlotArgumentError(
    `mode is missing: expected "max" or "min", the end of "${metric}" that is best.`,
    {
      field: 'mode',
    },
  );
}
