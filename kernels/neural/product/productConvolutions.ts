// Convolutions (of one group) and dense layers as the dispatches of matrix products.

import { groupsFor } from '../../gpu/op.ts';
import type { Op } from '../../gpu/op.ts';
import type { ConvolutionContext, ConvolutionKernels, ConvolutionShape } from '../convolution.ts';
import type { KernelCall, KernelPlan, Phase } from '../kernelCall.ts';
import { arrangeKernelOp, arrangeThreads } from './arrangeKernel.ts';
import type { ProductChoice, ProductSize, TileChooser } from './chooseTile.ts';
import type { Gather } from './convolutionGeometry.ts';
import { forwardGather, inputGradientGathers, positionsOf, tapsOf } from './convolutionGeometry.ts';
import type { Finish } from './finish.ts';
import { accumulate as add, replace } from './finish.ts';
import type { GatherProduct } from './gatherReference.ts';
import { gatherProductOp, gatherTiles } from './gatherProduct.ts';
import type { SumPartials } from './sumPartials.ts';
import { sumPartialsOp, sumThreads } from './sumPartials.ts';
import { weightProductOp, weightRows, weightTiles } from './weightProduct.ts';

const BYTES = 4;
/** Most workgroups of a dispatch along one dimension. */
const MOST_GROUPS = 65_535;

function folded(tiles: number): readonly [number, number] {
  const height = Math.max(1, Math.ceil(tiles / MOST_GROUPS));
  return [Math.ceil(tiles / height), height];
}

function nameOfShape(shape: ConvolutionShape): string {
  const { inputHeight, inputWidth, inputChannels, filters, kernelHeight, kernelWidth, strideHeight } = shape;
  return `${inputHeight}x${inputWidth}x${inputChannels} ${kernelHeight}x${kernelWidth}/${strideHeight} ${filters}`;
}

/** Multiplications and additions of one example in any of the three products, padding counted as if it were there. */
function flopOf(shape: ConvolutionShape): number {
  const { outputHeight, outputWidth, filters, kernelHeight, kernelWidth, inputChannels } = shape;
  return 2 * outputHeight * outputWidth * filters * kernelHeight * kernelWidth * inputChannels;
}

function bytesOf(shape: ConvolutionShape, examples: number): number {
  const input = shape.inputHeight * shape.inputWidth * shape.inputChannels;
  const output = shape.outputHeight * shape.outputWidth * shape.filters;
  const kernel = shape.kernelHeight * shape.kernelWidth * shape.inputChannels * shape.filters;
  return BYTES * (examples * (input + output) + kernel);
}

type Buffers = Readonly<Record<string, string>>;

function sumCall(
  sum: SumPartials,
  where: { readonly buffers: Buffers; readonly layer: string; readonly phase: Phase },
): KernelCall {
  const op = sumPartialsOp(sum);
  const elements = (examples: number): number => sum.elements * (sum.perExample ? examples : 1);
  return {
    op,
    ...where,
    groups: (examples) => groupsFor(op, sumThreads(sum, examples)),
    cost: (examples) => ({
      flop: sum.splits * elements(examples),
      bytes: BYTES * (sum.splits + 1) * elements(examples),
    }),
  };
}

function gatherSize(
  gathers: readonly Gather[],
  examples: number,
  channels: number,
  columns: number,
): ProductSize {
  const mean = (of: (gather: Gather) => number): number =>
    Math.ceil(gathers.reduce((sum, gather) => sum + of(gather), 0) / gathers.length);
  return {
    kind: 'gather',
    rows: examples * mean(positionsOf),
    columns,
    inner: Math.max(1, mean(tapsOf) * channels),
    phases: gathers.length,
  };
}

export function forwardSize(shape: ConvolutionShape, examples: number): ProductSize {
  return gatherSize([forwardGather(shape)], examples, shape.inputChannels, shape.filters);
}

export function inputGradientSize(shape: ConvolutionShape, examples: number): ProductSize {
  return gatherSize(inputGradientGathers(shape), examples, shape.filters, shape.inputChannels);
}

export function weightGradientSize(shape: ConvolutionShape, examples: number): ProductSize {
  const gather = forwardGather(shape);
  const rows = weightRows({ gather, channels: shape.inputChannels });
  return { kind: 'weights', rows, columns: shape.filters, inner: examples * positionsOf(gather), phases: 1 };
}

/** The dispatches of a gathered product: the product, and with splits the sum of its parts. */
function gatherCalls(
  context: ConvolutionContext,
  product: Omit<GatherProduct, 'partialStride' | 'splits' | 'tile'>,
  choice: ProductChoice,
  buffers: {
    readonly image: string;
    readonly weights: string;
    readonly bias?: string;
    readonly result: string;
  },
  phase: Phase,
): { calls: KernelCall[]; partialElements: number } {
  const { shape, maxExamples, layer, workspace } = context;
  const { gathers, columns, finish, partialOffset } = product;
  const { tile, splits } = choice;
  const [{ vertical, horizontal }] = gathers as [Gather];
  const perExample = vertical.target * horizontal.target * columns;
  const partialStride = splits > 1 ? maxExamples * perExample : 0;
  const whole: GatherProduct = { ...product, tile, splits, partialStride };
  const { bias } = buffers;
  const biasBuffer: Buffers = bias === undefined ? {} : { bias };
  const call: KernelCall = {
    op: gatherProductOp(whole),
    buffers: {
      image: buffers.image,
      ...(product.weights === 'weights' ? { weights: buffers.weights } : {}),
      ...(splits > 1 ? { partial: workspace } : { ...biasBuffer, result: buffers.result }),
    },
    groups: (examples) => folded(examples === 0 ? 0 : gatherTiles(whole, examples)),
    cost: (examples) => ({ flop: examples * flopOf(shape), bytes: bytesOf(shape, examples) }),
    layer,
    phase,
  };
  if (splits === 1) return { calls: [call], partialElements: 0 };
  const sum: SumPartials = {
    name: `sum ${product.name}`,
    elements: perExample,
    perExample: true,
    columns,
    splits,
    partialStride,
    partialOffset,
    finish,
  };
  const where = { buffers: { partial: workspace, ...biasBuffer, result: buffers.result }, layer, phase };
  return { calls: [call, sumCall(sum, where)], partialElements: splits * partialStride };
}

