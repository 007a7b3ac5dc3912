// Predicts batches of a dataset with a neural net: columns by name become the model's inputs, its outputs become columns.
// The same on the owner's machine and on the workers.

import { ColumnUnsuitableError, UnknownColumnError, unknownColumn } from '../../columns/columnErrors.ts';
import { createTrainingEngine } from '../engine/createTrainingEngine.ts';
import type { LayerGraph } from '../layerGraph.ts';
import { elements } from '../model/graphBuilder.ts';
import { NeuralModelError } from '../model/modelErrors.ts';
import { readModel } from '../model/readModel.ts';
import { matchWeights, toSections, weightsOf } from '../state/namedState.ts';
import type { Tensor } from '../state/safetensors.ts';
import type { EngineSpec, TargetValues, TrainingEngine } from '../trainingEngine.ts';
import type { NetInput } from './netInputs.ts';

/** A batch: an array of values a column, all of one length. */
export type NetBatch = Readonly<Record<string, ArrayLike<unknown>>>;

export interface NetPredictorOptions {
  /** Columns of the model's input, or of each by its name. Default: as it was trained, else all, or those named like the inputs. */
  readonly featureColumns?: readonly string[] | Readonly<Record<string, readonly string[]>>;
  /** Columns of the batch to hand through beside the predictions: some, all (true) or none (default). */
  readonly keepColumns?: boolean | readonly string[];
  /** Default "predictions". */
  readonly outputColumn?: string;
  /** Default "cpu". "webgpu" takes the first adapter of wherever this runs, and fails where there is none. */
  readonly device?: 'cpu' | 'webgpu';
}

/** Makes the engine on WebGPU, as the platform can. */
export type OpenGpuEngine = (spec: EngineSpec) => Promise<TrainingEngine>;

/** A net as it lies in a checkpoint. */
export interface StoredNet {
  readonly topology: unknown;
  readonly weights: ReadonlyMap<string, Tensor>;
  /** How columns became inputs in training, where that is known. */
  readonly inputs: readonly NetInput[];
  /** For messages. */
  readonly file: string;
}

/** Rows that are computed at a time. */
const ROWS = { cpu: 64, webgpu: 512 } as const;

export class NetBatchPredictor {
  readonly #net: StoredNet;
  readonly #graph: LayerGraph;
  readonly #options: NetPredictorOptions;
  readonly #outputs: number;
  readonly #openGpu: OpenGpuEngine;
  #engine: Promise<TrainingEngine> | undefined;

  /** @throws NeuralModelError, WeightsMismatchError */
  constructor(net: StoredNet, options: NetPredictorOptions, openGpu: OpenGpuEngine) {
    const read = readModel(net.topology, 'predictions');
    if (read.kind === 'unsupported') {
      const { layer, className, reason } = read.part;
      throw new NeuralModelError(
        `${net.file}: layer "${layer}" (${className}: ${reason}) is none that predictions of batches know; tfjs loads the model`,
        { file: net.file, field: layer },
      );
    }
    this.#net = { ...net, weights: matchWeights(weightsOf(read.graph), net.weights, net.file) };
    this.#graph = read.graph;
    this.#options = options;
    this.#openGpu = openGpu;
    this.#outputs = elements(read.graph.nodes[read.graph.output]!.shape);
  }

