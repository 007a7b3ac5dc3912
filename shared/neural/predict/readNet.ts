// A stored net as predictions need it: taken apart for the compiled engine where that knows all of it.

import { NeuralModelError } from '../graph/modelErrors.ts';
import type { LayerGraph } from '../layerGraph.ts';
import { readCalls } from '../model/layerCalls.ts';
import { readTensors, type LayersFiles } from '../model/layersFiles.ts';
import type { NetInput } from '../model/netInputs.ts';
import { inputNameOf, readGraph } from '../model/readModel.ts';
import { matchWeights, weightsOf } from '../state/namedState.ts';
import type { Tensor } from '../state/safetensors.ts';

/** A net as it lies in a checkpoint. */
export interface StoredNet {
  readonly topology: object;
  /** Undefined where they are of types that tfjs alone takes. */
  readonly weights: ReadonlyMap<string, Tensor> | undefined;
  /** How columns became inputs in training, where that is known. */
  readonly inputs: readonly NetInput[];
  /** For messages. */
  readonly file: string;
  /** What tfjs is given. */
  readonly files: () => LayersFiles;
}

export interface ReadNet extends Pick<StoredNet, 'file' | 'files' | 'inputs'> {
  /** Undefined where only tfjs knows the net. */
  readonly graph: LayerGraph | undefined;
  /** Of the graph, by name. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** Of the inputs, in the model's order. */
  readonly names: readonly string[];
  readonly outputs: number;
  readonly layers: number;
}

/** A net from its files. @param file for messages. @throws WeightsMismatchError */
export function storedNet(files: LayersFiles, file: string): StoredNet {
  return {
    topology: files.modelTopology,
    weights: readTensors(files, file),
    inputs: files.scalings,
    file,
    files: () => files,
  };
}

/** @throws NeuralModelError, WeightsMismatchError */
export function readNet({ topology, weights, inputs, file, files }: StoredNet): ReadNet {
  const calls = readCalls(topology);
  const outputs = calls.outputs.length;
  const read = weights && outputs === 1 ? readGraph(calls, 'predictions') : undefined;
  const graph = read?.kind === 'compiled' ? read.graph : undefined;
  return {
    file,
    files,
    inputs,
    graph,
    weights: graph && weights ? matchWeights(weightsOf(graph), weights, file) : new Map(),
    names: calls.inputs.map((at) => inputNameOf(calls.calls[at]!.layer)),
    outputs,
    layers: calls.layers,
  };
}

/** Batches have the columns of one output. @throws NeuralModelError */
export function checkOneOutput({ outputs, file }: ReadNet): void {
  if (outputs === 1) return;
  throw new NeuralModelError(`${file}: the model has ${outputs} outputs; expected one`, { file });
}

/** A net's files as tfjs takes them, of weights that are read already. */
export function filesOf(topology: object, weights: ReadonlyMap<string, Tensor>): LayersFiles {
  return {
    modelTopology: topology,
    weightSpecs: [...weights].map(([name, { shape }]) => ({ name, shape: [...shape], dtype: 'float32' })),
    weights: [...weights.values()].map(
      ({ values }) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    ),
    scalings: [],
  };
}
