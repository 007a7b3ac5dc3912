// Predicts with a neural net: batches of a dataset, whose columns by name become the model's inputs and its outputs
// columns, and tensors of replicas. The same on the owner's machine, beside a server, and on workers.

import { UnknownColumnError, unknownColumn } from '../../columns/columnErrors.ts';
import { sizeOf, type LayersFacts, type NetRows, type PredictedRows } from '../../serve/layersNet.ts';
import { NeuralModelError } from '../graph/modelErrors.ts';
import type { NetInput } from '../model/netInputs.ts';
import { checkPredictorOptions, type NetPredictorOptions } from './checkPredictorOptions.ts';
import { inputRows, type RowRange } from './inputRows.ts';
import { openNet, type NetOpeners, type OpenedNet } from './openNet.ts';
import { checkOneOutput, readNet, type ReadNet, type StoredNet } from './readNet.ts';

/** A batch: an array of values a column, all of one length. */
export type NetBatch = Readonly<Record<string, ArrayLike<unknown>>>;

/** Rows of a batch that become tensors at a time: at most so many, and so many numbers. */
const MOST_ROWS = 512;
const MOST_NUMBERS = 2 ** 22;

export class NetPredictor {
  readonly #net: ReadNet;
  readonly #options: NetPredictorOptions;
  readonly #openers: NetOpeners;
  #opening: Promise<OpenedNet> | undefined;

  /** @throws NeuralModelError, WeightsMismatchError, and PREDICT_ARGUMENT naming an option. */
  constructor(net: StoredNet, options: NetPredictorOptions, openers: NetOpeners) {
    this.#net = readNet(net);
    checkPredictorOptions(options, this.#net.names);
    this.#options = options;
    this.#openers = openers;
  }

  /** The net where it computes, opened once. @throws what opening it throws. */
  open(): Promise<OpenedNet> {
    const { device = 'cpu' } = this.#options;
    return (this.#opening ??= openNet(this.#net, device, this.#openers));
  }

  /** What the model takes and gives: for replicas. */
  async facts(): Promise<LayersFacts> {
    return (await this.open()).facts;
  }

  /** Tensors, as replicas have them. @returns as many as the model has outputs. */
  async predict(rows: NetRows): Promise<readonly PredictedRows[]> {
    return (await this.open()).predict(rows);
  }

  /** Predicts a row of zeros. @throws when the answer is another than it was when the net was opened. */
  async checkHealth(): Promise<void> {
    return (await this.open()).checkHealth();
  }

  /**
   * Names of the columns that predictions are returned in: one, or one an output of the model.
   * @throws NeuralModelError when their number depends on the rows, and what opening the net throws.
   */
  async outputColumns(): Promise<readonly string[]> {
    checkOneOutput(this.#net);
    const { graph, file } = this.#net;
    const shape = graph ? graph.nodes[graph.output]!.shape : (await this.facts()).outputs[0]!.shape;
    const length = outputLength(shape);
    if (length !== undefined) return this.#columnNames(length);
    throw new NeuralModelError(
      `${file}: the size of the output depends on that of the input, so its columns are not known before; predict in this process, or save the model for inputs of one size`,
      { file },
    );
  }

  /** Columns that a batch must have. Empty where the only input takes all columns, in their order. */
  get featureColumns(): readonly string[] {
    const columns = this.#net.names.map((name) => this.#knownColumns(name));
    return columns.some((known) => known === undefined)
      ? []
      : [...new Set(columns.flatMap((known) => known!))];
  }

  /**
   * The model's outputs as float32 columns, after the columns that are kept.
   * @throws UnknownColumnError for a missing column, ColumnUnsuitableError for values that are no input of the model.
   */
  async call(batch: NetBatch): Promise<Record<string, ArrayLike<unknown>>> {
    const { keepColumns = false } = this.#options;
    const present = Object.keys(batch);
    const rows = Object.values(batch)[0]?.length ?? 0;
    const kept = keepColumns === true ? present : keepColumns === false ? [] : keepColumns;
    const result: Record<string, ArrayLike<unknown>> = {};
    for (const name of kept) {
      if (!present.includes(name)) throw unknownColumn(name, present, 'the data to predict');
      result[name] = batch[name]!;
    }
    checkOneOutput(this.#net);
    const net = await this.open();
    const { inputs, outputs } = net.facts;
    const numbers = inputs.reduce((sum, { shape }) => sum + sizeOf(shape.map((size) => size ?? 1)), 0);
    const step = Math.max(1, Math.min(MOST_ROWS, Math.floor(MOST_NUMBERS / numbers)));
    let columns: readonly Float32Array[] | undefined;
    for (let from = 0; from < rows; from += step) {
      const range = { from, to: Math.min(rows, from + step) };
      const [predicted] = await net.predict({
        rows: range.to - from,
        inputs: inputs.map((port) => inputRows(port, this.#columnsOf(port.name, present), batch, range)),
      });
      const width = sizeOf(predicted!.shape);
      columns ??= Array.from({ length: width }, () => new Float32Array(rows));
      if (columns.length !== width) throw this.#unequalOutputs(columns.length, width, range);
      for (const [at, value] of predicted!.values.entries())
        columns[at % width]![from + Math.floor(at / width)] = value;
    }
    columns ??= Array.from({ length: outputLength(outputs[0]!.shape) ?? 1 }, () => new Float32Array(0));
    for (const [at, name] of this.#columnNames(columns.length).entries()) result[name] = columns[at]!;
    return result;
  }

  async close(): Promise<void> {
    const net = await this.#opening;
    await net?.close();
  }

  #columnNames(outputs: number): readonly string[] {
    const { outputColumn = 'predictions' } = this.#options;
    if (outputs === 1) return [outputColumn];
    return Array.from({ length: outputs }, (_, output) => `${outputColumn}_${output}`);
  }

  #unequalOutputs(before: number, here: number, { from }: RowRange): NeuralModelError {
    return new NeuralModelError(
      `${this.#net.file}: rows before row ${from} of a batch have ${before} outputs, the next ones ${here}; predict rows of one size at a time`,
      { file: this.#net.file, row: from },
    );
  }

  #trainedInput(name: string): NetInput | undefined {
    return this.#net.inputs.find((input) => input.name === name);
  }

  /** What an input is made of; undefined where that is all that there is. */
  #knownColumns(name: string): readonly string[] | undefined {
    const { featureColumns } = this.#options;
    const single = this.#net.names.length === 1;
    const asked = Array.isArray(featureColumns)
      ? (featureColumns as readonly string[])
      : featureColumns && Object.hasOwn(featureColumns, name)
        ? (featureColumns as Readonly<Record<string, readonly string[]>>)[name]
        : undefined;
    return asked ?? this.#trainedInput(name)?.columns ?? (single ? undefined : [name]);
  }

  #columnsOf(name: string, present: readonly string[]): readonly string[] {
    const columns = this.#knownColumns(name) ?? present;
    if (columns.length === 0) throw new UnknownColumnError('the data to predict has no columns');
    for (const column of columns) {
      if (!present.includes(column)) throw unknownColumn(column, present, 'the data to predict');
    }
    return columns;
  }
}

/** Numbers of a row; undefined where that depends on what goes in. */
function outputLength(shape: readonly (number | null)[]): number | undefined {
  const sizes = shape.filter((size) => size !== null);
  return sizes.length === shape.length ? sizeOf(sizes) : undefined;
}
