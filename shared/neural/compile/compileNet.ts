// Compiles a graph into a training program: forward and backward passes as dispatches in order, memory planned ahead,
// the update, and the places where buckets of gradients are complete.

import type { ConvolutionKernels } from '../../../kernels/neural/convolution.ts';
import type { KernelCall } from '../../../kernels/neural/kernelCall.ts';
import { batchUniform } from '../../../kernels/neural/kernelCall.ts';
import { directConvolution } from '../../../kernels/neural/ops/convolutionDirect.ts';
import { addTotals, loss } from '../../../kernels/neural/ops/loss.ts';
import { penaltyCalls } from '../../../kernels/neural/ops/penalty.ts';
import { statisticsUpdate, updateCalls, updateUniform } from '../../../kernels/neural/ops/update.ts';
import type { AdapterClass } from '../../../kernels/neural/product/chooseTile.ts';
import type { KernelProgram } from '../../../kernels/neural/program.ts';
import { elementsOf, engineLayout } from '../engineLayout.ts';
import type { LayerGraph, OperationType } from '../layerGraph.ts';
import type { EngineLayout, EngineSpec } from '../trainingEngine.ts';
import { checkGraph } from './checkGraph.ts';
import type { DeviceLimits } from './deviceLimits.ts';
import { checkLimits } from './deviceLimits.ts';
import type { FiniteCheck } from './finiteChecks.ts';
import { FiniteChecks } from './finiteChecks.ts';
import { foldPadding } from './foldPadding.ts';
import { fuseLayers } from './fuseLayers.ts';
import { GradientFlow } from './gradientFlow.ts';
import { layerCompilerOf } from './layerCompilers.ts';
import type { CompileState } from './layerContext.ts';
import { LayerContext } from './layerContext.ts';
import type { NetLoss } from './lossOf.ts';
import { lossOf } from './lossOf.ts';
import { planMemory } from './planMemory.ts';
import type { TrainingStep } from './programBuilder.ts';
import { ProgramBuilder } from './programBuilder.ts';
import { stateMemory } from './stateMemory.ts';

export interface CompileOptions {
  readonly limits: DeviceLimits;
  readonly adapter: AdapterClass;
  /** Kernels of convolutions without groups. */
  readonly convolutions: ConvolutionKernels;
}

export interface CompiledNet {
  readonly layout: EngineLayout;
  readonly program: KernelProgram;
  readonly training: readonly TrainingStep[];
  readonly evaluation: readonly KernelCall[];
  readonly prediction: readonly KernelCall[];
  /** Writes the penalty of the weights behind the metrics in "totals"; empty where none has one. */
  readonly penalty: readonly KernelCall[];
  readonly update: readonly KernelCall[];
  readonly loss: NetLoss;
  /** Buffer of the net's output, and elements of it an example. */
  readonly output: { readonly view: string; readonly length: number };
  readonly finiteChecks: readonly FiniteCheck[];
}

/** Nodes that have something to learn in or before them. */
function learningNodes(graph: LayerGraph): Set<number> {
  const learning = new Set<number>();
  graph.nodes.forEach(({ weights, inputs }, place) => {
    const learns = weights.some(({ trainable }) => trainable) || inputs.some((input) => learning.has(input));
    if (learns) learning.add(place);
  });
  return learning;
}

/** Puts stops where the last gradient of each bucket has been written. */
function withBucketStops(steps: readonly TrainingStep[], layout: EngineLayout): TrainingStep[] {
  const bucketOf = new Map<string, number>();
  for (const { name, section, offset } of layout.slots) {
    const at = (section === 'statistics' ? layout.lengths.parameters : 0) + offset;
    const bucket = layout.buckets.findIndex(({ offset: from, length }) => at >= from && at < from + length);
    bucketOf.set(`gradient:${name}`, bucket);
  }
  const lastWrite = layout.buckets.map(() => -1);
  steps.forEach((step, at) => {
    if ('stop' in step) return;
    for (const name of Object.values(step.buffers)) {
      const bucket = bucketOf.get(name);
      if (bucket !== undefined) lastWrite[bucket] = at;
    }
  });
  const result: TrainingStep[] = [];
  let next = 0;
  const stopAfter = (at: number): void => {
    while (next < lastWrite.length && (lastWrite[next] ?? 0) <= at) {
      result.push({ stop: 'bucket', index: next });
      next += 1;
    }
  };
  steps.forEach((step, at) => {
    result.push(step);
    // Buckets become complete one after another: a later one that is ready earlier waits.
    stopAfter(at);
  });
  stopAfter(Infinity);
  return result;
}

