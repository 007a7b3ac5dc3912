// Nets that are open for predictions, one interface over the compiled engine and tfjs.

import type { DeviceKind } from '../../../kernels/deviceKinds.ts';
import type { LayersFacts, LayersNet } from '../../serve/layersNet.ts';
import { createTrainingEngine } from '../engine/createTrainingEngine.ts';
import type { LayerGraph } from '../layerGraph.ts';
import { elements } from '../graph/graphBuilder.ts';
import type { LayersFiles } from '../model/layersFiles.ts';
import { toSections } from '../state/namedState.ts';
import type { Tensor } from '../state/safetensors.ts';
import type { EngineSpec, TrainingEngine } from '../trainingEngine.ts';
import type { GivenRows, InputPort } from './inputRows.ts';
import { bytesUnder } from '../../../kernels/bytesUnder.ts';

export interface OpenedNet {
  readonly inputs: readonly InputPort[];
  /** Of a row; undefined where it depends on what goes in. */
  readonly outputLength: number | undefined;
  /** Rows that are given at a time. */
  readonly mostRows: number;
  /** Output after output of each row. */
  predict(inputs: readonly GivenRows[], rows: number): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Makes the engine on WebGPU, as the platform can. */
export type OpenGpuEngine = (spec: EngineSpec) => Promise<TrainingEngine>;

/** Opens a net that only tfjs knows, as the platform can. */
export type OpenTfjsNet = (
  files: LayersFiles,
  device: DeviceKind,
) => Promise<Pick<LayersNet, 'facts' | 'predict'> & { close(): Promise<void> }>;

type Weights = ReadonlyMap<string, Tensor>;

const ROWS = { cpu: 64, webgpu: 512 } as const;

export async function openCompiledNet(
  graph: LayerGraph,
  weights: Weights,
  openGpu: OpenGpuEngine | undefined,
): Promise<OpenedNet> {
  const mostRows = ROWS[openGpu ? 'webgpu' : 'cpu'];
  const spec: EngineSpec = {
    graph,
    // Nothing is trained: any loss and optimizer will do.
    loss: { name: 'meanSquaredError', fromLogits: false },
    metrics: [],
    optimizer: { name: 'sgd', momentum: 0, nesterov: false, weightDecay: 0 },
    microbatchSize: mostRows,
    bucketBytes: 2 ** 30,
    seed: 0,
    syncBatchNorm: false,
  };
  const engine = openGpu
    ? await openGpu(spec)
    : await createTrainingEngine(spec, { device: 'cpu', readsBuckets: false });
  const sections = toSections(engine.layout, { step: 0, weights, optimizer: [] });
  engine.write('parameters', sections.parameters);
  engine.write('statistics', sections.statistics);
  return {
    inputs: graph.inputs.map((at) => {
      const { name, shape, operation } = graph.nodes[at]!;
      return { name, shape, dtype: operation.type === 'input' ? operation.dtype : 'float32' };
    }),
    outputLength: elements(graph.nodes[graph.output]!.shape),
    mostRows,
    predict: (inputs, rows) =>
      engine.predict(
        inputs.map(({ values }) => values),
        rows,
      ),
    close: () => engine.close(),
  };
}

/** @param names of the inputs, in the model's order. */
export async function openFallbackNet(
  names: readonly string[],
  open: () => ReturnType<OpenTfjsNet>,
): Promise<OpenedNet> {
  const net = await open();
  const { inputs, outputs }: LayersFacts = net.facts;
  const shape = outputs[0]?.shape ?? [];
  const sizes = shape.filter((size): size is number => size !== null);
  return {
    inputs: inputs.map((input, at) => ({ ...input, name: names[at] ?? input.name })),
    outputLength: sizes.length === shape.length ? elements(sizes) : undefined,
    mostRows: ROWS.webgpu,
    async predict(given, rows) {
      const [predicted] = await net.predict({ rows, inputs: given });
      return Float32Array.from(predicted!.values);
    },
    close: () => net.close(),
  };
}

/** A net's files as tfjs takes them, of weights that are read already. */
export function filesOf(topology: object, weights: Weights): LayersFiles {
  return {
    modelTopology: topology,
    weightSpecs: [...weights].map(([name, { shape }]) => ({ name, shape: [...shape], dtype: 'float32' })),
    weights: [...weights.values()].map(({ values }) => bytesUnder(values)),
    scalings: [],
  };
}
