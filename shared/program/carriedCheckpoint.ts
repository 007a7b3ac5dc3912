// A checkpoint as a program on a worker has it: its files in memory, fetched by their hashes. It answers what the
// owner's Checkpoint answers, but for the path: there is no folder here.

import { TabgradError } from '../../kernels/errors.ts';
import type { GbdtModel } from '../gbdt/model/model.ts';
import { Predictor } from '../gbdt/model/predictor.ts';
import { readModel } from '../gbdt/model/readModel.ts';

/** A checkpoint has no file of that name. */
class CheckpointFileError extends TabgradError {
  readonly code = 'CHECKPOINT_INVALID';
}

/** A checkpoint that was given to a program: on a worker its files are in memory. */
export class CarriedCheckpoint {
  readonly #files: ReadonlyMap<string, Uint8Array>;

  /** @param files bytes by path below the checkpoint's folder. */
  constructor(files: ReadonlyMap<string, Uint8Array>) {
    this.#files = files;
  }

  /** Paths below the checkpoint's folder, with "/". */
  fileNames(): readonly string[] {
    return [...this.#files.keys()];
  }

  /** @throws CheckpointFileError */
  readBytes(name: string): Uint8Array {
    const bytes = this.#files.get(name);
    if (bytes) return bytes;
    throw new CheckpointFileError(
      `The checkpoint has no file "${name}"; it has ${this.fileNames().join(', ')}.`,
      {
        file: name,
      },
    );
  }

  /** A file as UTF-8 text. @throws CheckpointFileError when there is none of that name. */
  readText(name: string): string {
    return new TextDecoder().decode(this.readBytes(name));
  }

  /** The text of its model: model.json, or the one file that it has. */
  modelText(): string {
    return this.readText(this.#modelFile());
  }

  /** The model may be of UBJSON too: model.ubj, where there is no model.json. @throws ModelFormatError, ModelUnsupportedError */
  loadModel(): GbdtModel {
    return readModel(this.readBytes(this.#modelFile()));
  }

  #modelFile(): string {
    const names = this.fileNames();
    const [only] = names;
    if (only !== undefined && names.length === 1) return only;
    return !names.includes('model.json') && names.includes('model.ubj') ? 'model.ubj' : 'model.json';
  }

  /** Predicts typed columns with its model of trees. @throws ModelFormatError, ModelUnsupportedError */
  toPredictor(): Predictor {
    return new Predictor(this.loadModel());
  }
}
