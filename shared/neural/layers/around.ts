// What stands around an image in a layer's config: one number, two (rows, columns), or two pairs (before, behind).

import type { Padding } from '../layerGraph.ts';

/** Undefined when it is none of these. */
export function readAround(value: unknown): Padding | undefined {
  const [rows, columns]: unknown[] = Array.isArray(value) ? value : [value, value];
  const vertical: unknown[] = Array.isArray(rows) ? rows : [rows, rows];
  const horizontal: unknown[] = Array.isArray(columns) ? columns : [columns, columns];
  const all = [...vertical, ...horizontal];
  const fits = (one: unknown): one is number => Number.isInteger(one) && (one as number) >= 0;
  if (all.length !== 4 || !all.every(fits)) return undefined;
  return { top: all[0]!, bottom: all[1]!, left: all[2]!, right: all[3]! };
}
