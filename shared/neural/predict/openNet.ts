// Opens a net for predictions, wherever that is: by the compiled engine, and by tfjs where the compiler does not know a
// layer of it. Batches, replicas and workers all have their numbers from here.

import type { DeviceKind } from '../../../kernels/deviceKinds.ts';
import {
  sizeOf,
  type InputRows,
  type InputValues,
  type LayersFacts,
  type LayersNet,
  type NetRows,
  type PredictedRows,
} from '../../serve/layersNet.ts';
import { messageOf } from '../../text/messageOf.ts';
import { vocabularyOf } from '../engine/checkBatch.ts';
import { createPredictionEngine, type PredictionEngine } from '../engine/createPredictionEngine.ts';
import { NeuralModelError } from '../graph/modelErrors.ts';
import type { LayerGraph } from '../layerGraph.ts';
import type { NetInput } from '../model/netInputs.ts';
import { weightsOf } from '../state/namedState.ts';
import type { TargetValues } from '../trainingEngine.ts';
import type { ReadNet } from './readNet.ts';

export interface OpenedNet extends LayersNet {
  close(): Promise<void>;
}

/** What computes, before inputs are scaled and health is tested. */
export type BareNet = Pick<OpenedNet, 'close' | 'facts' | 'predict'>;

/** What the platform opens nets with. */
export interface NetOpeners {
  /** Gives an engine a GPU device of its own. @throws AdapterMissingError where there is no adapter. */
  readonly openGpu: (make: (device: GPUDevice) => Promise<PredictionEngine>) => Promise<PredictionEngine>;
  /** Opens a net that only tfjs knows. */
  readonly openTfjs: (files: ReturnType<ReadNet['files']>, device: DeviceKind) => Promise<BareNet>;
}

/**
 * @throws NeuralModelError for what tfjs can not compute, NetTooLargeError, DeviceFailedError, DeviceLostError, and what the
 * openers throw.
 */
export async function openNet(net: ReadNet, device: DeviceKind, openers: NetOpeners): Promise<OpenedNet> {
  const bare = net.graph
    ? await openCompiled(net, net.graph, device, openers)
    : await openFallback(net, device, openers);
  const predict = ({ rows, inputs }: NetRows): Promise<readonly PredictedRows[]> =>
    bare.predict({ rows, inputs: inputs.map((input, at) => scaled(input, net.inputs[at])) });
  const zeros = zerosOf(bare.facts);
  let probeAnswer: readonly PredictedRows[];
  try {
    probeAnswer = await predict(zeros);
  } catch (error) {
    await bare.close().catch(() => undefined);
    if (net.graph) throw error;
    throw new NeuralModelError(
      `tfjs can not compute with the model: ${messageOf(error)}`,
      {},
      { cause: error },
    );
  }
  return {
    facts: bare.facts,
    predict,
    async checkHealth() {
      const answer = await predict(zeros);
      const isSame = answer.every(({ values }, output) =>
        values.every((value, at) => Object.is(value, probeAnswer[output]!.values[at])),
      );
      if (!isSame) throw new Error('the model does not predict what it did when it was loaded');
    },
    close: () => bare.close(),
  };
}

async function openCompiled(
  { names, layers, weights }: ReadNet,
  graph: LayerGraph,
  device: DeviceKind,
  { openGpu }: NetOpeners,
): Promise<BareNet> {
  const make = (on: GPUDevice | 'cpu'): Promise<PredictionEngine> =>
    createPredictionEngine(graph, weights, { device: on });
  const engine = await (device === 'webgpu' ? openGpu(make) : make('cpu'));
  const { shape } = graph.nodes[graph.output]!;
  const facts: LayersFacts = {
    layers,
    parameters: weightsOf(graph).reduce((sum, weight) => sum + sizeOf(weight.shape), 0),
    inputs: graph.inputs.map((place, at) => {
      const { shape: of, operation } = graph.nodes[place]!;
      const dtype = operation.type === 'input' ? operation.dtype : 'float32';
      const below = dtype === 'int32' ? vocabularyOf(graph, place) : Infinity;
      return { name: names[at]!, dtype, shape: [...of], ...(below < Infinity && { below }) };
    }),
    outputs: [{ name: 'predictions', dtype: 'float32', shape: [...shape] }],
  };
  return {
    facts,
    async predict({ rows, inputs }) {
      const values = await engine.predict(
        inputs.map((input) => ownMemory(input.values)),
        rows,
      );
      return [{ values, shape }];
    },
    close: () => engine.close(),
  };
}

async function openFallback(
  { files, names }: ReadNet,
  device: DeviceKind,
  { openTfjs }: NetOpeners,
): Promise<BareNet> {
  const net = await openTfjs(files(), device);
  // As the model calls them: tfjs's own names are other ones where it has seen such names before.
  const inputs = net.facts.inputs.map((input, at) => ({ ...input, name: names[at] ?? input.name }));
  return { facts: { ...net.facts, inputs }, predict: (rows) => net.predict(rows), close: () => net.close() };
}

/** One row for every input; sizes that are open are 1. */
function zerosOf({ inputs }: LayersFacts): NetRows {
  return {
    rows: 1,
    inputs: inputs.map(({ dtype, shape: open }) => {
      const shape = open.map((size) => size ?? 1);
      return { shape, values: new (dtype === 'int32' ? Int32Array : Float32Array)(sizeOf(shape)) };
    }),
  };
}

/** As the workers scaled them in training, to the bit. */
function scaled(input: InputRows, scaling: NetInput | undefined): InputRows {
  if (!scaling || (scaling.scale === 1 && scaling.offset === 0)) return input;
  return {
    ...input,
    values: Float32Array.from(input.values, (value) => value * scaling.scale + scaling.offset),
  };
}

/** GPUs take no shared memory. */
function ownMemory(values: InputValues): TargetValues {
  return values.buffer instanceof ArrayBuffer ? (values as TargetValues) : values.slice();
}
