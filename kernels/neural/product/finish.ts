// What happens to a finished sum on its way to memory: bias, activation, or addition to what is there.

import type { FusedActivation } from '../convolution.ts';
import { isQuads } from './wgslText.ts';

export interface Finish {
  readonly bias: boolean;
  readonly activation: FusedActivation;
  /** Add to the result instead of replacing it. */
  readonly accumulate: boolean;
}

export const replace: Finish = { bias: false, activation: 'none', accumulate: false };
export const accumulate: Finish = { bias: false, activation: 'none', accumulate: true };

const activations: Readonly<Record<FusedActivation, (value: string, zero: string) => string>> = {
  none: (value) => value,
  relu: (value, zero) => `max(${value}, ${zero})`,
  relu6: (value, zero) => `clamp(${value}, ${zero}, ${zero} + 6.0)`,
};

export function activate(activation: FusedActivation, value: number): number {
  if (activation === 'none') return value;
  return Math.min(Math.max(value, 0), activation === 'relu6' ? 6 : Infinity);
}

/** `result[index] = …` for one element of an array of vectors or scalars; `column` counts in the same unit. */
export function finishElement(
  finish: Finish,
  element: { readonly index: string; readonly column: string; readonly value: string; readonly type: string },
): string {
  const { index, column, value, type } = element;
  const biased = finish.bias ? `${value} + bias[${column}]` : value;
  const activated = activations[finish.activation](biased, `${type}()`);
  return `result[${index}] = ${finish.accumulate ? `result[${index}] + ` : ''}${activated};`;
}

/**
 * Writes the vec4 `value` of four neighbouring columns from `column` on, of row `row` of an array of `width` columns,
 * leaving out columns beyond the last.
 * @param write one element; index, column and value are expressions in elements of the array (vectors, or scalars).
 */
export function writeQuad(
  width: number,
  place: { readonly row: string; readonly column: string; readonly value: string },
  write: (element: { index: string; column: string; value: string; type: string }) => string,
): string {
  const { row, column, value } = place;
  if (isQuads(width)) {
    const quad = `((${column}) / 4u)`;
    const index = `((${row}) * ${width / 4}u + ${quad})`;
    return `if (${column} < ${width}u) { ${write({ index, column: quad, value, type: 'vec4<f32>' })} }`;
  }
  return [0, 1, 2, 3]
    .map((i) => {
      const at = `((${column}) + ${i}u)`;
      const element = {
        index: `((${row}) * ${width}u + ${at})`,
        column: at,
        value: `${value}[${i}]`,
        type: 'f32',
      };
      return `if (${at} < ${width}u) { ${write(element)} }`;
    })
    .join('\n');
}
