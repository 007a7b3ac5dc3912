// Checks of single options of neural runs: what is wrong is told with the option's name, its value and what was expected.

import { argument } from '../../options/runOptions.ts';

/** @throws TrainArgumentError */
export function oneOf<T extends string>(field: string, value: unknown, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found !== undefined) return found;
  throw argument(field, `is ${told(value)}; expected one of ${allowed.join(', ')}`);
}

/** A group of options. @throws TrainArgumentError */
export function optionsOf<T extends object>(field: string, value: T): T {
  if (typeof value === 'object' && (value as unknown) !== null && !Array.isArray(value)) return value;
  throw argument(field, `is ${told(value)}; expected an object of options`);
}

/** @throws TrainArgumentError */
export function flag(field: string, value: boolean): boolean {
  if (typeof value === 'boolean') return value;
  throw argument(field, `is ${told(value)}; expected true or false`);
}

/** @throws TrainArgumentError */
export function numberAbove(field: string, value: number, least: number): number {
  if (Number.isFinite(value) && value > least) return value;
  throw argument(field, `is ${told(value)}; expected a number above ${least}`);
}

/** @throws TrainArgumentError */
export function numberFrom(
  field: string,
  value: number,
  least: number,
  { below, most }: { readonly below?: number; readonly most?: number } = {},
): number {
  const fits = Number.isFinite(value) && value >= least && value < (below ?? Infinity);
  if (fits && value <= (most ?? Infinity)) return value;
  const end = below !== undefined ? ` and below ${below}` : most !== undefined ? ` to ${most}` : '';
  throw argument(field, `is ${told(value)}; expected a number from ${least}${end}`);
}

/** Numbers as they are: JSON has no NaN. */
function told(value: unknown): string {
  return typeof value === 'number' ? String(value) : (JSON.stringify(value)?.slice(0, 80) ?? 'missing');
}
