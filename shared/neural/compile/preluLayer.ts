// Relus whose slope below zero is learned.

import { columnSums } from '../../../kernels/neural/ops/columnSums.ts';
import { columnwise } from '../../../kernels/neural/ops/columnwise.ts';
import { prelu, preluGradient, slopeGradient } from '../../../kernels/neural/ops/prelu.ts';
import { elementsOf } from '../engineLayout.ts';
import type { LayerCompiler, LayerContext } from './layerContext.ts';

/** A row for each place that shares the slopes. */
function rowsOf({ node, operation }: LayerContext<'prelu'>) {
  const columns = elementsOf(node.shape.slice(operation.sharedAxes));
  return { columns, rowsPerExample: elementsOf(node.shape) / columns };
}

export const preluLayer: LayerCompiler<'prelu'> = {
  shape: ({ sharedAxes }, [shape = []]) => ({
    shape,
    weights: [shape.map((size, axis) => (axis < sharedAxes ? 1 : size))],
  }),
  forward: (context) => {
    const buffers = { x: context.input(), table: context.weight(0), result: context.output() };
    context.emit('all', (kernel) => columnwise(kernel, 'forward', prelu, rowsOf(context), buffers));
  },
  backward: (context) => {
    const { columns, rowsPerExample } = rowsOf(context);
    const alpha = context.weightGradient(0);
    const x = context.input();
    if (alpha !== undefined) {
      const reads = { gradient: context.gradient(), x };
      context.emit('training', (kernel) =>
        columnSums(kernel, slopeGradient, columns, rowsPerExample, reads, { gradients: [alpha] }),
      );
    }
    if (!context.inputLearns()) return;
    const result = context.ownGradient();
    const buffers = { x, table: context.weight(0), result };
    context.emit('training', (kernel) =>
      columnwise(kernel, 'backward', preluGradient, rowsOf(context), buffers),
    );
    context.passToInput(result);
  },
};