  /** Names of the columns that predictions are returned in: one, or one an output of the model. */
  get outputColumns(): readonly string[] {
    const { outputColumn = 'predictions' } = this.#options;
    if (this.#outputs === 1) return [outputColumn];
    return Array.from({ length: this.#outputs }, (_, output) => `${outputColumn}_${output}`);
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
      const column = batch[name];
      if (!column) throw unknownColumn(name, present, 'the data to predict');
      result[name] = column;
    }
    const names = this.outputColumns;
    const columns = names.map(() => new Float32Array(rows));
    const engine = await (this.#engine ??= this.#openEngine());
    const step = ROWS[this.#device];
    for (let from = 0; from < rows; from += step) {
      const to = Math.min(rows, from + step);
      const inputs = this.#graph.inputs.map((at) => this.#inputOf(at, batch, from, to));
      const values = await engine.predict(inputs, to - from);
      values.forEach((value, at) => {
        columns[at % names.length]![from + Math.floor(at / names.length)] = value;
      });
    }
    names.forEach((name, at) => (result[name] = columns[at]!));
    return result;
  }

  get #device(): 'cpu' | 'webgpu' {
    return this.#options.device ?? 'cpu';
  }

  async close(): Promise<void> {
    const engine = await this.#engine;
    await engine?.close();
  }

  async #openEngine(): Promise<TrainingEngine> {
    const spec: EngineSpec = {
      graph: this.#graph,
      // Nothing is trained: any loss and optimizer will do.
      loss: { name: 'meanSquaredError', fromLogits: false },
      metrics: [],
      optimizer: { name: 'sgd', momentum: 0, nesterov: false, weightDecay: 0 },
      microbatchSize: ROWS[this.#device],
      bucketBytes: 2 ** 30,
      seed: 0,
      syncBatchNorm: false,
    };
    const engine =
      this.#device === 'webgpu'
        ? await this.#openGpu(spec)
        : await createTrainingEngine(spec, { device: 'cpu', readsBuckets: false });
    const sections = toSections(engine.layout, { step: 0, weights: this.#net.weights, optimizer: [] });
    engine.write('parameters', sections.parameters);
    engine.write('statistics', sections.statistics);
    return engine;
  }

  #inputOf(at: number, batch: NetBatch, from: number, to: number): TargetValues {
    const { name, shape, operation } = this.#graph.nodes[at]!;
    const trained = this.#net.inputs.find((input) => input.name === name);
    const columns = this.#columnsOf(name, trained, Object.keys(batch));
    const width = elements(shape);
    const isWhole = operation.type === 'input' && operation.dtype === 'int32';
    const values = new (isWhole ? Int32Array : Float32Array)((to - from) * width);
    const { scale = 1, offset = 0 } = trained ?? {};
    for (let row = from; row < to; row++) {
      let end = (row - from) * width;
      const take = (value: unknown, column: string): void => {
        if (Array.isArray(value) || ArrayBuffer.isView(value)) {
          for (const one of value as unknown as Iterable<unknown>) take(one, column);
          return;
        }
        const isNumber = typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint';
        if (!isNumber || !Number.isFinite(Number(value))) {
          throw new ColumnUnsuitableError(
            `row ${row} of a batch: column "${column}" is ${String(value).slice(0, 60)}; the model expects finite numbers`,
            { row, column },
          );
        }
        if (end < (row - from + 1) * width) values[end] = Number(value) * scale + offset;
        end += 1;
      };
      for (const column of columns) take(batch[column]![row], column);
      const found = end - (row - from) * width;
      if (found !== width) {
        throw new ColumnUnsuitableError(
          `row ${row} of a batch: ${columns.join(', ')} have ${found} values; "${name}" takes ${width} ([${shape.join(', ')}])`,
          { row, column: columns[0] ?? name },
        );
      }
    }
    return values;
  }

  #columnsOf(name: string, trained: NetInput | undefined, present: readonly string[]): readonly string[] {
    const { featureColumns } = this.#options;
    const single = this.#graph.inputs.length === 1;
    const asked =
      featureColumns && 'length' in featureColumns
        ? (featureColumns as readonly string[])
        : featureColumns?.[name];
    const columns = asked ?? trained?.columns ?? (single ? present : [name]);
    if (columns.length === 0) throw new UnknownColumnError('the data to predict has no columns');
    for (const column of columns) {
      if (!present.includes(column)) throw unknownColumn(column, present, 'the data to predict');
    }
    return columns;
  }
}
