// The work of `tabgrad plot`: finds what is meant, and draws it.

import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { experimentsAnswer, type RecordedExperiment } from '../../shared/api/experiment.ts';
import { runsAnswer, type RunSummary } from '../../shared/api/runAnswers.ts';
import { askForJson, type CoordinatorAddress } from '../cluster/remote/askCoordinator.ts';
import { keptEvents } from '../cluster/remote/followEvents.ts';
import { CoordinatorUnreachableError } from '../cluster/remote/remoteErrors.ts';
import { plotResult, type PlottedResult } from '../train/plot/plotResult.ts';
import { readRun } from '../train/plot/readRun.ts';
import { plotTrials, type PlottableExperiment } from '../tune/plot/plotTrials.ts';
import { readExperiment } from '../tune/plot/readExperiment.ts';
import { BadArgumentError, didYouMean } from './cliErrors.ts';
import type { CliContext, CommonValues } from './command.ts';
import { coordinatorAddress, type adminOptions } from './connectionOptions.ts';
import { exitCodes, type ExitCode } from './exitCodes.ts';
import { chooseRun } from './findRun.ts';
import type { OptionValues } from './options.ts';

type PlotValues = CommonValues &
  OptionValues<typeof adminOptions> & {
    readonly output: string | undefined;
    readonly metric: readonly string[];
    readonly mode: 'max' | 'min' | undefined;
    readonly 'log-scale': boolean;
  };

type Plotted =
  | { readonly kind: 'run'; readonly run: PlottedResult }
  | { readonly kind: 'experiment'; readonly experiment: PlottableExperiment };

const EXPERIMENT_FILE = 'experiment.json';
const SHORTEST_PREFIX = 4;

/** @throws BadArgumentError where there is nothing of that name; what reading and writing throw. */
export async function plotWhat(word: string, values: PlotValues, context: CliContext): Promise<ExitCode> {
  const { stdout, cwd } = context;
  const plotted = await find(word, values, context);
  const path = await (plotted.kind === 'run'
    ? drawRun(plotted.run, values, cwd)
    : drawExperiment(plotted.experiment, values, cwd));
  if (values.json) stdout.write(`${JSON.stringify({ type: 'plot', path })}\n`);
  else if (!values.quiet) stdout.write(`wrote ${relative(cwd, path)}\n`);
  return exitCodes.ok;
}

function drawRun(run: PlottedResult, { metric, mode, output, ...values }: PlotValues, cwd: string) {
  if (mode !== undefined)
    throw new BadArgumentError('--mode has no effect: it is for experiments, and this is a run.');
  return plotResult(run, fileOf(run.name, output, cwd), {
    logScale: values['log-scale'],
    ...(metric.length > 0 && { metrics: metric }),
  });
}

function drawExperiment(
  experiment: PlottableExperiment,
  { metric, mode, output, ...values }: PlotValues,
  cwd: string,
) {
  const [name, second] = metric;
  if (second !== undefined)
    throw new BadArgumentError(`An experiment is drawn by one --metric, but got "${name}" and "${second}".`);
  return plotTrials(experiment, fileOf(experiment.name, output, cwd), {
    logScale: values['log-scale'],
    ...(name !== undefined && { metric: name }),
    ...(mode !== undefined && { mode }),
  });
}

function fileOf(name: string, output: string | undefined, cwd: string): string {
  return resolve(cwd, output ?? `${name.replaceAll(/[^\w.-]+/g, '_').slice(0, 100)}-plot.html`);
}

async function find(word: string, values: PlotValues, context: CliContext): Promise<Plotted> {
  const folder = resolve(context.cwd, word);
  if (existsSync(join(folder, EXPERIMENT_FILE)))
    return { kind: 'experiment', experiment: await readExperiment(folder) };
  if (existsSync(folder)) return { kind: 'run', run: await readRun(folder) };
  try {
    return await findRemote(word, await coordinatorAddress(values, context));
  } catch (error) {
    if (!(error instanceof CoordinatorUnreachableError)) throw error;
    throw new BadArgumentError(
      `There is no folder ${folder}, and no coordinator that could know "${word}": ${error.message}`,
      { file: folder },
      { cause: error },
    );
  }
}

async function findRemote(word: string, address: CoordinatorAddress): Promise<Plotted> {
  const { runs } = await askForJson(address, 'api/v1/runs', runsAnswer);
  const found = chooseRun(word, runs);
  if (found) return { kind: 'run', run: await keptRun(found, address) };
  const { experiments } = await askForJson(address, 'api/v1/experiments', experimentsAnswer);
  const experiment =
    experiments.findLast(({ name, experimentId }) => name === word || experimentId === word) ??
    experiments.find(({ experimentId }) => word.length >= SHORTEST_PREFIX && experimentId.startsWith(word));
  if (!experiment) {
    const names = [...runs, ...experiments].map(({ name }) => name);
    throw new BadArgumentError(
      `There is no folder "${word}", and the coordinator at ${address.url} has neither a run nor an experiment of that name.${didYouMean(word, names)}`,
    );
  }
  const { folder } = experiment;
  return {
    kind: 'experiment',
    experiment: existsSync(join(folder, EXPERIMENT_FILE))
      ? await readExperiment(folder)
      : recorded(experiment),
  };
}

/** The rounds of a run that the coordinator keeps. */
async function keptRun({ runId, name }: RunSummary, address: CoordinatorAddress): Promise<PlottedResult> {
  const metricsTable: { readonly round: number }[] = [];
  for await (const event of keptEvents(runId, address))
    if (event.type === 'round') metricsTable.push({ ...event.metrics, round: event.round });
  return { name, metricsTable };
}

/** What the coordinator keeps of an experiment: of each trial the last score. */
function recorded({ name, metric, mode, trials }: RecordedExperiment): PlottableExperiment {
  return {
    name,
    metric,
    mode,
    trials: trials.map(({ number, status, assignment, iterations, lastScore }) => ({
      index: number,
      status,
      params: assignment,
      metricsTable:
        lastScore === undefined || metric === undefined
          ? []
          : [{ trainingIteration: iterations, [metric]: lastScore }],
    })),
  };
}
