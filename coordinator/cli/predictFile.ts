// The work of `tabgrad predict`.

import { resolve } from 'node:path';
import type { DeviceKind } from '../../kernels/deviceKinds.ts';
import type { Runtime } from '../../shared/protocol/runtimes.ts';
import { deriveColumns, neededDerived } from '../config/deriveColumns.ts';
import { loadAnyConfig, resolveSource } from '../config/loadConfig.ts';
import { openSource } from '../config/openSource.ts';
import { visibleOutput } from '../log/textOutput.ts';
import type { PoolChecks } from '../data/operators/poolStatus.ts';
import type { Dataset } from '../data/dataset.ts';
import { GBDTPredictor } from '../predict/gbdtPredictor.ts';
import { isLayersModel } from '../checkpoint/layersFolder.ts';
import { NeuralPredictor } from '../predict/neuralPredictor.ts';
import { Checkpoint } from '../checkpoint/checkpoint.ts';
import type { ScalingConfig } from '../options/runOptions.ts';
import { formatCount, formatDuration } from '../progress/formatNumbers.ts';
import type { CliContext, CommonValues } from './command.ts';
import { BadArgumentError } from './cliErrors.ts';
import type { OptionValues } from './options.ts';
import { exitCodes, type ExitCode } from './exitCodes.ts';
import { PredictProgress } from './predictProgress.ts';
import { fileOptionsOf, type readFlags } from './readFlags.ts';
import { writeSingleFile } from './writeSingleFile.ts';

export interface PredictFlags extends Pick<CommonValues, 'json' | 'quiet'>, OptionValues<typeof readFlags> {
  readonly checkpoint: string;
  readonly data: string;
  readonly out: string;
  readonly config: string | undefined;
  readonly url: string | undefined;
  readonly token: string | undefined;
  readonly workers: number | undefined;
  readonly runtime: Runtime | undefined;
  readonly device: DeviceKind | undefined;
  readonly 'batch-size': number;
}

/** @throws what opening the model and the data and writing throw; no file is left behind then. */
export async function predictFile(
  flags: PredictFlags,
  { stdout, stderr, cwd, signal, now }: CliContext,
): Promise<ExitCode> {
  const { checkpoint, data, out, config, json, quiet } = flags;
  const startedAt = now();
  // All that needs no row is checked before any is read.
  const model = resolve(cwd, checkpoint);
  const isNet = isLayersModel(new Checkpoint(model).modelText());
  if (!isNet && flags.device !== undefined)
    throw new BadArgumentError('--device is for nets; trees are predicted on the processor.');
  const Predictor = isNet ? NeuralPredictor : GBDTPredictor;
  const options = { keepColumns: true, ...(flags.device && { device: flags.device }) };
  const predictor = new Predictor(model, options);
  const scaling = scalingOf(flags);
  const training = config === undefined ? undefined : await loadAnyConfig(config, cwd);
  const { csv, json: jsonLines, read } = training?.data ?? {};
  const source = openSource([resolveSource(data, cwd)], fileOptionsOf(flags), { csv, json: jsonLines, read });
  const features = predictor.featureColumns;
  const all = training?.derive ?? {};
  // New rows lack the label, and what it is derived from.
  const derive = features.length === 0 ? all : neededDerived(all, features);
  const rowsToPredict = deriveColumns(source, { derive, columns: undefined });
  const progress = new PredictProgress({
    stream: json ? stdout : stderr,
    mode: quiet ? 'none' : json ? 'json' : stderr.isTTY === true ? 'live' : 'none',
    totalRows: await knownRows(source, data),
    now,
  });
  const batchSize = flags['batch-size'];
  const predicted =
    scaling === undefined
      ? rowsToPredict.mapBatches((batch) => predictor.call(batch))
      : rowsToPredict.mapBatches(Predictor, {
          batchSize,
          fnConstructorArgs: [model, options],
          scalingConfig: scaling,
          concurrency: flags.workers ?? [1, MOST_WORKERS],
          onStatus: (status) => progress.poolIs(status),
        });
  const counted = predicted.mapBatches(
    (batch) => {
      progress.predicted(batch.numRows);
      return batch;
    },
    { batchFormat: 'arrow' },
  );
  let rows: number;
  try {
    rows = await writeSingleFile(counted, resolve(cwd, out), signal);
  } finally {
    progress.close();
  }
  const { lies } = progress;
  const told = lies && { liars: lies.liars, rowsGivenOn: lies.rowsGivenOn };
  if (lies && !json) visibleOutput(stderr).write(`${tellLies(lies)}\n`);
  if (json) stdout.write(`${JSON.stringify({ type: 'predicted', rows, out: resolve(cwd, out), ...told })}\n`);
  else if (!quiet)
    stdout.write(`predicted ${formatCount(rows)} rows in ${formatDuration(now() - startedAt)}: ${out}\n`);
  return exitCodes.ok;
}

function tellLies({ liars, rowsAgain, rowsGivenOn }: PoolChecks): string {
  const again = `warning: ${liars.join(', ')} lied; ${formatCount(rowsAgain)} rows were predicted again by others.`;
  if (rowsGivenOn === 0) return again;
  return `${again} ${formatCount(rowsGivenOn)} rows from before the last check that came out right are in the file, and may be wrong.`;
}

/** Of a coordinator's, where their number is not given: more do not read faster than one file is read. */
const MOST_WORKERS = 16;

/** Undefined for this process: a thread of its own costs more than predicting a small file. */
function scalingOf({ url, token, workers, runtime, device }: PredictFlags): ScalingConfig | undefined {
  const wanted = { ...(runtime && { runtime }), ...(device && { device }) };
  if (url !== undefined) return { url, ...(token !== undefined && { token }), ...wanted };
  if (workers !== undefined)
    return { url: '', numWorkers: workers, runtime: runtime ?? 'node', device: device ?? 'cpu' };
  if (runtime === undefined) return undefined;
  throw new BadArgumentError('--runtime says what workers run on; add --workers N or --url URL.');
}

/** Only where it costs nothing: Parquet keeps it in the footer. */
function knownRows(source: Dataset, data: string): Promise<number> | undefined {
  return /\.parquet$/i.test(data) ? source.count() : undefined;
}
