// Operations on values at the same place: activations, sums, products, dropout.

import { activationFormulas } from '../../../kernels/neural/ops/activations.ts';
import { addTo, affine, multiplyBy, product, scaleBy, sum } from '../../../kernels/neural/ops/arithmetic.ts';
import { dropout } from '../../../kernels/neural/ops/dropout.ts';
import { softmax, softmaxGradient } from '../../../kernels/neural/ops/softmax.ts';
import { elementsOf } from '../engineLayout.ts';
import type { LayerNode } from '../layerGraph.ts';
import type { LayerCompiler, LayerContext } from './layerContext.ts';
import { text, type ShapeRule } from './shapeRule.ts';

const lengthOf = ({ node }: { readonly node: LayerNode }): number => elementsOf(node.shape);

function rowsOf({ node }: LayerContext<'activation'>) {
  const length = node.shape.at(-1) ?? 1;
  return { length, rowsPerExample: elementsOf(node.shape) / length };
}

export const activationLayer: LayerCompiler<'activation'> = {
  shape: (_, [shape = []]) => ({ shape, weights: [] }),
  forward: (context) => {
    const { function: name, alpha } = context.operation;
    if (name === 'softmax') {
      const buffers = { input: context.input(), output: context.output() };
      context.emit('all', (kernel) => softmax(kernel, rowsOf(context), buffers));
      return;
    }
    const buffers = { x: context.input(), result: context.output() };
    context.emitElementwise('forward', activationFormulas(name, alpha).forward, lengthOf(context), buffers);
  },
  backward: (context) => {
    const { function: name, alpha } = context.operation;
    const gradient = context.ownGradient();
    if (name === 'softmax') {
      const buffers = { y: context.output(), gradient };
      context.emit('training', (kernel) => softmaxGradient(kernel, rowsOf(context), buffers));
    } else {
      const formula = activationFormulas(name, alpha).backward;
      const [read = 'x'] = formula.reads;
      const value = read === 'x' ? context.input() : context.output();
      context.emitElementwise('backward', formula, lengthOf(context), { [read]: value, result: gradient });
    }
    context.passToInput(gradient);
  },
};

const alike: ShapeRule<'add' | 'multiply'> = (_, inputs) => {
  const [first = []] = inputs;
  const other = inputs.find((shape) => text(shape) !== text(first));
  if (other !== undefined) return `has inputs of different shapes: ${text(first)} and ${text(other)}`;
  return inputs.length < 2 ? 'needs two inputs or more' : { shape: first, weights: [] };
};

export const addLayer: LayerCompiler<'add'> = {
  shape: alike,
  forward: (context) => {
    const result = context.output();
    const length = lengthOf(context);
    context.emitElementwise('forward', sum, length, { a: context.input(0), b: context.input(1), result });
    for (let k = 2; k < context.node.inputs.length; k += 1) {
      context.emitElementwise('forward', addTo, length, { a: context.input(k), result });
    }
  },
  backward: (context) => {
    context.node.inputs.forEach((_, k) => context.passToInput(context.gradient(), k));
  },
};

export const multiplyLayer: LayerCompiler<'multiply'> = {
  shape: alike,
  forward: (context) => {
    const result = context.output();
    const length = lengthOf(context);
    context.emitElementwise('forward', product, length, { a: context.input(0), b: context.input(1), result });
    for (let k = 2; k < context.node.inputs.length; k += 1) {
      context.emitElementwise('forward', multiplyBy, length, { a: context.input(k), result });
    }
  },
  backward: (context) => {
    const length = lengthOf(context);
    context.node.inputs.forEach((_, k) => {
      if (!context.inputLearns(k)) return;
      const [first, ...others] = context.node.inputs.map((__, j) => j).filter((j) => j !== k);
      const result = context.freshInputGradient(k);
      const buffers = { a: context.gradient(), b: context.input(first), result };
      context.emitElementwise('backward', product, length, buffers);
      for (const j of others) {
        context.emitElementwise('backward', multiplyBy, length, { a: context.input(j), result });
      }
    });
  },
};

export const rescaleLayer: LayerCompiler<'rescale'> = {
  shape: (_, [shape = []]) => ({ shape, weights: [] }),
  forward: (context) => {
    const { scale, offset } = context.operation;
    const buffers = { a: context.input(), result: context.output() };
    context.emitElementwise('forward', affine(scale, offset), lengthOf(context), buffers);
  },
  backward: (context) => {
    const result = context.ownGradient();
    context.emitElementwise('backward', scaleBy(context.operation.scale), lengthOf(context), { result });
    context.passToInput(result);
  },
};

export const dropoutLayer: LayerCompiler<'dropout'> = {
  shape: ({ rate }, [shape = []]) =>
    rate >= 0 && rate < 1 ? { shape, weights: [] } : `has a rate of ${rate}, not from 0 up to below 1`,
  forward: (context) => {
    if (context.state.forwardOnly) {
      context.state.values.set(context.layer.last, context.input());
      return;
    }
    const shape = { length: lengthOf(context), rate: context.operation.rate, salt: context.layer.node };
    const buffers = { input: context.input(), exampleIds: 'exampleIds', output: context.output() };
    context.emit('all', (kernel) => dropout(kernel, 'forward', shape, buffers));
  },
  backward: (context) => {
    const shape = { length: lengthOf(context), rate: context.operation.rate, salt: context.layer.node };
    const output = context.ownGradient();
    context.emit('training', (kernel) =>
      dropout(kernel, 'backward', shape, { exampleIds: 'exampleIds', output }),
    );
    context.passToInput(output);
  },
};
