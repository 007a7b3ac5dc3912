// Relus with a learned slope for each column, and their gradients. At zero the slope below is taken, as tfjs does.

import { BEFORE_TIMES_COLUMN, PRELU, SLOPE_ROWS } from '../../wasm/assembly/neural/kernelNumbers.ts';
import type { ColumnFormula } from './columnSums.ts';
import type { ColumnwiseFormula } from './columnwise.ts';

export const prelu: ColumnwiseFormula = {
  name: 'prelu',
  readsX: true,
  updates: false,
  expression: 'select(x, column * x, x < T(0.0f))',
  evaluate: (slope, x) => (x < 0 ? slope * x : x),
  wasm: PRELU,
};

/** The gradient of the input, in place of that of the output. */
export const preluGradient: ColumnwiseFormula = {
  name: 'preluGradient',
  readsX: true,
  updates: true,
  expression: 'select(before * column, before, x > T(0.0f))',
  evaluate: (slope, x, before) => (x > 0 ? before : before * slope),
  wasm: BEFORE_TIMES_COLUMN,
};

/** The gradient of the slopes. */
export const slopeGradient: ColumnFormula = {
  name: 'slopeGradient',
  reads: [
    { name: 'gradient', of: 'element' },
    { name: 'x', of: 'element' },
  ],
  terms: ['select(gradient * x, T(0.0f), x > T(0.0f))'],
  evaluate:
    ([gradient, x]) =>
    (_, i) =>
      x![i]! > 0 ? 0 : Math.fround(gradient![i]! * x![i]!),
  wasm: SLOPE_ROWS,
};
