// Convolutions without groups, and their gradients, as packed products on the processor. Sums are f64.

import type { OpInputs } from '../../gpu/op.ts';
import type { ConvolutionShape, FusedActivation } from '../convolution.ts';
import { examplesOf, floatsOf } from '../kernelCall.ts';
import { activate } from './convolutionReference.ts';
import { tapClasses, type PatchBlock, type TapClass } from './convolutionPatches.ts';
import { addPackedProduct, packed, PACKED_COLUMNS, PACKED_ROWS } from './packedProduct.ts';

type Reference = (inputs: OpInputs) => void;

/** Filters that are worked on together: bounds what is packed of a large kernel. */
const FILTERS_TOGETHER = 64;
/** Image gradients that are summed up in f64 at a time. */
const IMAGE_SUMS_BYTES = 32 * 2 ** 20;

/** Where element (line, place) of a packed operand lies: [lines / by][places][by]. */
const packedAt = (line: number, places: number, by: number): number =>
  Math.floor(line / by) * places * by + (line % by);

/** Rows: positions; inner: a patch. */
function packPatches(
  image: Float32Array,
  { runs, patchLength }: TapClass,
  { positions, images }: PatchBlock,
): Float64Array {
  const patches = new Float64Array(packed(positions, PACKED_ROWS) * patchLength);
  for (let position = 0; position < positions; position += 1) {
    let to = packedAt(position, patchLength, PACKED_ROWS);
    for (const { offset, length } of runs) {
      const from = images[position]! + offset;
      for (let at = from; at < from + length; at += 1, to += 4) patches[to] = image[at]!;
    }
  }
  return patches;
}

/** Rows: a patch; inner: positions. */
function packTaps(
  image: Float32Array,
  { runs, patchLength }: TapClass,
  { positions, images }: PatchBlock,
): Float64Array {
  const taps = new Float64Array(packed(patchLength, PACKED_ROWS) * positions);
  let row = 0;
  for (const { offset, length } of runs) {
    for (let at = offset; at < offset + length; at += 1, row += 1) {
      let to = packedAt(row, positions, PACKED_ROWS);
      for (let position = 0; position < positions; position += 1, to += 4) {
        taps[to] = image[images[position]! + at]!;
      }
    }
  }
  return taps;
}

/** Arrays: input, kernel, bias (where there is one), output. */
export function forwardProducts(
  s: ConvolutionShape,
  hasBias: boolean,
  activation: FusedActivation,
): Reference {
  const classes = tapClasses(s);
  return (inputs) => {
    const input = floatsOf(inputs, 'input');
    const kernel = floatsOf(inputs, 'kernel');
    const bias = hasBias ? floatsOf(inputs, 'bias') : new Float32Array(s.filters);
    const output = floatsOf(inputs, 'output');
    for (const taps of classes) {
      const inner = taps.patchLength;
      for (let first = 0; first < s.filters; first += FILTERS_TOGETHER) {
        const filters = Math.min(FILTERS_TOGETHER, s.filters - first);
        const columns = packed(filters, PACKED_COLUMNS);
        const weights = packKernel(s, kernel, taps, first, filters);
        for (const block of taps.blocks(examplesOf(inputs))) {
          const rows = packed(block.positions, PACKED_ROWS);
          const sums = new Float64Array(rows * columns);
          const patches = packPatches(input, taps, block);
          addPackedProduct(patches, weights, sums, { rows, columns, inner });
          for (let position = 0; position < block.positions; position += 1) {
            const to = block.outputs[position]! + first;
            const from = position * columns;
            for (let f = 0; f < filters; f += 1) {
              output[to + f] = activate(activation, sums[from + f]! + bias[first + f]!);
            }
          }
        }
      }
    }
  };
}

/** Columns: filters; inner: a patch. */
function packKernel(
  s: ConvolutionShape,
  kernel: Float32Array,
  { runs, patchLength }: TapClass,
  first: number,
  filters: number,
): Float64Array {
  const weights = new Float64Array(packed(filters, PACKED_COLUMNS) * patchLength);
  for (let f = 0; f < filters; f += 1) {
    let to = packedAt(f, patchLength, PACKED_COLUMNS);
    for (const { kernelRow, length } of runs) {
      for (let row = kernelRow; row < kernelRow + length; row += 1, to += 2) {
        weights[to] = kernel[row * s.filters + first + f]!;
      }
    }
  }
  return weights;
}

