// What an owner's loop kept, as a folder: a tf.LayersModel as tfjs saves it, tensors, state, whichever were reported.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { PackedFiles } from '../../shared/neural/loop/packedFiles.ts';
import { decodeTensors, type Tensor } from '../../shared/neural/state/safetensors.ts';
import { CheckpointError } from './checkpointError.ts';
import { CHECKPOINT_FILE } from './checkpoint.ts';

/** The folder of what a loop reported as its checkpoint: a tf.LayersModel, tensors and state, each where it was given. */
export class DataParallelCheckpoint {
  /** Absolute path of the folder. If a model was reported, model.json and weights.bin lie there, for tfjs to load. */
  readonly path: string;

  /** @throws CheckpointError when there is none. */
  constructor(path: string) {
    this.path = resolve(path);
    if (statSync(join(this.path, CHECKPOINT_FILE), { throwIfNoEntry: false })?.isFile()) return;
    throw new CheckpointError(`The folder ${this.path} has no ${CHECKPOINT_FILE}: it is no checkpoint.`, {
      file: this.path,
    });
  }

  /** The state that was reported; undefined for none. */
  get state(): unknown {
    const bytes = this.files().get('state.json');
    return bytes && JSON.parse(new TextDecoder().decode(bytes));
  }

  /** The tensors that were reported. */
  tensors(): ReadonlyMap<string, Tensor> {
    const bytes = this.files().get('tensors.safetensors');
    return bytes ? decodeTensors(bytes, join(this.path, 'tensors.safetensors')).tensors : new Map();
  }

  /** @throws CheckpointError when a file can't be read. */
  files(): PackedFiles {
    try {
      const names = readdirSync(this.path).filter((name) => name !== CHECKPOINT_FILE);
      return new Map(
        names.map((name) => [basename(name), new Uint8Array(readFileSync(join(this.path, name)))]),
      );
    } catch (cause) {
      throw new CheckpointError(
        `${this.path} can not be read: ${(cause as Error).message}.`,
        { file: this.path },
        { cause },
      );
    }
  }
}
