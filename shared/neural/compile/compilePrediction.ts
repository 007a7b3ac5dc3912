// Compiles a graph into a program that only predicts: the forward pass as dispatches in order. There is no loss, and memory
// for weights and for what layers give each other alone, which is shared as soon as the next layer has read it.

import { batchUniform, type KernelCall } from '../../../kernels/neural/kernelCall.ts';
import { directConvolution } from '../../../kernels/neural/ops/convolutionDirect.ts';
import type { KernelProgram } from '../../../kernels/neural/program.ts';
import { elementsOf, weightLayout } from '../engineLayout.ts';
import type { LayerGraph, OperationType } from '../layerGraph.ts';
import { checkGraph } from './checkGraph.ts';
import type { CompileOptions } from './compileNet.ts';
import { checkLimits } from './deviceLimits.ts';
import { foldPadding } from './foldPadding.ts';
import { fuseLayers } from './fuseLayers.ts';
import { GradientFlow } from './gradientFlow.ts';
import { layerCompilerOf } from './layerCompilers.ts';
import { LayerContext, type CompileState } from './layerContext.ts';
import { planMemory } from './planMemory.ts';
import { inPrediction, ProgramBuilder } from './programBuilder.ts';
import { weightMemory } from './stateMemory.ts';

export interface PredictionProgram {
  /** A view "weight:NAME" for each weight, and "input:K" for each input. */
  readonly program: KernelProgram;
  readonly calls: readonly KernelCall[];
  /** Buffer of the net's output, and elements of it a row. */
  readonly output: { readonly view: string; readonly length: number };
}

/**
 * @param mostRows that are predicted at a time.
 * @throws NetInvalidError when the graph contradicts itself, NetTooLargeError when a buffer is more than the device binds.
 */
export function compilePrediction(
  given: LayerGraph,
  mostRows: number,
  { limits, adapter, convolutions }: CompileOptions,
): PredictionProgram {
  checkGraph(given);
  const graph = foldPadding(given);
  const builder = new ProgramBuilder(mostRows, inPrediction);
  const state: CompileState = {
    graph,
    builder,
    flow: new GradientFlow(),
    convolutions: { plain: convolutions, grouped: directConvolution },
    adapter,
    syncBatchNorm: false,
    forwardOnly: true,
    values: new Map(),
    learning: new Set(),
  };
  for (const layer of fuseLayers(graph)) {
    const context = new LayerContext<OperationType>(state, layer);
    layerCompilerOf(context.operation.type).forward(context);
  }
  const weights = weightMemory(weightLayout(graph));
  const values = planMemory(builder.lifetimes());
  const program: KernelProgram = {
    memory: {
      allocations: [...weights.allocations, ...values.allocations],
      views: { ...weights.views, ...values.views },
      contents: {},
    },
    uniforms: [batchUniform],
    calls: builder.calls,
  };
  checkLimits(program, limits, mostRows);
  const output = {
    view: state.values.get(graph.output)!,
    length: elementsOf(graph.nodes[graph.output]!.shape),
  };
  return { program, calls: builder.prediction, output };
}
