// Convolution by its definition: one thread an output. It takes any stride, dilation, padding and number of groups, so
// it is what grouped and depthwise convolutions run on; plain ones go to the tiled products.

import { groupsFor } from '../../gpu/op.ts';
import type {
  ConvolutionContext,
  ConvolutionKernels,
  ConvolutionShape,
  FusedActivation,
} from '../convolution.ts';
import type { KernelPlan } from '../kernelCall.ts';
import type { NeuralOp } from '../neuralOp.ts';
import { batchUniform } from '../kernelCall.ts';
import { convolutionFlop, convolutionName } from '../convolutionShape.ts';
import {
  forwardReference,
  inputGradientReference,
  sumPartsReference,
  weightPartsReference,
} from './convolutionReference.ts';
import { forwardProducts, inputGradientProducts, weightGradientProducts } from './convolutionProducts.ts';
import {
  depthwiseInputGradientKernel,
  depthwiseKernel,
  depthwisePartsKernel,
} from '../jobs/depthwiseJobs.ts';
import { forwardKernel, inputGradientKernel, weightGradientKernel } from '../jobs/productJobs.ts';
import {
  depthwiseForward,
  depthwiseInputGradient,
  depthwiseParts,
  isDepthwise,
} from './depthwiseReference.ts';
import { changeFloats, readFloats } from './vectors.ts';

const isGrouped = ({ groups }: ConvolutionShape): boolean => groups > 1;

type OnProcessor = Pick<NeuralOp, 'reference' | 'wasm'>;

/** How the processor does it, by what kind of convolution it is. */
function onProcessor(
  shape: ConvolutionShape,
  kinds: Readonly<Record<'depthwise' | 'grouped' | 'plain', () => OnProcessor>>,
): OnProcessor {
  if (!isGrouped(shape)) return kinds.plain();
  return isDepthwise(shape) ? kinds.depthwise() : kinds.grouped();
}

const activationWgsl: Readonly<Record<FusedActivation, string>> = {
  none: 'sum',
  relu: 'select(sum, 0.0f, sum < 0.0f)',
  relu6: 'select(select(sum, 0.0f, sum < 0.0f), 6.0f, sum > 6.0f)',
};

function shapeWgsl(shape: ConvolutionShape): string {
  const constants = Object.entries(shape).map(([name, value]) => `const ${name} = ${value}u;`);
  return `${constants.join('\n')}
const groupChannels = ${shape.inputChannels / shape.groups}u;
const groupFilters = ${shape.filters / shape.groups}u;`;
}

function forwardOp(shape: ConvolutionShape, bias: boolean, activation: FusedActivation): NeuralOp {
  return {
    name: `conv2d[${convolutionName(shape)}${bias ? ' bias' : ''}${activation === 'none' ? '' : ` ${activation}`}]`,
    storage: [
      readFloats('input'),
      readFloats('kernel'),
      ...(bias ? [readFloats('bias')] : []),
      changeFloats('output'),
    ],
    uniforms: [batchUniform],
    workgroupSize: 64,
    declarations: shapeWgsl(shape),
    body: `
  if (flat >= batch.examples * outputHeight * outputWidth * filters) { return; }
  let feature = flat % filters;
  let position = flat / filters;
  let x = position % outputWidth;
  let y = (position / outputWidth) % outputHeight;
  let example = position / (outputWidth * outputHeight);
  let channel = (feature / groupFilters) * groupChannels;
  var sum = ${bias ? 'bias[feature]' : '0.0f'};
  for (var ky = 0u; ky < kernelHeight; ky++) {
    // Above the image this wraps around to a large number.
    let iy = y * strideHeight + ky * dilationHeight - padTop;
    if (iy >= inputHeight) { continue; }
    for (var kx = 0u; kx < kernelWidth; kx++) {
      let ix = x * strideWidth + kx * dilationWidth - padLeft;
      if (ix >= inputWidth) { continue; }
      let start = ((example * inputHeight + iy) * inputWidth + ix) * inputChannels + channel;
      let by = (ky * kernelWidth + kx) * groupChannels * filters + feature;
      for (var c = 0u; c < groupChannels; c++) { sum += input[start + c] * kernel[by + c * filters]; }
    }
  }
  output[flat] = ${activationWgsl[activation]};`,
    ...onProcessor(shape, {
      grouped: () => ({ reference: forwardReference(shape, bias, activation) }),
      depthwise: () => ({
        reference: depthwiseForward(shape, bias, activation),
        wasm: depthwiseKernel(shape, bias, activation),
      }),
      plain: () => ({
        reference: forwardProducts(shape, bias, activation),
        wasm: forwardKernel(shape, bias, activation),
      }),
    }),
  };
}

