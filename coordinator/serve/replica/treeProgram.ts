// A tree model as a replica runs it: rows in one of Ray's shapes in, predictions in the same shape out.

import type { PredictOptions } from '../../../shared/gbdt/model/predictor.ts';
import { TreePredictor } from '../../../shared/gbdt/model/treePredictor.ts';
import { readModel } from '../../../shared/gbdt/model/readModel.ts';
import { RowReader } from '../request/rows/rowReader.ts';
import { bodyText } from '../../http/bodyText.ts';
import { prepareInference, type InferModel, type PreparedRows } from './treeInference.ts';
import { modelFeatures, type ModelFeature } from '../../../shared/gbdt/model/modelFeatures.ts';
import type { OutputValues } from '../request/openInference.ts';
import { readColumns, readRecords, readRows, type FeatureRows, readInstances } from '../request/readRows.ts';
import { ServeArgumentError } from '../request/serveErrors.ts';
import { answerColumns, type AnswerColumns } from './answerColumns.ts';
import type { Body, ReplicaOp, ReplicaProgram } from './replica.ts';
import type { TreeOptions } from './predictorOptions.ts';

export class TreeProgram implements ReplicaProgram, InferModel {
  readonly features: readonly ModelFeature[];
  readonly #predictor: TreePredictor;
  /** What the predictor is asked for: margins, where more than predictions is made of them. */
  readonly predictOptions: PredictOptions;
  readonly #answer: AnswerColumns;
  readonly #reader: RowReader | undefined;
  /** A row with all values missing, and what the model answered to it when it was loaded. */
  readonly probe: string;
  readonly #probeAnswer: string;

  /** @throws ModelFormatError, ModelUnsupportedError, ServeArgumentError */
  constructor(modelText: string, options: TreeOptions) {
    const model = readModel(modelText);
    this.features = modelFeatures(model);
    this.#reader = RowReader.of(this.features);
    this.#answer = answerColumns(model, options);
    this.predictOptions = predictOptions(options, this.#answer.needsMargins);
    this.#predictor = new TreePredictor({ loadModel: () => model }, this.predictOptions);
    this.probe = JSON.stringify([Object.fromEntries(this.features.map(({ name }) => [name, null]))]);
    this.#probeAnswer = this.run('http', [this.probe]) as string;
  }

  /** Numbers that are predicted for a row. */
  get outputs(): number {
    return this.#predictor.predictor.width(this.predictOptions);
  }

  outputValues(raw: Float32Array, rows: number): readonly OutputValues[] {
    return this.#answer.tensors(raw, rows);
  }

  /** @returns [row][output] */
  predict(columns: readonly Float32Array[], rows: number): Float32Array {
    return this.#predictor.predict(columns, rows);
  }

  run(op: ReplicaOp, args: readonly unknown[]): unknown {
    if (op === 'rows') return this.predict(args[0] as readonly Float32Array[], args[1] as number);
    const call = this.#prepare(op, args);
    return call.answer(this.predict(call.columns, call.rows));
  }

  /** The rows of a call, to be predicted here or on a worker of the pool. @throws ServeInputError, BadRequestError */
  prepare(op: ReplicaOp, args: readonly unknown[]): PreparedRows {
    const prepared = this.#prepare(op, args);
    // Those of a reader are used again for the next call.
    return { ...prepared, columns: prepared.columns.map((column) => column.slice()) };
  }

  #prepare(op: ReplicaOp, args: readonly unknown[]): PreparedRows {
    switch (op) {
      case 'http':
        return this.#prepareBody(args[0] as Body);
      case 'infer':
        return prepareInference(this, args[0] as Body, args[1] as number | undefined);
      case 'predict':
        return this.#prepareInstances(args[0] as Body);
      case 'health': {
        const probe = this.#prepareBody(this.probe);
        const answer = (predicted: Float32Array): void => {
          if (probe.answer(predicted) !== this.#probeAnswer)
            throw new Error('the model does not predict what it did when it was loaded');
        };
        return { ...probe, answer };
      }
      case 'method':
      case 'rows':
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
    const { names } = this.#answer;
    const answer = (raw: Float32Array): Record<string, Float32Array> => {
      const table = this.#answer.table(raw, rows);
      return Object.fromEntries(
        names.map((name, column) => [
          name,
          Float32Array.from({ length: rows }, (_, row) => table[row * names.length + column]!),
        ]),
      );
    };
    return { columns, rows, answer };
  }

  #prepareBody(body: Body): PreparedRows {
    const read = this.#reader?.read(body) ?? readRows(bodyText(body), this.features);
    const { columns, rows, shape } = read;
    const answer = (raw: Float32Array): string =>
      writePredictions(this.#answer.table(raw, rows), rows, this.#answer.names, shape);
    return { columns, rows, answer };
  }

  #prepareInstances(body: Body): PreparedRows {
    const { columns, rows } = this.#reader?.readInstances(body) ?? this.#readInstances(body);
    const { names, needsMargins } = this.#answer;
    const answer = (raw: Float32Array): string => {
      const table = this.#answer.table(raw, rows);
      const predictions = needsMargins
        ? writePredictions(table, rows, names, 'records')
        : writeValues(table, rows, names.length);
      return `{"predictions":${predictions}}`;
    };
    return { columns, rows, answer };
  }

  #readInstances(body: Body): FeatureRows {
    const instances = readInstances(bodyText(body), this.features.length);
    return readRecords(instances, this.features, 'records');
  }
}

function predictOptions(
  { outputMargin, iterationRange }: TreeOptions,
  needsMargins: boolean,
): PredictOptions {
  const isMargin = needsMargins ? true : outputMargin;
  return {
    ...(isMargin !== undefined && { outputMargin: isMargin }),
    ...(iterationRange && { iterationRange }),
  };
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

/** A number a row, or an array of them. */
function writeValues(table: Float32Array, rows: number, stride: number): string {
  if (stride === 1) return `[${table.join(',')}]`;
  const row = (at: number): string => `[${table.subarray(at * stride, (at + 1) * stride).join(',')}]`;
  return `[${Array.from({ length: rows }, (_, at) => row(at)).join(',')}]`;
}
