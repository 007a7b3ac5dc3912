// A trained model on disk: a folder with model.json, which real XGBoost loads too, or with its model.ubj.

import { constants } from 'node:buffer';
import { statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import {
  featureName,
  modelCategories,
  modelRounds,
  type CategoryName,
  type FeatureType,
  type GbdtModel,
} from '../../shared/gbdt/model/model.ts';
import { ModelFormatError, ModelUnsupportedError } from '../../shared/gbdt/errors/gbdtErrors.ts';
import { Predictor } from '../../shared/gbdt/model/predictor.ts';
import { dumpTrees, type DumpOptions } from '../../shared/gbdt/dump/dumpFormats.ts';
import { treesToTable, type TreeTableRow } from '../../shared/gbdt/dump/treesToTable.ts';
import { readModel } from '../../shared/gbdt/model/readModel.ts';
import { isUbjson } from '../../shared/gbdt/model/readUbjson.ts';
import { writeModel, writeModelUbjson } from '../../shared/gbdt/model/writeModel.ts';
import { readCheckpointFile } from './readCheckpointFile.ts';
import { CheckpointError } from './checkpointError.ts';

/** Facts beside the model that are not XGBoost's business. */
export const CHECKPOINT_FILE = 'checkpoint.json';
/** File name of the model in a checkpoint's folder. */
export const MODEL_FILE = 'model.json';
/** The same in folders that Ray's XGBoostTrainer wrote. */
const UBJSON_FILE = 'model.ubj';
/** Formats of model files: JSON, and UBJSON, in which XGBoost saves by default since 2.1. */
export type ModelFormat = 'json' | 'ubj';

/** What a model of trees says of itself. */
export interface CheckpointMetadata {
  readonly objective: string;
  readonly numClass: number;
  /** Boosting rounds in the model. */
  readonly rounds: number;
  readonly features: readonly {
    readonly name: string;
    readonly type: FeatureType;
    /** Names by category code, where the model tells. */
    readonly categories?: readonly CategoryName[];
  }[];
  /** XGBoost's attributes, e.g. best_iteration and best_score. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** A trained model on disk: a folder with model.json or model.ubj, which XGBoost loads too, or a model file that XGBoost saved. */
export class Checkpoint {
  /** Absolute path of the folder. */
  readonly path: string;
  readonly #file: string;
  readonly #isSingleFile: boolean;

  /**
   * @param path the folder, or a model file in it.
   * @throws CheckpointError when there is none.
   */
  constructor(path: string) {
    const absolute = resolve(path);
    const file = statSync(absolute, { throwIfNoEntry: false });
    if (!file) throw new CheckpointError(`No checkpoint at ${absolute}.`, { file: absolute });
    this.#isSingleFile = !file.isDirectory();
    this.#file = file.isDirectory() ? modelFileIn(absolute) : basename(absolute);
    this.path = file.isDirectory() ? absolute : dirname(absolute);
    if (!statSync(this.modelPath, { throwIfNoEntry: false })?.isFile()) {
      throw new CheckpointError(
        `The folder ${absolute} has no ${MODEL_FILE} and no ${UBJSON_FILE}: it is not a checkpoint.`,
        {
          file: absolute,
        },
      );
    }
  }

  /** The checkpoint in a folder. @throws CheckpointError when there is none. */
  static fromDirectory(path: string): Checkpoint {
    return new Checkpoint(path);
  }

  /** Whether a model file was named, and not a checkpoint's folder. */
  get isSingleFile(): boolean {
    return this.#isSingleFile;
  }

  /** Absolute path of the model file. */
  get modelPath(): string {
    return join(this.path, this.#file);
  }

  /** @throws CheckpointError, ModelFormatError, ModelUnsupportedError */
  loadModel(): GbdtModel {
    const bytes = this.#modelBytes();
    try {
      return readModel(bytes);
    } catch (error) {
      const Kind = error instanceof ModelFormatError ? ModelFormatError : ModelUnsupportedError;
      if (!(error instanceof Kind)) throw error;
      const place = { ...error.place, file: this.modelPath };
      throw new Kind(`${this.modelPath}: ${error.message}`, place, { cause: error });
    }
  }

  /**
   * The model file as it is; JSON of the same model where it is UBJSON.
   * @throws CheckpointError, and for UBJSON what `loadModel` throws.
   */
  modelText(): string {
    const bytes = this.#modelBytes();
    if (!isUbjson(bytes)) return bytes.toString('utf8');
    const model = this.loadModel();
    try {
      return writeModel(model);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new CheckpointError(
        `${this.modelPath} is too large as text: it would have more than ${constants.MAX_STRING_LENGTH} characters.`,
        { file: this.modelPath },
        { cause: error },
      );
    }
  }

  /**
   * Writes the model of trees into a file that XGBoost loads.
   * @param path the file, replaced when it exists. XGBoost tells formats by the ending: .json or .ubj.
   * @param options format: default "ubj" for a path that ends in .ubj, else "json".
   * @throws CheckpointError, ModelFormatError, ModelUnsupportedError
   */
  saveModel(path: string, { format }: { readonly format?: ModelFormat } = {}): void {
    const file = resolve(path);
    const model = this.loadModel();
    const isBinary = (format ?? (/\.ubj$/i.test(file) ? 'ubj' : 'json')) === 'ubj';
    const content = isBinary ? writeModelUbjson(model) : writeModel(model);
    try {
      writeFileSync(file, content);
    } catch (error) {
      throw new CheckpointError(
        `${file} could not be written: ${(error as Error).message}.`,
        { file },
        { cause: error },
      );
    }
  }

  /**
   * The trees in words, one text each, as XGBoost's `get_dump`: "text", "json", or "dot" for Graphviz.
   * @throws CheckpointError, ModelFormatError, ModelUnsupportedError; PredictArgumentError for a linear model.
   */
  dumpTrees(options: DumpOptions = {}): string[] {
    return dumpTrees(this.loadModel(), options);
  }

  /** All nodes as rows, as XGBoost's `trees_to_dataframe`. @throws CheckpointError, ModelFormatError, ModelUnsupportedError */
  treesToTable(): TreeTableRow[] {
    return treesToTable(this.loadModel());
  }

  #modelBytes(): Buffer {
    const { size } = statSync(this.modelPath);
    if (size <= constants.MAX_STRING_LENGTH) return readCheckpointFile(this.modelPath);
    throw new CheckpointError(
      `${this.modelPath} has ${size} bytes; a model file of at most ${constants.MAX_STRING_LENGTH} can be read.`,
      { file: this.modelPath },
    );
  }

  /** Predicts typed columns; GBDTPredictor predicts batches of a dataset. */
  toPredictor(): Predictor {
    return new Predictor(this.loadModel());
  }

  /** Objective, rounds and features of a model of trees. @throws CheckpointError, ModelFormatError, ModelUnsupportedError */
  metadata(): CheckpointMetadata {
    const model = this.loadModel();
    const categories = modelCategories(model);
    return {
      objective: model.objective,
      numClass: model.numClass,
      rounds: modelRounds(model),
      features: Array.from({ length: model.numFeature }, (_, index) => {
        const name = featureName(model, index);
        const type = model.featureTypes[index] ?? 'float';
        const names = categories.get(name);
        return names ? { name, type, categories: names } : { name, type };
      }),
      attributes: model.attributes,
    };
  }
}

function modelFileIn(folder: string): string {
  const has = (name: string): boolean =>
    statSync(join(folder, name), { throwIfNoEntry: false })?.isFile() === true;
  return !has(MODEL_FILE) && has(UBJSON_FILE) ? UBJSON_FILE : MODEL_FILE;
}