/** Arrays: outputGradient, kernel, inputGradient. */
export function inputGradientProducts(s: ConvolutionShape, accumulate: boolean): Reference {
  const classes = tapClasses(s);
  const [image, outputs] = [
    s.inputHeight * s.inputWidth * s.inputChannels,
    s.outputHeight * s.outputWidth * s.filters,
  ];
  return (inputs) => {
    const gradient = floatsOf(inputs, 'outputGradient');
    const kernel = floatsOf(inputs, 'kernel');
    const result = floatsOf(inputs, 'inputGradient');
    const together = Math.max(1, Math.floor(IMAGE_SUMS_BYTES / (8 * image)));
    for (let example = 0; example < examplesOf(inputs); example += together) {
      const examples = Math.min(together, examplesOf(inputs) - example);
      const sums = new Float64Array(examples * image);
      if (accumulate) sums.set(result.subarray(example * image, (example + examples) * image));
      const gradients = gradient.subarray(example * outputs, (example + examples) * outputs);
      for (const taps of classes) addInputGradient(s, taps, kernel, gradients, sums, examples);
      result.set(sums, example * image);
    }
  };
}

function addInputGradient(
  s: ConvolutionShape,
  { runs, patchLength, blocks }: TapClass,
  kernel: Float32Array,
  gradients: Float32Array,
  sums: Float64Array,
  examples: number,
): void {
  if (patchLength === 0) return;
  const columns = packed(patchLength, PACKED_COLUMNS);
  // Columns: a patch; inner: filters.
  const weights = new Float64Array(columns * s.filters);
  let column = 0;
  for (const { kernelRow, length } of runs) {
    for (let row = kernelRow; row < kernelRow + length; row += 1, column += 1) {
      let to = packedAt(column, s.filters, PACKED_COLUMNS);
      for (let f = row * s.filters; f < (row + 1) * s.filters; f += 1, to += 2) weights[to] = kernel[f]!;
    }
  }
  for (const block of blocks(examples)) {
    const rows = packed(block.positions, PACKED_ROWS);
    const left = new Float64Array(rows * s.filters);
    for (let position = 0; position < block.positions; position += 1) {
      const from = block.outputs[position]!;
      let to = packedAt(position, s.filters, PACKED_ROWS);
      for (let f = from; f < from + s.filters; f += 1, to += 4) left[to] = gradients[f]!;
    }
    const patches = new Float64Array(rows * columns);
    addPackedProduct(left, weights, patches, { rows, columns, inner: s.filters });
    for (let position = 0; position < block.positions; position += 1) {
      let from = position * columns;
      for (const { offset, length } of runs) {
        const to = block.images[position]! + offset;
        for (let at = to; at < to + length; at += 1, from += 1) sums[at]! += patches[from]!;
      }
    }
  }
}

/** Arrays: input, outputGradient, parts [part][weight]: all of the sum is in the first part, for only their sum is promised. */
export function weightGradientProducts(s: ConvolutionShape, rowsPerPart: number): Reference {
  const classes = tapClasses(s);
  const weights = s.kernelHeight * s.kernelWidth * s.inputChannels * s.filters;
  return (inputs) => {
    const input = floatsOf(inputs, 'input');
    const gradient = floatsOf(inputs, 'outputGradient');
    const sums = new Float64Array(weights);
    for (const taps of classes) {
      addWeightGradient(s, taps, input, gradient, sums, examplesOf(inputs));
    }
    const parts = floatsOf(inputs, 'parts');
    parts.set(sums);
    parts.fill(0, weights, weights * Math.ceil((examplesOf(inputs) * s.outputHeight) / rowsPerPart));
  };
}

function addWeightGradient(
  s: ConvolutionShape,
  taps: TapClass,
  input: Float32Array,
  gradient: Float32Array,
  sums: Float64Array,
  examples: number,
): void {
  const { runs, patchLength } = taps;
  if (patchLength === 0) return;
  const [rows, columns] = [packed(patchLength, PACKED_ROWS), packed(s.filters, PACKED_COLUMNS)];
  const products = new Float64Array(rows * columns);
  for (const block of taps.blocks(examples)) {
    const { positions, outputs } = block;
    // Columns: filters; inner: positions.
    const right = new Float64Array(columns * positions);
    for (let f = 0; f < s.filters; f += 1) {
      let to = packedAt(f, positions, PACKED_COLUMNS);
      for (let position = 0; position < positions; position += 1, to += 2) {
        right[to] = gradient[outputs[position]! + f]!;
      }
    }
    const left = packTaps(input, taps, block);
    addPackedProduct(left, right, products, { rows, columns, inner: positions });
  }
  let from = 0;
  for (const { kernelRow, length } of runs) {
    for (let row = kernelRow; row < kernelRow + length; row += 1, from += columns) {
      for (let f = 0; f < s.filters; f += 1) sums[row * s.filters + f]! += products[from + f]!;
    }
  }
}
