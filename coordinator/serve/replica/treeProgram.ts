// A tree model as a replica runs it: rows in one of Ray's shapes in, predictions in the same shape out.

import { Predictor, type PredictOptions } from '../../../shared/gbdt/model/predictor.ts';
import { readModel } from '../../../shared/gbdt/model/readModel.ts';
import { bodyText } from '../http/bodyText.ts';
import { prepareInference, type InferModel, type PreparedRows } from '../model/treeInference.ts';
import { modelFeatures, type ModelFeature } from '../../../shared/gbdt/model/modelFeatures.ts';
import { readColumns, readRows, type FeatureRows } from '../rows/readRows.ts';
import { ServeArgumentError } from '../serveErrors.ts';
import type { Body, ReplicaOp, ReplicaProgram } from './replica.ts';

export interface TreeOptions extends PredictOptions {
  /** Default "predictions"; a model of several classes has one column a class, "predictions_0" and so on. */
  readonly outputColumn?: string;
}

/** Names of the columns of predictions. */
export function outputNames(outputs: number, outputColumn = 'predictions'): readonly string[] {
  if (outputs === 1) return [outputColumn];
  return Array.from({ length: outputs }, (_, output) => `${outputColumn}_${output}`);
}

export class TreeProgram implements ReplicaProgram, InferModel {
  readonly features: readonly ModelFeature[];
  readonly #predictor: Predictor;
  readonly #options: TreeOptions;
  readonly #names: readonly string[];
  /** A row with all values missing, and what the model answered to it when it was loaded. */
  readonly probe: string;
  readonly #probeAnswer: string;

  /** @throws ModelFormatError, ModelUnsupportedError */
  constructor(modelText: string, options: TreeOptions) {
    const model = readModel(modelText);
    this.#predictor = new Predictor(model);
    this.#options = options;
    this.features = modelFeatures(model);
    this.#names = outputNames(this.#predictor.outputs, options.outputColumn);
    this.probe = JSON.stringify([Object.fromEntries(this.features.map(({ name }) => [name, null]))]);
    this.#probeAnswer = this.run('http', [this.probe]) as string;
  }

  get outputs(): number {
    return this.#predictor.outputs;
  }

  get outputName(): string {
    return this.#options.outputColumn ?? 'predictions';
  }

  /** @returns [row][output] */
  predict(columns: readonly Float32Array[], rows: number): Float32Array {
    return this.#predictor.predict(columns, rows, this.#options);
  }

  run(op: ReplicaOp, args: readonly unknown[]): unknown {
    const call = this.prepare(op, args);
    return call.answer(this.predict(call.columns, call.rows));
  }

  /** The rows of a call, to be predicted here or on a worker of the pool. @throws ServeInputError, BadRequestError */
  prepare(op: ReplicaOp, args: readonly unknown[]): PreparedRows {
    switch (op) {
      case 'http':
        return this.#prepareText(bodyText(args[0] as Body));
      case 'infer':
        return prepareInference(this, args[0] as Body, args[1] as number | undefined);
      case 'health': {
        const probe = this.#prepareText(this.probe);
        const answer = (predicted: Float32Array): void => {
          if (probe.answer(predicted) !== this.#probeAnswer)
            throw new Error('the model does not predict what it did when it was loaded');
        };
        return { ...probe, answer };
      }
      case 'method':
        break;
    }
    return this.#prepareMethod(args[0] as string, args[1] as readonly unknown[]);
  }

  /** `call(batch)`, as GBDTPredictor has it: columns in, columns of predictions out. */
  #prepareMethod(method: string, [batch]: readonly unknown[]): PreparedRows {
    if (method !== 'call' || typeof batch !== 'object' || batch === null) {
      throw new ServeArgumentError(
        'A deployed model has one method, call(batch), and takes an object of columns.',
      );
    }
    const { columns, rows } = readColumns(batch as Readonly<Record<string, unknown>>, this.features);
    const stride = this.#names.length;
    const answer = (predicted: Float32Array): Record<string, Float32Array> =>
      Object.fromEntries(
        this.#names.map((name, output) => [
          name,
          Float32Array.from({ length: rows }, (_, row) => predicted[row * stride + output]!),
        ]),
      );
    return { columns, rows, answer };
  }

  #prepareText(text: string): PreparedRows {
    const { columns, rows, shape } = readRows(text, this.features);
    return { columns, rows, answer: (predicted) => writePredictions(predicted, rows, this.#names, shape) };
  }
}

/** JSON of predictions in the shape that the rows came in. */
function writePredictions(
  predicted: Float32Array,
  rows: number,
  names: readonly string[],
  shape: FeatureRows['shape'],
): string {
  const stride = names.length;
  const keys = names.map((name) => `${JSON.stringify(name)}:`);
  if (shape === 'columns') {
    const columns = keys.map((key, output) => {
      const values = Array.from({ length: rows }, (_, row) => predicted[row * stride + output]!);
      return `${key}[${values.join(',')}]`;
    });
    return `{${columns.join(',')}}`;
  }
  let text = '';
  for (let row = 0; row < rows; row++) {
    text += row === 0 ? '{' : ',{';
    for (let output = 0; output < stride; output++) {
      if (output > 0) text += ',';
      text += keys[output]! + String(predicted[row * stride + output]!);
    }
    text += '}';
  }
  return shape === 'record' ? text : `[${text}]`;
}
