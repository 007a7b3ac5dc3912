// Predictions of a compiled net, on a GPU or on the processor: a program that is a forward pass and nothing else, for rows
// of any number.

import type { DeviceKind } from '../../../kernels/deviceKinds.ts';
import { compilePrediction, type PredictionProgram } from '../compile/compilePrediction.ts';
import type { CompileOptions } from '../compile/compileNet.ts';
import { elementsOf, weightLayout } from '../engineLayout.ts';
import type { LayerGraph } from '../layerGraph.ts';
import { EngineMisuseError, NetTooLargeError } from '../netErrors.ts';
import { matchWeights } from '../state/namedState.ts';
import type { Tensor } from '../state/safetensors.ts';
import type { MemoryReport, TargetValues } from '../trainingEngine.ts';
import { checkInputs } from './checkBatch.ts';
import {
  compileOptionsOf,
  createExecutor,
  type EngineDevice,
  type ExecutorOptions,
} from './createExecutor.ts';
import { memoryReport } from './memoryReport.ts';

export interface PredictionEngine {
  readonly kind: DeviceKind;
  /** Gradients and optimizer have none. */
  readonly memory: MemoryReport;
  /** Rows that are computed at a time. */
  readonly mostRows: number;
  /** Resolves with the reason when the device is lost. */
  readonly lost: Promise<string>;
  /**
   * @param inputs one array an input of the graph: [rows, ...shape].
   * @returns [rows, ...output shape]. Rows do not depend on one another.
   * @throws EngineMisuseError for arrays that do not fit, DeviceFailedError, DeviceLostError.
   */
  predict(inputs: readonly TargetValues[], rows: number): Promise<Float32Array<ArrayBuffer>>;
  /** Frees everything on the device. */
  close(): Promise<void>;
}

export interface PredictionEngineOptions extends ExecutorOptions {
  /** A device that the caller requested and goes on to own: close() doesn't destroy it. */
  readonly device: EngineDevice;
  /** Rows to compute at a time; less where they would take more than 256 MiB. Default 64 on the processor, 512 on a GPU. */
  readonly mostRows?: number;
}

/** Of the values that layers give each other. */
const MOST_ACTIVATION_BYTES = 256 * 1024 * 1024;

/**
 * @throws NetInvalidError when the graph contradicts itself, NetTooLargeError when one row is more than the device takes,
 * WeightsMismatchError naming the weight, DeviceFailedError, DeviceLostError.
 */
export async function createPredictionEngine(
  graph: LayerGraph,
  weights: ReadonlyMap<string, Tensor>,
  options: PredictionEngineOptions,
): Promise<PredictionEngine> {
  const { device, mostRows: wanted = device === 'cpu' ? 64 : 512 } = options;
  const matched = matchWeights(weightLayout(graph).slots, weights, 'the model');
  const { program, calls, output, mostRows } = compileFitting(graph, wanted, compileOptionsOf(device));
  const executor = await createExecutor(device, program, options);
  for (const [name, { values }] of matched) executor.write(`weight:${name}`, new Float32Array(values));
  const widths = graph.inputs.map((at) => elementsOf(graph.nodes[at]!.shape));
  let isClosed = false;

  const predictPiece = async (
    inputs: readonly TargetValues[],
    rows: number,
  ): Promise<Float32Array<ArrayBuffer>> => {
    inputs.forEach((values, k) => executor.write(`input:${k}`, values));
    executor.setUniform('batch', { examples: rows, step: 0, seed: 0, training: 0 });
    executor.run(calls, rows);
    const values = await executor.read(output.view, 0, rows * output.length);
    // What is done is forgotten.
    await executor.ready();
    return values;
  };
  return {
    kind: executor.kind,
    memory: memoryReport(program),
    mostRows,
    lost: executor.lost,
    async predict(inputs, rows) {
      if (isClosed) throw new EngineMisuseError('The prediction engine is closed.');
      checkInputs({ graph, microbatchSize: Infinity }, inputs, rows);
      if (rows <= mostRows) return predictPiece(inputs, rows);
      const all = new Float32Array(rows * output.length);
      for (let from = 0; from < rows; from += mostRows) {
        const to = Math.min(rows, from + mostRows);
        const piece = inputs.map((values, k) => values.subarray(from * widths[k]!, to * widths[k]!));
        all.set(await predictPiece(piece, to - from), from * output.length);
      }
      return all;
    },
    close() {
      isClosed = true;
      return executor.close();
    },
  };
}

/** Fewer rows at a time where so many do not fit, down to one. */
function compileFitting(
  graph: LayerGraph,
  wanted: number,
  options: CompileOptions,
): PredictionProgram & { readonly mostRows: number } {
  for (let mostRows = wanted; ; mostRows = Math.ceil(mostRows / 2)) {
    try {
      const compiled = compilePrediction(graph, mostRows, options);
      const { activations, workspace } = memoryReport(compiled.program);
      if (mostRows === 1 || activations + workspace <= MOST_ACTIVATION_BYTES)
        return { ...compiled, mostRows };
    } catch (error) {
      if (mostRows === 1 || !(error instanceof NetTooLargeError)) throw error;
    }
  }
}