function opCall(
  op: Op,
  call: { readonly threads: number; readonly bytes: number } & Pick<
    KernelCall,
    'buffers' | 'layer' | 'phase'
  >,
): KernelCall {
  const { threads, bytes, ...where } = call;
  return { op, ...where, groups: () => groupsFor(op, threads), cost: () => ({ flop: 0, bytes }) };
}

/** Convolutions with tiles by `chooser`. @throws RangeError for more than one group. */
export function createProductConvolutions(chooser: TileChooser): ConvolutionKernels {
  return {
    forward(context, buffers, activation) {
      const { shape, maxExamples } = context;
      checkGroups(shape);
      const finish: Finish = { bias: buffers.bias !== undefined, activation, accumulate: false };
      const product = {
        name: `conv ${nameOfShape(shape)}`,
        gathers: [forwardGather(shape)],
        channels: shape.inputChannels,
        columns: shape.filters,
        partialOffset: 0,
        weights: 'weights',
        finish,
      } as const;
      const { bias, input: image, kernel: weights, output: result } = buffers;
      const names = { image, weights, result, ...(bias === undefined ? {} : { bias }) };
      const choice = chooser.choose(forwardSize(shape, maxExamples));
      const { calls, partialElements } = gatherCalls(context, product, choice, names, 'forward');
      return { calls, workspaceBytes: BYTES * partialElements };
    },

    inputGradient(context, buffers, accumulate) {
      const { shape, maxExamples, workspace, layer } = context;
      checkGroups(shape);
      const gathers = inputGradientGathers(shape);
      const weights =
        gathers.reduce((sum, gather) => sum + tapsOf(gather), 0) * shape.filters * shape.inputChannels;
      const choice = chooser.choose(inputGradientSize(shape, maxExamples));
      const product = {
        name: `conv input gradient ${nameOfShape(shape)}`,
        gathers,
        channels: shape.filters,
        columns: shape.inputChannels,
        partialOffset: weights,
        weights: choice.splits > 1 ? 'partial' : 'weights',
        finish: accumulate ? add : replace,
      } as const;
      const arrange = opCall(arrangeKernelOp(shape, gathers), {
        buffers: { kernel: buffers.kernel, arranged: workspace },
        threads: arrangeThreads(shape),
        bytes: 2 * BYTES * weights,
        layer,
        phase: 'backward',
      });
      const names = { image: buffers.outputGradient, weights: workspace, result: buffers.inputGradient };
      const { calls, partialElements } = gatherCalls(context, product, choice, names, 'backward');
      return { calls: [arrange, ...calls], workspaceBytes: BYTES * (weights + partialElements) };
    },

    weightGradient(context, buffers): KernelPlan {
      const { shape, maxExamples, workspace, layer } = context;
      checkGroups(shape);
      const gather = forwardGather(shape);
      const { inputChannels: channels, filters: columns } = shape;
      const { tile, splits } = chooser.choose(weightGradientSize(shape, maxExamples));
      const product = {
        name: `conv weight gradient ${nameOfShape(shape)}`,
        gather,
        channels,
        columns,
        tile,
        splits,
      };
      const phase = 'backward';
      const call: KernelCall = {
        op: weightProductOp(product),
        buffers: {
          image: buffers.input,
          gradient: buffers.outputGradient,
          ...(splits === 1 ? { result: buffers.kernelGradient } : { partial: workspace }),
        },
        groups: (examples) => folded(examples === 0 ? 0 : weightTiles(product)),
        cost: (examples) => ({ flop: examples * flopOf(shape), bytes: bytesOf(shape, examples) }),
        layer,
        phase,
      };
      if (splits === 1) return { calls: [call], workspaceBytes: 0 };
      const elements = weightRows(product) * columns;
      const sum: SumPartials = {
        name: `sum ${product.name}`,
        elements,
        perExample: false,
        columns,
        splits,
        partialStride: elements,
        partialOffset: 0,
        finish: add,
      };
      const sumOf = sumCall(sum, {
        buffers: { partial: workspace, result: buffers.kernelGradient },
        layer,
        phase,
      });
      const skipped: KernelCall = {
        ...sumOf,
        groups: (examples) => (examples === 0 ? [0, 0] : sumOf.groups(examples)),
      };
      return { calls: [call, skipped], workspaceBytes: BYTES * splits * elements };
    },
  };
}

function checkGroups(shape: ConvolutionShape): void {
  if (shape.groups !== 1) throw new RangeError(`One group was expected, found ${shape.groups}.`);
}
