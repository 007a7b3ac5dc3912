// Sums and products of whole arrays as elementwise formulas.

import type { ElementwiseFormula } from './elementwise.ts';
import { float } from './vectors.ts';

/** result = a + b. */
export const sum: ElementwiseFormula = {
  name: 'sum',
  reads: ['a', 'b'],
  expression: 'a + b',
  evaluate: (a, b) => a + b,
};

/** result += a. */
export const addTo: ElementwiseFormula = {
  name: 'addTo',
  reads: ['a'],
  expression: 'before + a',
  updates: true,
  evaluate: (a, _, before) => before + a,
};

/** result = a · b. */
export const product: ElementwiseFormula = {
  name: 'product',
  reads: ['a', 'b'],
  expression: 'a * b',
  evaluate: (a, b) => a * b,
};

/** result *= a. */
export const multiplyBy: ElementwiseFormula = {
  name: 'multiplyBy',
  reads: ['a'],
  expression: 'before * a',
  updates: true,
  evaluate: (a, _, before) => before * a,
};

/** result = a. */
export const copy: ElementwiseFormula = {
  name: 'copy',
  reads: ['a'],
  expression: 'a',
  evaluate: (a) => a,
};

/** result = a · scale + offset. */
export function affine(scale: number, offset: number): ElementwiseFormula {
  return {
    name: `affine(${scale}; ${offset})`,
    reads: ['a'],
    expression: `a * ${float(scale)} + ${float(offset)}`,
    evaluate: (a) => a * scale + offset,
  };
}

/** result *= scale. */
export function scaleBy(scale: number): ElementwiseFormula {
  return {
    name: `scaleBy(${scale})`,
    reads: [],
    expression: `before * ${float(scale)}`,
    updates: true,
    evaluate: (_, __, before) => before * scale,
  };
}
