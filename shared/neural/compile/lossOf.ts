// Which loss kernel a net needs, and of which node's value: a softmax or sigmoid that comes last is computed with it.

import type { LossForm } from '../../../kernels/neural/ops/lossForm.ts';
import { elementsOf } from '../engineLayout.ts';
import type { LayerGraph } from '../layerGraph.ts';
import type { EngineSpec, LossName } from '../trainingEngine.ts';

export interface NetLoss {
  readonly form: LossForm;
  /** The node whose value the loss is of. */
  readonly node: number;
  /** Elements of the targets of an example. */
  readonly targetLength: number;
}

/** The activation that makes probabilities of logits for a loss. */
const activationBefore: Readonly<Record<LossName, 'sigmoid' | 'softmax' | undefined>> = {
  binaryCrossentropy: 'sigmoid',
  categoricalCrossentropy: 'softmax',
  sparseCategoricalCrossentropy: 'softmax',
  meanSquaredError: undefined,
};

/** The node of logits before the output, if nothing else sees the activation between them. */
function logitsBefore(graph: LayerGraph, activation: string | undefined): number | undefined {
  const output = graph.nodes[graph.output];
  if (activation === undefined || output?.operation.type !== 'activation') return undefined;
  if (output.operation.function !== activation) return undefined;
  return graph.nodes.some(({ inputs }) => inputs.includes(graph.output)) ? undefined : output.inputs[0];
}

export function lossOf({ graph, loss, metrics }: EngineSpec): NetLoss {
  const shape = graph.nodes[graph.output]?.shape ?? [];
  const length = shape.at(-1) ?? 1;
  const rowsPerExample = elementsOf(shape) / length;
  const sparse = loss.name === 'sparseCategoricalCrossentropy';
  const before = loss.fromLogits ? undefined : logitsBefore(graph, activationBefore[loss.name]);
  const logits = loss.fromLogits || before !== undefined;
  const kind = {
    binaryCrossentropy: logits ? ('binaryLogits' as const) : ('binary' as const),
    categoricalCrossentropy: logits ? ('crossEntropyLogits' as const) : ('crossEntropy' as const),
    sparseCategoricalCrossentropy: logits ? ('crossEntropyLogits' as const) : ('crossEntropy' as const),
    meanSquaredError: 'squared' as const,
  }[loss.name];
  return {
    form: {
      kind,
      rowsPerExample,
      length,
      sparse,
      metrics,
      // As tfjs chooses what "accuracy" means.
      accuracyByMaximum: length > 1 && loss.name !== 'binaryCrossentropy',
    },
    node: before ?? graph.output,
    targetLength: sparse ? rowsPerExample : elementsOf(shape),
  };
}