function inputGradientOp(shape: ConvolutionShape, accumulate: boolean): NeuralOp {
  return {
    name: `conv2dInputGradient[${convolutionName(shape)}${accumulate ? ' add' : ''}]`,
    storage: [readFloats('outputGradient'), readFloats('kernel'), changeFloats('inputGradient')],
    uniforms: [batchUniform],
    workgroupSize: 64,
    declarations: shapeWgsl(shape),
    body: `
  if (flat >= batch.examples * inputHeight * inputWidth * inputChannels) { return; }
  let channel = flat % inputChannels;
  let position = flat / inputChannels;
  let x = position % inputWidth;
  let y = (position / inputWidth) % inputHeight;
  let example = position / (inputWidth * inputHeight);
  let feature = (channel / groupChannels) * groupFilters;
  var sum = 0.0f;
  for (var ky = 0u; ky < kernelHeight; ky++) {
    // Before the first output this wraps around to a large number.
    let ty = y + padTop - ky * dilationHeight;
    if (ty % strideHeight != 0u || ty / strideHeight >= outputHeight || y + padTop < ky * dilationHeight) { continue; }
    for (var kx = 0u; kx < kernelWidth; kx++) {
      let tx = x + padLeft - kx * dilationWidth;
      if (tx % strideWidth != 0u || tx / strideWidth >= outputWidth || x + padLeft < kx * dilationWidth) { continue; }
      let start = ((example * outputHeight + ty / strideHeight) * outputWidth + tx / strideWidth) * filters + feature;
      let by = ((ky * kernelWidth + kx) * groupChannels + channel % groupChannels) * filters + feature;
      for (var f = 0u; f < groupFilters; f++) { sum += outputGradient[start + f] * kernel[by + f]; }
    }
  }
  inputGradient[flat] ${accumulate ? '+=' : '='} sum;`,
    ...onProcessor(shape, {
      grouped: () => ({ reference: inputGradientReference(shape, accumulate) }),
      depthwise: () => ({
        reference: depthwiseInputGradient(shape, accumulate),
        wasm: depthwiseInputGradientKernel(shape, accumulate),
      }),
      plain: () => ({
        reference: inputGradientProducts(shape, accumulate),
        wasm: inputGradientKernel(shape, accumulate),
      }),
    }),
  };
}

/** `sum`: the gradient of weight number `weight`, over image rows of the output from `first` to `end`. */
const weightSumWgsl = `
  let feature = weight % filters;
  let channel = (weight / filters) % groupChannels + (feature / groupFilters) * groupChannels;
  let tap = weight / (filters * groupChannels);
  let ky = tap / kernelWidth;
  let kx = tap % kernelWidth;
  var sum = 0.0f;
  for (var row = first; row < end; row++) {
    let iy = (row % outputHeight) * strideHeight + ky * dilationHeight - padTop;
    if (iy >= inputHeight) { continue; }
    let example = row / outputHeight;
    for (var x = 0u; x < outputWidth; x++) {
      let ix = x * strideWidth + kx * dilationWidth - padLeft;
      if (ix >= inputWidth) { continue; }
      sum += input[((example * inputHeight + iy) * inputWidth + ix) * inputChannels + channel]
        * outputGradient[(row * outputWidth + x) * filters + feature];
    }
  }`;

/** One group: all rows at once, which suits the processor. */
function weightGradientOp(shape: ConvolutionShape): NeuralOp {
  return {
    name: `conv2dWeightGradient[${convolutionName(shape)}]`,
    storage: [readFloats('input'), readFloats('outputGradient'), changeFloats('kernelGradient')],
    uniforms: [batchUniform],
    workgroupSize: 64,
    declarations: shapeWgsl(shape),
    body: `
  let weight = flat;
  if (weight >= kernelHeight * kernelWidth * groupChannels * filters) { return; }
  let first = 0u;
  let end = batch.examples * outputHeight;
${weightSumWgsl}
  kernelGradient[weight] += sum;`,
    reference: weightGradientProducts(shape),
    wasm: weightGradientKernel(shape),
  };
}