/**
 * @throws NetInvalidError when the graph contradicts itself, NetTooLargeError when a buffer is more than the device binds;
 * it says which microbatch would fit.
 */
export function compileNet(spec: EngineSpec, options: CompileOptions): CompiledNet {
  checkGraph(spec.graph);
  const graph = foldPadding(spec.graph);
  const layout = engineLayout(graph, spec.optimizer, spec.bucketBytes);
  const builder = new ProgramBuilder(spec.microbatchSize);
  const flow = new GradientFlow();
  const checks = new FiniteChecks(builder);
  const learning = learningNodes(graph);
  const state: CompileState = {
    graph,
    builder,
    flow,
    convolutions: { plain: options.convolutions, grouped: directConvolution },
    adapter: options.adapter,
    syncBatchNorm: spec.syncBatchNorm,
    forwardOnly: false,
    values: new Map(),
    learning,
  };
  const netLoss = lossOf(spec);
  const isAfterLoss = (last: number) => last === graph.output && netLoss.node !== graph.output;

  builder.declare('exampleIds', 1, 'u32', true);
  const contexts = fuseLayers(graph).map(
    (layer) => new LayerContext<OperationType>(state, layer, isAfterLoss(layer.last) ? 'prediction' : 'all'),
  );
  for (const context of contexts) {
    layerCompilerOf(context.operation.type).forward(context);
    if (!isAfterLoss(context.layer.last)) checks.afterForward(context);
  }
  const value = contexts.at(-1)!.valueOf(netLoss.node);
  builder.declare('targets', netLoss.targetLength, netLoss.form.sparse ? 'i32' : 'f32', true);
  const columns = 1 + netLoss.form.metrics.length;
  const rowTotals = builder.declare('rowTotals', netLoss.form.rowsPerExample * columns);
  const slope = builder.declare('slope:loss', elementsOf(graph.nodes[netLoss.node]?.shape ?? []));
  const kernel = { layer: 'loss', maxExamples: spec.microbatchSize, workspace: '' };
  const lossBuffers = { output: value, targets: 'targets', gradient: slope, rowTotals };
  builder.emit(loss(kernel, netLoss.form, lossBuffers), 'loss');
  builder.emit(addTotals(kernel, netLoss.form, { rowTotals, totals: 'totals' }), 'training');

  if (learning.has(netLoss.node)) flow.pass(netLoss.node, slope);
  for (const context of contexts.toReversed()) {
    if (isAfterLoss(context.layer.last) || !context.beginBackward()) continue;
    checks.beforeBackward(context);
    layerCompilerOf(context.operation.type).backward(context);
    checks.afterBackward(context);
    context.endBackward();
  }

  const memory = stateMemory(spec, layout, options.limits.maxBindingBytes);
  const values = planMemory(builder.lifetimes());
  const update = [
    ...updateCalls(memory.updateForm, memory.pieces),
    ...(layout.lengths.statistics > 0 ? [statisticsUpdate(layout.lengths.statistics)] : []),
  ];
  const penalty = memory.hasPenalties ? penaltyCalls(memory.pieces, 1 + spec.metrics.length) : [];
  const program: KernelProgram = {
    memory: {
      allocations: [
        ...memory.allocations,
        ...values.allocations,
        { name: 'flags', bytes: checks.flagBytes, kind: 'workspace' },
      ],
      views: {
        ...memory.views,
        ...values.views,
        ...checks.flagViews(),
      },
      contents: memory.contents,
    },
    uniforms: [batchUniform, updateUniform],
    calls: [...builder.calls, ...penalty, ...update],
  };
  checkLimits(program, options.limits, spec.microbatchSize);
  return {
    layout,
    program,
    training: withBucketStops(builder.training, layout),
    evaluation: builder.evaluation,
    prediction: builder.prediction,
    penalty,
    update,
    loss: netLoss,
    output: {
      view: contexts.at(-1)!.valueOf(graph.output),
      length: elementsOf(graph.nodes[graph.output]?.shape ?? []),
    },
    finiteChecks: checks.found,
  };
}
