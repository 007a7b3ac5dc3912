// Convolutions without groups, and their gradients, in plain loops: in f32, and with sums in the order of the kernels of
// WebAssembly, whose bits they have. A sum's terms go in their order, TERMS_TOGETHER of them at a time: what these come to is
// added to what there was.

import type { OpInputs } from '../../gpu/op.ts';
import { TERMS_TOGETHER } from '../../wasm/assembly/neural/kernelNumbers.ts';
import type { ConvolutionShape, FusedActivation } from '../convolution.ts';
import { examplesOf, floatsOf } from '../kernelCall.ts';
import { forwardForm, inputGradientForm, type GatherClass, type GatherForm } from '../wasm/gatherClasses.ts';
import { rowPlaces, weightStrips, type WeightStrip } from '../wasm/weightStrips.ts';
import { activate } from './convolutionReference.ts';

type Reference = (inputs: OpInputs) => void;

/** Calls `visit` with where each position's patch and its results begin. */
function visitPositions(
  { sourceImage, targetImage }: GatherForm,
  { rows, columns, source, target }: GatherClass,
  examples: number,
  visit: (source: number, target: number) => void,
): void {
  for (let example = 0; example < examples; example += 1) {
    for (let y = 0; y < rows; y += 1) {
      for (let x = 0; x < columns; x += 1) {
        visit(
          example * sourceImage + source.start + y * source.rowStep + x * source.columnStep,
          example * targetImage + target.start + y * target.rowStep + x * target.columnStep,
        );
      }
    }
  }
}

/** Offsets in the source and in the weights of each term of a patch. */
function termsOf({ runs, terms }: GatherClass, step: number) {
  const offsets = new Int32Array(terms);
  const places = new Int32Array(terms);
  let term = 0;
  for (const { offset, weights, length } of runs) {
    for (let i = 0; i < length; i += 1, term += 1) {
      offsets[term] = offset + i;
      places[term] = weights + i * step;
    }
  }
  return { offsets, places };
}

/** Adds the products of one class's patches to the targets. */
function addGathered(
  form: GatherForm,
  each: GatherClass,
  source: Float32Array,
  weights: Float32Array,
  targets: Float32Array,
  examples: number,
): void {
  const { columns, weightStrides } = form;
  const { offsets, places } = termsOf(each, weightStrides.term);
  const sums = new Float32Array(columns);
  visitPositions(form, each, examples, (from, to) => {
    for (let first = 0; first === 0 || first < each.terms; first += TERMS_TOGETHER) {
      const end = Math.min(each.terms, first + TERMS_TOGETHER);
      sums.fill(0);
      for (let term = first; term < end; term += 1) {
        const value = source[from + offsets[term]!]!;
        const place = places[term]!;
        for (let n = 0, at = place; n < columns; n += 1, at += weightStrides.column) {
          sums[n] = sums[n]! + Math.fround(value * weights[at]!);
        }
      }
      for (let n = 0; n < columns; n += 1) targets[to + n] = targets[to + n]! + sums[n]!;
    }
  });
}

/** Arrays: input, kernel, bias (where there is one), output. */
export function forwardProducts(
  s: ConvolutionShape,
  hasBias: boolean,
  activation: FusedActivation,
): Reference {
  const form = forwardForm(s);
  return (inputs) => {
    const input = floatsOf(inputs, 'input');
    const kernel = floatsOf(inputs, 'kernel');
    const bias = hasBias ? floatsOf(inputs, 'bias') : new Float32Array(s.filters);
    const count = examplesOf(inputs) * form.targetImage;
    const output = floatsOf(inputs, 'output').subarray(0, count);
    for (let i = 0; i < count; i += s.filters) output.set(bias, i);
    for (const each of form.classes) addGathered(form, each, input, kernel, output, examplesOf(inputs));
    if (activation !== 'none') output.forEach((value, i) => (output[i] = activate(activation, value)));
  };
}

/** Arrays: outputGradient, kernel, inputGradient. */
export function inputGradientProducts(s: ConvolutionShape, accumulate: boolean): Reference {
  const form = inputGradientForm(s);
  return (inputs) => {
    const gradient = floatsOf(inputs, 'outputGradient');
    const kernel = floatsOf(inputs, 'kernel');
    const result = floatsOf(inputs, 'inputGradient');
    if (!accumulate) result.fill(0, 0, examplesOf(inputs) * form.targetImage);
    for (const each of form.classes) addGathered(form, each, gradient, kernel, result, examplesOf(inputs));
  };
}

/** Arrays: input, outputGradient, kernelGradient (added to). */
export function weightGradientProducts(s: ConvolutionShape): Reference {
  const strips = weightStrips(s);
  const places = rowPlaces(s);
  return (inputs) => {
    const input = floatsOf(inputs, 'input');
    const gradient = floatsOf(inputs, 'outputGradient');
    const result = floatsOf(inputs, 'kernelGradient');
    const sums = new Float32Array(s.filters);
    for (const strip of strips) {
      const positions = positionsOf(s, strip, examplesOf(inputs));
      for (let row = strip.firstRow; row < strip.firstRow + strip.rows; row += 1) {
        const { down, right, offset } = places[row]!;
        for (let first = 0; first < positions.count; first += TERMS_TOGETHER) {
          const end = Math.min(positions.count, first + TERMS_TOGETHER);
          sums.fill(0);
          for (let k = first; k < end; k += 1) {
            const y = positions.ys[k]! + down;
            const x = positions.xs[k]! + right;
            const isInside = y >= 0 && y < s.inputHeight && x >= 0 && x < s.inputWidth;
            const value = isInside ? input[positions.pixels[k]! * s.inputChannels + offset]! : 0;
            const from = positions.outputs[k]! * s.filters;
            for (let f = 0; f < s.filters; f += 1) {
              sums[f] = sums[f]! + Math.fround(value * gradient[from + f]!);
            }
          }
          for (let f = 0, at = row * s.filters; f < s.filters; f += 1, at += 1) {
            result[at] = result[at]! + sums[f]!;
          }
        }
      }
    }
  };
}

/** Of the strip, in order: the pixel where the image begins for each, as place and as row and column, and the output. */
function positionsOf(s: ConvolutionShape, { y, x }: WeightStrip, examples: number) {
  const count = examples * y.count * x.count;
  const [pixels, ys, xs, outputs] = [0, 0, 0, 0].map(() => new Int32Array(count));
  let k = 0;
  for (let example = 0; example < examples; example += 1) {
    for (let row = y.first; row < y.first + y.count; row += 1) {
      for (let column = x.first; column < x.first + x.count; column += 1, k += 1) {
        ys![k] = row * s.strideHeight;
        xs![k] = column * s.strideWidth;
        pixels![k] = (example * s.inputHeight + ys![k]!) * s.inputWidth + xs![k]!;
        outputs![k] = (example * s.outputHeight + row) * s.outputWidth + column;
      }
    }
  }
  return { count, pixels: pixels!, ys: ys!, xs: xs!, outputs: outputs! };
}
