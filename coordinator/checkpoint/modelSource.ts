// Where a model comes from: a live tf.LayersModel, a folder that tfjs has saved, or a topology alone. tfjs itself is
// asked only where a model has layers that nothing else here knows.

import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { LayerGraph } from '../../shared/neural/layerGraph.ts';
import { asKeras2 } from '../../shared/neural/model/asKeras2.ts';
import { readModelJson, readWeights } from '../../shared/neural/model/layersFormat.ts';
import { NeuralModelError } from '../../shared/neural/graph/modelErrors.ts';
import {
  inputNameOf,
  openInputShapes,
  readGraph,
  type UnsupportedPart,
} from '../../shared/neural/model/readModel.ts';
import { bindInputs } from '../../shared/neural/model/bindInputs.ts';
import { readCalls } from '../../shared/neural/model/layerCalls.ts';
import { outputKind, type OutputKind } from '../../shared/neural/model/outputKind.ts';
import { initialWeights, matchWeights, weightsOf } from '../../shared/neural/state/namedState.ts';
import { messageOf } from '../../shared/text/messageOf.ts';
import type { Tensor } from '../../shared/neural/state/safetensors.ts';
import { MODEL_FILE } from './checkpoint.ts';
import { readCheckpointFile } from './readCheckpointFile.ts';
import { CheckpointError } from './checkpointError.ts';
import { isLive, liveWeights, writeFrozen, type LiveModel } from './liveModel.ts';
import { inspectWithTfjs } from './tfjsThread/askTfjs.ts';
import type { ModelPort } from './tfjsThread/tfjsMessages.ts';

/** A tf.LayersModel, the path of a folder or model.json, or a topology (an object, as `resnet18()` gives). */
export type ModelSource = LiveModel | object | string;

/** What a run needs to know of its model. */
export interface OpenedModel {
  /** As it came: what checkpoints have. */
  readonly topology: object;
  /** The same for inputs of one size: what is trained. */
  readonly boundTopology: object;
  readonly inputs: readonly ModelPort[];
  readonly outputShape: readonly number[];
  readonly outputKind: OutputKind;
  readonly weights: ReadonlyMap<string, Tensor>;
  /** Undefined when the compiled engine knows all of it. */
  readonly unsupported: UnsupportedPart | undefined;
}

/** What the data have for an input whose size the model leaves open; undefined where they do not say. */
type RowShapeOf = (name: string, shape: readonly (number | null)[]) => readonly number[] | undefined;

/**
 * @param seed of the first weights, for a model that comes without any.
 * @param rowShapeOf asked for inputs of open size.
 * @throws NeuralModelError, WeightsMismatchError, CheckpointError
 */
export async function openModel(
  source: ModelSource,
  seed: number,
  rowShapeOf: RowShapeOf = () => undefined,
): Promise<OpenedModel> {
  const { topology: given, weights } = fromSource(source);
  const topology = boundToRows(given, rowShapeOf);
  const calls = readCalls(topology);
  const read = readGraph(calls);
  const found = { topology: given, boundTopology: topology, outputKind: outputKind(calls) };
  if (read.kind === 'unsupported') {
    const { initial, inputs, outputShape } = await inspectWithTfjs(topology, weights && numbersIn(weights));
    const wanted = [...initial].map(([name, { shape }]) => ({ name, shape }));
    return {
      ...found,
      // As the model calls them: tfjs's own names are other ones where it has seen such names before.
      inputs: inputs.map((port, at) => ({
        ...port,
        name: inputNameOf(calls.calls[calls.inputs[at]!]!.layer),
      })),
      outputShape,
      weights: weights ? matchWeights(wanted, weights, 'the model') : initial,
      unsupported: read.part,
    };
  }
  const { graph, initializers } = read;
  const wanted = weightsOf(graph);
  return {
    ...found,
    inputs: graph.inputs.map((at) => portOf(graph, at)),
    outputShape: graph.nodes[graph.output]!.shape,
    weights: weights ? matchWeights(wanted, weights, 'the model') : initialWeights(graph, initializers, seed),
    unsupported: undefined,
  };
}

function numbersIn(weights: ReadonlyMap<string, Tensor>): number {
  return [...weights.values()].reduce((sum, { values }) => sum + values.length, 0);
}

/** @throws NeuralModelError naming the input whose size is not given. */
function boundToRows(topology: object, rowShapeOf: RowShapeOf): object {
  const net = readCalls(topology);
  const shapes = openInputShapes(net);
  if (shapes.every((shape) => !shape.includes(null))) return topology;
  const bound = shapes.map((shape, at) => {
    if (!shape.includes(null)) return shape as readonly number[];
    const name = inputNameOf(net.calls[net.inputs[at]!]!.layer);
    const found = rowShapeOf(name, shape);
    const fits =
      found?.length === shape.length && shape.every((size, axis) => size === null || size === found[axis]);
    if (found && fits) return found;
    const open = shape.map((size) => size ?? 'any').join(', ');
    throw new NeuralModelError(
      `input "${name}" is of any size ([${open}]), and ${found ? `its rows are [${found.join(', ')}]` : 'a table does not say which'}; give tensors in memory whose shape fits, or fix the size in the model`,
      { field: name },
    );
  });
  return bindInputs(topology, bound);
}

function portOf({ nodes }: LayerGraph, at: number): ModelPort {
  const { name, shape, operation } = nodes[at]!;
  return { name, shape, dtype: operation.type === 'input' ? operation.dtype : 'float32' };
}

interface Source {
  readonly topology: object;
  readonly weights: ReadonlyMap<string, Tensor> | undefined;
}

function fromSource(source: ModelSource): Source {
  if (typeof source === 'string') return readLayersModel(source);
  if (isLive(source)) {
    const topology = asObject(source.toJSON(null, false));
    writeFrozen(source, topology);
    return { topology, weights: liveWeights(source) };
  }
  const topology = 'modelTopology' in source ? source.modelTopology : source;
  return { topology: asObject(topology), weights: undefined };
}

/** Plain JSON: what travels to the workers. */
function asObject(topology: unknown): object {
  try {
    const value: unknown = typeof topology === 'string' ? JSON.parse(topology) : topology;
    if (typeof value === 'object' && value !== null)
      return asKeras2(JSON.parse(JSON.stringify(value))) as object;
  } catch (error) {
    if (error instanceof NeuralModelError) throw error;
    const place = { field: 'model' };
    throw new NeuralModelError(`the model's topology is no JSON: ${messageOf(error)}`, place, {
      cause: error,
    });
  }
  throw new NeuralModelError('model is neither a tf.LayersModel, nor a folder of one, nor a topology', {
    field: 'model',
  });
}

/**
 * A folder with model.json, or that file.
 * @throws CheckpointError, NeuralModelError, WeightsMismatchError
 */
export function readLayersModel(path: string): Source {
  const absolute = resolve(path);
  const found = statSync(absolute, { throwIfNoEntry: false });
  if (!found) throw new CheckpointError(`No model at ${absolute}.`, { file: absolute });
  const folder = found.isDirectory() ? absolute : dirname(absolute);
  const file = found.isDirectory() ? join(folder, MODEL_FILE) : absolute;
  const { topology, manifest } = readModelJson(readCheckpointFile(file).toString('utf8'), file);
  const hasWeights = manifest.some(({ weights }) => weights.length > 0);
  const weights = hasWeights
    ? readWeights(manifest, (name) => readCheckpointFile(join(folder, name)), file)
    : undefined;
  return { topology: asObject(topology), weights };
}
