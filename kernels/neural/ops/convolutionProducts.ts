// Convolutions without groups, and their gradients, in plain loops: in f32, and with sums in the order of the kernels of
// WebAssembly, whose bits they have. A sum's terms go in their order, TERMS_TOGETHER of them at a time: what these come to is
// added to what there was.

import type { OpInputs } from '../../gpu/op.ts';
import { TERMS_TOGETHER } from '../../wasm/assembly/neural/kernelNumbers.ts';
import type { ConvolutionShape, FusedActivation } from '../convolution.ts';
import { examplesOf, floatsOf } from '../kernelCall.ts';
import { forwardForm, inputGradientForm, type GatherClass, type GatherForm } from '../jobs/gatherClasses.ts';
import { rowPlaces, weightStrips, type WeightStrip } from '../jobs/weightStrips.ts';
import { activate } from './convolutionReference.ts';
import { addProduct, packTerms } from './plainProduct.ts';

type Reference = (inputs: OpInputs) => void;

/** Positions whose patches are gathered at a time. */
const POSITIONS = 64;

/** Where the patch and the results of each position begin. */
function placesOf(
  { sourceImage, targetImage }: GatherForm,
  { rows, columns, source, target }: GatherClass,
  examples: number,
) {
  const count = examples * rows * columns;
  const [sources, targets] = [new Int32Array(count), new Int32Array(count)];
  let k = 0;
  for (let example = 0; example < examples; example += 1) {
    for (let y = 0; y < rows; y += 1) {
      for (let x = 0; x < columns; x += 1, k += 1) {
        sources[k] = example * sourceImage + source.start + y * source.rowStep + x * source.columnStep;
        targets[k] = example * targetImage + target.start + y * target.rowStep + x * target.columnStep;
      }
    }
  }
  return { count, sources, targets };
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
  const positions = placesOf(form, each, examples);
  for (let first = 0; first === 0 || first < each.terms; first += TERMS_TOGETHER) {
    const count = Math.min(TERMS_TOGETHER, each.terms - first);
    const right = packTerms(
      columns,
      count,
      (term, column) => weights[places[first + term]! + column * weightStrides.column]!,
    );
    const left = new Float32Array(POSITIONS * count);
    for (let from = 0; from < positions.count; from += POSITIONS) {
      const rows = Math.min(POSITIONS, positions.count - from);
      for (let row = 0, at = 0; row < rows; row += 1) {
        const start = positions.sources[from + row]!;
        for (let term = first; term < first + count; term += 1, at += 1)
          left[at] = source[start + offsets[term]!]!;
      }
      addProduct(left, right, count, columns, targets, positions.targets.subarray(from), rows);
    }
  }
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
    for (const strip of strips) {
      const positions = positionsOf(s, strip, examplesOf(inputs));
      const targets = Array.from({ length: strip.rows }, (_, row) => (strip.firstRow + row) * s.filters);
      for (let first = 0; first < positions.count; first += TERMS_TOGETHER) {
        const count = Math.min(TERMS_TOGETHER, positions.count - first);
        const right = packTerms(
          s.filters,
          count,
          (term, f) => gradient[positions.outputs[first + term]! * s.filters + f]!,
        );
        const left = new Float32Array(strip.rows * count);
        for (let row = 0, at = 0; row < strip.rows; row += 1) {
          const { down, right: along, offset } = places[strip.firstRow + row]!;
          for (let k = first; k < first + count; k += 1, at += 1) {
            const y = positions.ys[k]! + down;
            const x = positions.xs[k]! + along;
            const isInside = y >= 0 && y < s.inputHeight && x >= 0 && x < s.inputWidth;
            left[at] = isInside ? input[positions.pixels[k]! * s.inputChannels + offset]! : 0;
          }
        }
        addProduct(left, right, count, s.filters, result, targets, strip.rows);
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
