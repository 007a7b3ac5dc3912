// `--resume` and `--overwrite`: what becomes of an earlier run of the config's name.

import { join } from 'node:path';
import { modelRounds } from '../../shared/gbdt/model/model.ts';
import { Checkpoint } from '../checkpoint/checkpoint.ts';
import { CheckpointError } from '../checkpoint/checkpointError.ts';
import type { LoadedConfig, LoadedNeuralConfig } from '../config/loadConfig.ts';
import { lastCheckpoint } from '../train/record/earlierRun.ts';
import { BadArgumentError } from './cliErrors.ts';
import type { OptionSpecs } from './options.ts';

export interface EarlierRunFlags {
  readonly resume: boolean;
  readonly overwrite: boolean;
}

export const overwriteOption = {
  overwrite: {
    type: 'flag',
    help: 'Replace what an earlier run of the name has left. Without it that is refused.',
  },
} as const satisfies OptionSpecs;

/** `overwrite` as the flags say, or else the config. @throws BadArgumentError for both flags. */
export function overwrites(flags: EarlierRunFlags, { overwrite }: { readonly overwrite: boolean }): boolean {
  if (flags.resume && flags.overwrite)
    throw new BadArgumentError('--resume goes on with what --overwrite would replace; expected one of them.');
  return flags.overwrite || (overwrite && !flags.resume);
}

/**
 * The config of a training that goes on from the last checkpoint of its name.
 * @throws CheckpointError where there is none.
 */
export async function resumedConfig<C extends LoadedConfig | LoadedNeuralConfig>(config: C): Promise<C> {
  const { storagePath, name } = config.runConfig;
  const folder = join(storagePath, name);
  const checkpoint = await lastCheckpoint(folder);
  if (checkpoint === undefined) {
    throw new CheckpointError(`${folder} has no checkpoint to go on from; train without --resume.`, {
      file: folder,
    });
  }
  if (config.trainer === 'neural') return { ...config, resumeFromCheckpoint: checkpoint };
  // The checkpoint has the rounds of the model that the run began with.
  const { xgbModel, ...rest } = config;
  const before = xgbModel === undefined ? 0 : modelRounds(new Checkpoint(xgbModel).loadModel());
  return { ...(rest as C), resumeFromCheckpoint: checkpoint, numBoostRound: config.numBoostRound + before };
}