/** parts: [part][weight], each over its share of the microbatch's image rows. */
function weightPartsOp(shape: ConvolutionShape, rowsPerPart: number): NeuralOp {
  return {
    name: `conv2dWeightParts[${convolutionName(shape)}; ${rowsPerPart}]`,
    storage: [readFloats('input'), readFloats('outputGradient'), changeFloats('parts')],
    uniforms: [batchUniform],
    workgroupSize: 64,
    declarations: shapeWgsl(shape),
    body: `
  let weights = kernelHeight * kernelWidth * groupChannels * filters;
  let rows = batch.examples * outputHeight;
  let part = flat / weights;
  if (part * ${rowsPerPart}u >= rows) { return; }
  let weight = flat % weights;
  let first = part * ${rowsPerPart}u;
  let end = min((part + 1u) * ${rowsPerPart}u, rows);
${weightSumWgsl}
  parts[flat] = sum;`,
    ...(isDepthwise(shape)
      ? { reference: depthwiseParts(shape, rowsPerPart), wasm: depthwisePartsKernel(shape, rowsPerPart) }
      : { reference: weightPartsReference(shape, rowsPerPart) }),
  };
}

function sumPartsOp(weights: number, rowsPerExample: number, rowsPerPart: number): NeuralOp {
  return {
    name: `sumParts[${weights}; ${rowsPerExample}/${rowsPerPart}]`,
    storage: [readFloats('parts'), changeFloats('kernelGradient')],
    uniforms: [batchUniform],
    workgroupSize: 64,
    declarations: '',
    body: `
  if (flat >= ${weights}u) { return; }
  let count = (batch.examples * ${rowsPerExample}u + ${rowsPerPart - 1}u) / ${rowsPerPart}u;
  var sum = 0.0f;
  for (var part = 0u; part < count; part++) { sum += parts[part * ${weights}u + flat]; }
  kernelGradient[flat] += sum;`,
    reference: sumPartsReference(weights, rowsPerExample, rowsPerPart),
  };
}

function single(
  context: ConvolutionContext,
  op: NeuralOp,
  phase: 'backward' | 'forward',
  buffers: Readonly<Record<string, string>>,
  threadsPerExample: number,
): KernelPlan {
  const { shape, layer } = context;
  return {
    calls: [
      {
        op,
        buffers,
        groups: (examples) => groupsFor(op, examples * threadsPerExample),
        cost: (examples) => convolutionFlop(shape, examples),
        layer,
        phase,
      },
    ],
    workspaceBytes: 0,
  };
}

/** Threads of the weight gradient that keep a GPU busy. */
const TARGET_THREADS = 65_536;

export const directConvolution: ConvolutionKernels = {
  forward: (context, buffers, activation) => {
    const { shape } = context;
    const op = forwardOp(shape, buffers.bias !== undefined, activation);
    return single(context, op, 'forward', buffers, shape.outputHeight * shape.outputWidth * shape.filters);
  },
  inputGradient: (context, buffers, accumulate) => {
    const { shape } = context;
    const op = inputGradientOp(shape, accumulate);
    return single(
      context,
      op,
      'backward',
      buffers,
      shape.inputHeight * shape.inputWidth * shape.inputChannels,
    );
  },
  weightGradient: (context, { input, outputGradient, kernelGradient }) => {
    const { shape, maxExamples, layer, workspace } = context;
    const weights =
      shape.kernelHeight * shape.kernelWidth * (shape.inputChannels / shape.groups) * shape.filters;
    if (!isGrouped(shape)) {
      const op = weightGradientOp(shape);
      const plan = single(context, op, 'backward', { input, outputGradient, kernelGradient }, 0);
      const groups = (examples: number) => groupsFor(op, examples === 0 ? 0 : weights);
      return { ...plan, calls: plan.calls.map((call) => ({ ...call, groups })) };
    }
    const maxRows = maxExamples * shape.outputHeight;
    const wanted = Math.max(1, Math.min(64, maxRows, Math.ceil(TARGET_THREADS / weights)));
    const rowsPerPart = Math.ceil(maxRows / wanted);
    const partsOf = (examples: number) => Math.ceil((examples * shape.outputHeight) / rowsPerPart);
    const parts = weightPartsOp(shape, rowsPerPart);
    const sum = sumPartsOp(weights, shape.outputHeight, rowsPerPart);
    return {
      calls: [
        {
          op: parts,
          buffers: { input, outputGradient, parts: workspace },
          groups: (examples) => groupsFor(parts, partsOf(examples) * weights),
          cost: (examples) => convolutionFlop(shape, examples),
          layer,
          phase: 'backward',
        },
        {
          op: sum,
          buffers: { parts: workspace, kernelGradient },
          groups: () => groupsFor(sum, weights),
          cost: (examples) => ({
            flop: partsOf(examples) * weights,
            bytes: 4 * (partsOf(examples) + 2) * weights,
          }),
          layer,
          phase: 'backward',
        },
      ],
      workspaceBytes: 4 * weights * partsOf(maxExamples),
    };
  },
};
