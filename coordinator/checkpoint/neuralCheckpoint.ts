// A neural net on disk: the folder that tfjs's model.save writes, with the optimizer's state beside it.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeLayersModel } from '../../shared/neural/model/layersFormat.ts';
import { INPUTS_FILE, writeNetInputs, type NetInput } from '../../shared/neural/model/netInputs.ts';
import {
  optimizerTensors,
  readOptimizerTensors,
  type NamedState,
} from '../../shared/neural/state/namedState.ts';
import { decodeTensors, encodeTensors } from '../../shared/neural/state/safetensors.ts';
import { Checkpoint } from './checkpoint.ts';
import { CHECKPOINT_FILE } from './checkpoint.ts';
import { CheckpointError } from './checkpointError.ts';
import { readLayersModel } from './modelSource.ts';

const OPTIMIZER_FILE = 'optimizer.safetensors';

export interface NetMetadata {
  /** Steps behind it. */
  readonly step: number;
  readonly metrics: Readonly<Record<string, number>>;
}

export interface LoadedNet {
  readonly topology: object;
  readonly state: NamedState;
}

const metadataForm = z.looseObject({
  rounds: z.number().int().nonnegative(),
  metrics: z.record(z.string(), z.number()),
});

/** The files of a checkpoint beside model.json, and that file's text. */
export function checkpointFiles(
  topology: object,
  { step, weights, ...rest }: NamedState,
  inputs: readonly NetInput[],
): { readonly modelText: string; readonly beside: Readonly<Record<string, Uint8Array>> } {
  const tensors = optimizerTensors(rest);
  const metadata = { format: 'tabgrad-1', step: String(step) };
  const { modelText, files } = writeLayersModel(topology, weights);
  return {
    modelText,
    beside: {
      ...Object.fromEntries(files),
      [INPUTS_FILE]: writeNetInputs(inputs),
      ...(tensors.size > 0 && { [OPTIMIZER_FILE]: encodeTensors({ tensors, metadata }) }),
    },
  };
}

/** A checkpoint of a neural net: a folder that tfjs loads, with the optimizer's state beside the model. */
export class NeuralCheckpoint extends Checkpoint {
  /** @throws CheckpointError, NeuralModelError, WeightsMismatchError naming the tensor. */
  loadNet(): LoadedNet {
    const { topology, weights } = readLayersModel(this.modelPath);
    if (!weights) {
      throw new CheckpointError(`${this.modelPath} has no weights: it is a model, and no checkpoint.`, {
        file: this.modelPath,
      });
    }
    return { topology, state: { step: this.net().step, weights, ...this.#optimizer() } };
  }

  /** What is kept beside the model. A model that tfjs saved begins at step 0. @throws CheckpointError */
  net(): NetMetadata {
    const file = join(this.path, CHECKPOINT_FILE);
    if (!existsSync(file)) return { step: 0, metrics: {} };
    let value: unknown;
    try {
      value = JSON.parse(readFileSync(file, 'utf8'));
    } catch {
      value = undefined;
    }
    const parsed = metadataForm.safeParse(value);
    if (!parsed.success) throw new CheckpointError(`${file} is damaged.`, { file });
    return { step: parsed.data.rounds, metrics: parsed.data.metrics };
  }

  #optimizer(): Pick<NamedState, 'optimizer' | 'velocity'> {
    const file = join(this.path, OPTIMIZER_FILE);
    if (!existsSync(file)) return { optimizer: [] };
    return readOptimizerTensors(decodeTensors(readFileSync(file), file).tensors, file);
  }
}
