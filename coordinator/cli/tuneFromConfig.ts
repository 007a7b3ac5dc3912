// The work of `tabgrad tune`: config to datasets, trainer, tuner and table.

import { join, relative } from 'node:path';
import { ConfigInvalidError } from '../config/expression/configErrors.ts';
import { loadAnyConfig } from '../config/loadConfig.ts';
import { formatMetrics } from '../progress/formatNumbers.ts';
import { progressMode } from '../progress/terminalProgress.ts';
import { tuneTable } from '../tune/progress/tuneTable.ts';
import type { ResultGrid } from '../tune/resultGrid.ts';
import { declaredSpace } from '../tune/tuneConfigSchema.ts';
import { Tuner } from '../tune/tuner.ts';
import type { CliContext } from './command.ts';
import { overwrites } from './earlierRun.ts';
import { exitCodes, type ExitCode } from './exitCodes.ts';
import { tellProject } from './tellProject.ts';
import { defined, openDatasets, trainerOf, type TrainFlags } from './trainFromConfig.ts';

/** @throws what reading the config, the data and tuning throw; everything that was started is ended then. */
export async function tuneFromConfig(
  file: string,
  { url, token, json, quiet, verbose, ...earlier }: TrainFlags,
  context: CliContext,
): Promise<ExitCode> {
  const { stdout, stderr, cwd, signal, now } = context;
  const config = await loadAnyConfig(file, cwd);
  if (!config.tune) {
    throw new ConfigInvalidError(
      `${file}: tune is missing; expected an object with keys like paramSpace, metric and mode`,
      { file, field: 'tune' },
    );
  }
  const { paramSpace, metric, mode: best, stop, failFast, ...search } = config.tune;
  const mode = progressMode(stdout, { json, quiet, verbose });
  const table = tuneTable({ stream: stdout, mode, metric, best, now, signal });
  const { numWorkers, runtime, device } = config.scalingConfig;
  const address = url ?? config.scalingConfig.url;
  const secret = token ?? config.scalingConfig.token;
  const { name, storagePath, checkpointConfig, failureConfig, describeData } = config.runConfig;
  const onWarning = (message: string): void => {
    if (json) stdout.write(`${JSON.stringify({ type: 'warning', message })}\n`);
    else if (mode === 'live') table.line(`warning: ${message}`);
    else if (!quiet) stderr.write(`warning: ${message}\n`);
  };
  const overwrite = overwrites(earlier, config.runConfig);
  await tellProject(config, { url: address, token: secret }, context);
  const trainable = await trainerOf(config, {
    datasets: await openDatasets(config, signal),
    scalingConfig: { numWorkers, device, ...defined({ runtime, url: address, token: secret }) },
    runConfig: { checkpointConfig: defined(checkpointConfig), describeData, callbacks: [{ onWarning }] },
  });
  const runConfig = {
    callbacks: [table.callback],
    verbose: verbose ? (2 as const) : (0 as const),
  };
  try {
    const tuner = earlier.resume
      ? await Tuner.restore(join(storagePath, name), { trainable, runConfig, resumeErrored: true })
      : new Tuner({
          trainable,
          paramSpace: declaredSpace(paramSpace, config.trainer),
          tuneConfig: { metric, mode: best, ...defined(search) },
          runConfig: {
            ...runConfig,
            name,
            storagePath,
            overwrite,
            failureConfig: { ...failureConfig, failFast },
            ...defined({ stop }),
          },
        });
    const grid = await tuner.fit({ signal });
    table.close();
    if (json) stdout.write(`${JSON.stringify({ type: 'result', ...plainGrid(grid) })}\n`);
    else if (!quiet) stdout.write(`${gridLines(grid, cwd).join('\n')}\n`);
    if (grid.errors.length === 0) return exitCodes.ok;
    if (!quiet)
      stderr.write(`${grid.errors.length} of ${grid.length} trials failed; --resume tries them again.\n`);
    return exitCodes.failure;
  } finally {
    table.close();
  }
}

function plainGrid(grid: ResultGrid) {
  const { trialId, params, metrics, checkpoint } = grid.getBestResult();
  return {
    path: grid.path,
    best: { trial: trialId, params, metrics, checkpoint: checkpoint?.path },
    trials: grid.getTable(),
  };
}

function gridLines(grid: ResultGrid, cwd: string): string[] {
  const { index, params, metrics, checkpoint } = grid.getBestResult();
  const failed = grid.errors.length === 0 ? '' : `, ${grid.errors.length} failed`;
  return [
    `best of ${grid.length} trials${failed}: trial ${index}  ${JSON.stringify(params)}`,
    `metrics  ${formatMetrics(metrics)}`,
    ...(checkpoint ? [`model    ${relative(cwd, checkpoint.modelPath)}`] : []),
    `result   ${relative(cwd, join(grid.path, 'experiment.json'))}`,
  ];
}
