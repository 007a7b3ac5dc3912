// The work of `tabgrad dump`.

import { resolve } from 'node:path';
import type { DumpFormat } from '../../shared/gbdt/dump/dumpFormats.ts';
import { Checkpoint } from '../checkpoint/checkpoint.ts';
import { visibleOutput } from '../log/textOutput.ts';
import { BadArgumentError } from './cliErrors.ts';
import type { CliContext, CommonValues } from './command.ts';
import { exitCodes, type ExitCode } from './exitCodes.ts';

export interface DumpFlags extends Pick<CommonValues, 'json'> {
  readonly format: DumpFormat;
  readonly 'with-stats': boolean;
  readonly tree: number | undefined;
}

/** @throws CheckpointError, ModelFormatError, ModelUnsupportedError, PredictArgumentError, BadArgumentError */
export async function dumpModel(
  model: string,
  { format: asked, json, tree, 'with-stats': withStats }: DumpFlags,
  { stdout, cwd }: CliContext,
): Promise<ExitCode> {
  if (model === '') throw new BadArgumentError('MODEL is empty; expected a folder or a file.');
  const format = json ? 'json' : asked;
  const all = new Checkpoint(resolve(cwd, model)).dumpTrees({ format, withStats });
  if (tree !== undefined && tree >= all.length)
    throw new BadArgumentError(`--tree is ${tree}; the model has ${all.length} trees, counted from 0.`);
  const trees = tree === undefined ? all : [all[tree]!];
  const out = visibleOutput(stdout);
  if (json) {
    // A tree a line; names have no line breaks in JSON.
    for (const text of trees) out.write(`${text.replace(/\n\s*/g, ' ')}\n`);
    return exitCodes.ok;
  }
  // As XGBoost's dump_model writes them.
  if (format === 'json') out.write(tree === undefined ? `[\n${trees.join(',\n')}\n]\n` : `${trees[0]}\n`);
  else if (format === 'text')
    for (const [at, text] of trees.entries()) out.write(`booster[${tree ?? at}]:\n${text}`);
  else for (const text of trees) out.write(text);
  return exitCodes.ok;
}
