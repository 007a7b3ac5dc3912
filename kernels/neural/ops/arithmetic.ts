// Sums and products of whole arrays as elementwise formulas.

import type { ElementwiseFormula } from './elementwise.ts';

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
