// A tf.LayersModel as tfjs saves it: a folder with model.json, which has the topology, and files of weights beside it.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { TabgradError } from '../../kernels/errors.ts';
import { readLayersFiles, weightFiles, type LayersFiles } from '../../shared/neural/model/layersFiles.ts';
import { INPUTS_FILE } from '../../shared/neural/model/netInputs.ts';
import { CarriedCheckpoint } from '../../shared/program/carriedCheckpoint.ts';
import { MODEL_FILE, type Checkpoint } from './checkpoint.ts';
import { readCheckpointFile } from './readCheckpointFile.ts';
import { CheckpointError } from './checkpointError.ts';

/** Whether a checkpoint's model.json is tfjs's, and not XGBoost's. */
export function isLayersModel(modelText: string): boolean {
  return !/^\s*\{\s*"learner"/.test(modelText) && /"modelTopology"\s*:/.test(modelText);
}

/** Names of the files beside model.json that predictions need. @throws CheckpointError */
export function filesBesideModel(checkpoint: Checkpoint): readonly string[] {
  const weights = asCheckpoint(() => weightFiles(checkpoint.modelText(), checkpoint.modelPath));
  return existsSync(join(checkpoint.path, INPUTS_FILE)) ? [...weights, INPUTS_FILE] : weights;
}

/**
 * What predictions need of the folder, in memory: whatever becomes of it, the model stays this one.
 * @throws CheckpointError naming the file that can not be read.
 */
export function readLayersFolder(checkpoint: Checkpoint): CarriedCheckpoint {
  const files = new Map<string, Uint8Array>([[MODEL_FILE, readCheckpointFile(checkpoint.modelPath)]]);
  for (const name of filesBesideModel(checkpoint))
    files.set(name, readCheckpointFile(join(checkpoint.path, name)));
  return new CarriedCheckpoint(files);
}

/** @throws CheckpointError naming the file, and the field or the number of bytes that is wrong. */
export function checkedLayersFiles(folder: CarriedCheckpoint, { modelPath }: Checkpoint): LayersFiles {
  return asCheckpoint(() => readLayersFiles(folder, modelPath));
}

/** @throws CheckpointError in place of what was wrong with the net: here it is the model that was to be served. */
function asCheckpoint<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TabgradError)) throw error;
    throw new CheckpointError(`${error.message}.`, error.place, { cause: error });
  }
}
