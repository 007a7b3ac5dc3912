// The work of `tabgrad predict`.

import { resolve } from 'node:path';
import { deriveColumns } from '../config/deriveColumns.ts';
import { loadConfig, resolveSource } from '../config/loadConfig.ts';
import { openSource } from '../config/openSource.ts';
import { GBDTPredictor } from '../predict/gbdtPredictor.ts';
import { formatCount, formatDuration } from '../progress/formatNumbers.ts';
import type { CliContext, CommonValues } from './command.ts';
import { exitCodes, type ExitCode } from './exitCodes.ts';
import { writeSingleFile } from './writeSingleFile.ts';

export interface PredictFlags extends Pick<CommonValues, 'json' | 'quiet'> {
  readonly checkpoint: string;
  readonly data: string;
  readonly out: string;
  readonly config: string | undefined;
}

/** @throws what opening the model and the data and writing throw; no file is left behind then. */
export async function predictFile(
  { checkpoint, data, out, config, json, quiet }: PredictFlags,
  { stdout, cwd, signal, now }: CliContext,
): Promise<ExitCode> {
  const startedAt = now();
  // All that needs no row is checked before any is read.
  const predictor = new GBDTPredictor(resolve(cwd, checkpoint), { keepColumns: true });
  const source = openSource([resolveSource(data, cwd)]);
  const { derive } = config === undefined ? { derive: {} } : await loadConfig(config, cwd);
  const predicted = deriveColumns(source, { derive, columns: undefined }).mapBatches((batch) =>
    predictor.call(batch),
  );
  const rows = await writeSingleFile(predicted, resolve(cwd, out), signal);
  if (json) stdout.write(`${JSON.stringify({ type: 'predicted', rows, out: resolve(cwd, out) })}\n`);
  else if (!quiet)
    stdout.write(`predicted ${formatCount(rows)} rows in ${formatDuration(now() - startedAt)}: ${out}\n`);
  return exitCodes.ok;
}
