// Predicts batches of a dataset with a neural net: columns by name become the model's inputs, its outputs become columns.
// The same on the owner's machine and on the workers.

import { UnknownColumnError, unknownColumn } from '../../columns/columnErrors.ts';
import type { LayerGraph } from '../layerGraph.ts';
import { elements } from '../graph/graphBuilder.ts';
import { readCalls } from '../model/layerCalls.ts';
import { NeuralModelError } from '../graph/modelErrors.ts';
import { inputNameOf, readGraph } from '../model/readModel.ts';
import { matchWeights, weightsOf } from '../state/namedState.ts';
import type { Tensor } from '../state/safetensors.ts';
import { checkPredictorOptions } from './checkPredictorOptions.ts';
import { inputRows, type RowRange } from './inputRows.ts';
import type { NetInput } from '../model/netInputs.ts';
import {
  filesOf,
  openCompiledNet,
  openFallbackNet,
  type OpenedNet,
  type OpenGpuEngine,
  type OpenTfjsNet,
} from './openedNet.ts';
import type { NetPredictorOptions } from './checkPredictorOptions.ts';

/** A batch: an array of values a column, all of one length. */
export type NetBatch = Readonly<Record<string, ArrayLike<unknown>>>;

/** What the platform opens nets with. */
interface NetOpeners {
  readonly openGpu: OpenGpuEngine;
  readonly openTfjs: OpenTfjsNet;
}

/** A net as it lies in a checkpoint. */
export interface StoredNet {
  readonly topology: unknown;
  readonly weights: ReadonlyMap<string, Tensor>;
  /** How columns became inputs in training, where that is known. */
  readonly inputs: readonly NetInput[];
  /** For messages. */
  readonly file: string;
}

export class NetBatchPredictor {
  readonly #net: StoredNet;
  /** Undefined where only tfjs knows the net. */
  readonly #graph: LayerGraph | undefined;
  /** Of the inputs. */
  readonly #names: readonly string[];
  readonly #options: NetPredictorOptions;
  readonly #openers: NetOpeners;
  #opening: Promise<OpenedNet> | undefined;

  /** @throws NeuralModelError, WeightsMismatchError, and PREDICT_ARGUMENT naming an option. */
  constructor(net: StoredNet, options: NetPredictorOptions, openers: NetOpeners) {
    const calls = readCalls(net.topology);
    const read = readGraph(calls, 'predictions');
    this.#graph = read.kind === 'compiled' ? read.graph : undefined;
    this.#net = this.#graph
      ? { ...net, weights: matchWeights(weightsOf(this.#graph), net.weights, net.file) }
      : net;
    this.#names = calls.inputs.map((at) => inputNameOf(calls.calls[at]!.layer));
    checkPredictorOptions(options, this.#names);
    this.#options = options;
    this.#openers = openers;
  }

  /**
   * Names of the columns that predictions are returned in: one, or one an output of the model.
   * @throws NeuralModelError when their number depends on the rows, and what opening the net throws.
   */
  async outputColumns(): Promise<readonly string[]> {
    const { graph, file } = { graph: this.#graph, ...this.#net };
    const length = graph ? elements(graph.nodes[graph.output]!.shape) : (await this.#opened()).outputLength;
    if (length !== undefined) return this.#columnNames(length);
    throw new NeuralModelError(
      `${file}: the size of the output depends on that of the input, so its columns are not known before; predict in this process, or save the model for inputs of one size`,
      { file },
    );
  }

  /** Columns that a batch must have. Empty where the only input takes all columns, in their order. */
  get featureColumns(): readonly string[] {
    const columns = this.#names.map((name) => this.#knownColumns(name));
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
    const net = await this.#opened();
    let columns: readonly Float32Array[] | undefined;
    for (let from = 0; from < rows; from += net.mostRows) {
      const range = { from, to: Math.min(rows, from + net.mostRows) };
      const values = await net.predict(
        net.inputs.map((port) => this.#inputOf(port, batch, range)),
        range.to - from,
      );
      const outputs = values.length / (range.to - from);
      columns ??= Array.from({ length: outputs }, () => new Float32Array(rows));
      if (columns.length !== outputs) throw this.#unequalOutputs(columns.length, outputs, range);
      for (const [at, value] of values.entries())
        columns[at % outputs]![from + Math.floor(at / outputs)] = value;
    }
    columns ??= Array.from({ length: net.outputLength ?? 1 }, () => new Float32Array(0));
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

  #opened(): Promise<OpenedNet> {
    const { device = 'cpu' } = this.#options;
    const { topology, weights } = this.#net;
    const { openGpu, openTfjs } = this.#openers;
    this.#opening ??= this.#graph
      ? openCompiledNet(this.#graph, weights, device === 'webgpu' ? openGpu : undefined)
      : openFallbackNet(this.#names, () => openTfjs(filesOf(topology as object, weights), device));
    return this.#opening;
  }

  #inputOf(port: OpenedNet['inputs'][number], batch: NetBatch, range: RowRange) {
    const columns = this.#columnsOf(port.name, Object.keys(batch));
    const trained = this.#trainedInput(port.name);
    return inputRows(port, columns, batch, range, trained ?? { scale: 1, offset: 0 });
  }

  #trainedInput(name: string): NetInput | undefined {
    return this.#net.inputs.find((input) => input.name === name);
  }

  /** What an input is made of; undefined where that is all that there is. */
  #knownColumns(name: string): readonly string[] | undefined {
    const { featureColumns } = this.#options;
    const single = this.#names.length === 1;
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
