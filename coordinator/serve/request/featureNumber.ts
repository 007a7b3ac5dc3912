// A value of a row from outside, as the trees compare it.

import type { ModelFeature } from '../../../shared/gbdt/model/modelFeatures.ts';
import { ServeInputError } from './serveErrors.ts';

/**
 * A value from outside as the float32 that the trees compare: NaN for null, codes for categories; a category that
 * training did not see counts as missing.
 * @throws ServeInputError naming row and field.
 */
export function featureNumber(value: unknown, feature: ModelFeature, row: number): number {
  if (value === null) return NaN;
  if (feature.codes !== undefined) {
    if (typeof value === 'string') return feature.codes.get(value) ?? NaN;
    if (typeof value === 'number' && (feature.hasNumberNames || Number.isNaN(value)))
      return feature.codes.get(value) ?? NaN;
    throw wrongValue(
      value,
      feature,
      row,
      feature.hasNumberNames ? 'a category, which are numbers' : 'a category by its name',
    );
  }
  if (typeof value === 'number') {
    const rounded = Math.fround(value);
    // NaN is missing, as in XGBoost; an infinity is refused, as there.
    if (rounded - rounded === 0 || Number.isNaN(value)) return rounded;
    throw wrongValue(value, feature, row, 'a number within the range of float32');
  }
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'bigint') return nearestFloat32(value);
  throw wrongValue(
    value,
    feature,
    row,
    feature.isCategorical ? 'a category code (the model does not keep their names)' : 'a number',
  );
}

/** By way of a double, which has 53 bits, some would be rounded twice. The bits that it has no room for are one sticky bit. */
function nearestFloat32(value: bigint): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return Math.fround(number);
  const dropped = value & 0x7ffn;
  return Math.fround(Number((value >> 11n) | (dropped === 0n ? 0n : 1n))) * 2048;
}

function wrongValue(value: unknown, { name }: ModelFeature, row: number, expected: string): ServeInputError {
  return new ServeInputError(
    `Row ${row}, field "${name}" holds ${shown(value)}; expected ${expected}, or null where it is missing.`,
    { row, field: name },
  );
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : typeof value;
}
