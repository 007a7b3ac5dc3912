// Sums and products of whole arrays as elementwise formulas.

import * as numbers from '../../wasm/assembly/neural/kernelNumbers.ts';
import type { ElementwiseFormula } from './elementwise.ts';
import { float } from './vectors.ts';

/** result = a + b. */
export const sum: ElementwiseFormula = {
  name: 'sum',
  reads: ['a', 'b'],
  expression: 'a + b',
  evaluate: (a, b) => a + b,
  wasm: { number: numbers.SUM },
};

/** result += a. */
export const addTo: ElementwiseFormula = {
  name: 'addTo',
  reads: ['a'],
  expression: 'before + a',
  updates: true,
  evaluate: (a, _, before) => before + a,
  wasm: { number: numbers.ADD_TO },
};

/** result = a · b. */
export const product: ElementwiseFormula = {
  name: 'product',
  reads: ['a', 'b'],
  expression: 'a * b',
  evaluate: (a, b) => a * b,
  wasm: { number: numbers.PRODUCT },
};

/** result *= a. */
export const multiplyBy: ElementwiseFormula = {
  name: 'multiplyBy',
  reads: ['a'],
  expression: 'before * a',
  updates: true,
  evaluate: (a, _, before) => before * a,
  wasm: { number: numbers.MULTIPLY_BY },
};

/** result = a. */
export const copy: ElementwiseFormula = {
  name: 'copy',
  reads: ['a'],
  expression: 'a',
  evaluate: (a) => a,
  wasm: { number: numbers.COPY },
};

/** result = a · scale + offset. */
export function affine(scale: number, offset: number): ElementwiseFormula {
  return {
    name: `affine(${scale}; ${offset})`,
    reads: ['a'],
    expression: `a * ${float(scale)} + ${float(offset)}`,
    evaluate: (a) => Math.fround(a * Math.fround(scale)) + Math.fround(offset),
    wasm: { number: numbers.AFFINE, constants: [scale, offset] },
  };
}

/** result *= scale. */
export function scaleBy(scale: number): ElementwiseFormula {
  return {
    name: `scaleBy(${scale})`,
    reads: [],
    expression: `before * ${float(scale)}`,
    updates: true,
    evaluate: (_, __, before) => before * Math.fround(scale),
    wasm: { number: numbers.SCALE_BY, constants: [scale] },
  };
}
