// Columns of one name whose types differ a little, as files and batches have them: which type holds both, and the values
// in it. Nothing is rounded on the way.

import * as arrow from 'apache-arrow';
import { TypeMismatchError } from './columnErrors.ts';
import { columnFromValues } from './columnFromValues.ts';
import { DictionaryStrings } from './dictionaryStrings.ts';
import { typeName } from './typeName.ts';
import { exactValuesOf, valuesOf } from './valuesOf.ts';

/**
 * The type that holds the values of both; undefined where there is none. Whole numbers of 64 bits go with fractions as
 * doubles, and are refused later where a double would round one.
 */
export function commonType(a: arrow.DataType, b: arrow.DataType): arrow.DataType | undefined {
  if (arrow.DataType.isNull(b) || typeName(a) === typeName(b)) return a;
  if (arrow.DataType.isNull(a)) return b;
  if (arrow.DataType.isInt(a) && arrow.DataType.isInt(b)) return commonInt(a, b);
  const areNumbers = [a, b].every((type) => arrow.DataType.isInt(type) || arrow.DataType.isFloat(type));
  if (areNumbers) return new arrow.Float64();
  const areTimes = arrow.DataType.isTimestamp(a) && arrow.DataType.isTimestamp(b);
  if (areTimes && (a.timezone ?? null) === (b.timezone ?? null)) return a.unit > b.unit ? a : b;
  return undefined;
}

function commonInt(a: arrow.Int, b: arrow.Int): arrow.DataType {
  const [narrow, wide] = a.bitWidth <= b.bitWidth ? [a, b] : [b, a];
  if (narrow.isSigned === wide.isSigned || (wide.isSigned && narrow.bitWidth < wide.bitWidth)) return wide;
  // A sign takes a bit.
  return (
    [new arrow.Int16(), new arrow.Int32()].find((type) => type.bitWidth > wide.bitWidth) ?? new arrow.Int64()
  );
}

/** @throws TypeMismatchError naming the column when the type does not hold a value exactly. */
export function castColumn(data: arrow.Data, type: arrow.DataType, column: string): arrow.Data {
  if (typeName(data.type) === typeName(type)) return data;
  if (arrow.DataType.isNull(data.type)) return columnFromValues(Array.from({ length: data.length }), type);
  const strings = new DictionaryStrings();
  if (arrow.DataType.isTimestamp(data.type) && arrow.DataType.isTimestamp(type))
    return castTimes(data, data.type, type, strings, column);
  const isNumber = arrow.DataType.isInt(data.type) || arrow.DataType.isFloat(data.type);
  if (!isNumber || !(arrow.DataType.isInt(type) || arrow.DataType.isFloat(type)))
    throw unlike(data, type, column);
  const values = valuesOf(data, strings);
  if (
    arrow.DataType.isFloat(type) &&
    arrow.DataType.isFloat(data.type) &&
    type.precision < data.type.precision
  )
    throw unlike(data, type, column);
  return placed(() => columnFromValues(values, type), data, type, column);
}

function castTimes(
  data: arrow.Data,
  from: arrow.Timestamp,
  type: arrow.Timestamp,
  strings: DictionaryStrings,
  column: string,
): arrow.Data {
  if (type.unit < from.unit) throw unlike(data, type, column);
  const factor = 10n ** BigInt((type.unit - from.unit) * 3);
  const units = exactValuesOf(data, strings).map((value) =>
    value === null ? null : BigInt(value as number) * factor,
  );
  return placed(() => columnFromValues(units, type), data, type, column);
}

function placed(make: () => arrow.Data, data: arrow.Data, type: arrow.DataType, column: string): arrow.Data {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof TypeMismatchError)) throw error;
    throw unlike(data, type, column, ` ${error.message}`, error);
  }
}

function unlike(
  data: arrow.Data,
  type: arrow.DataType,
  column: string,
  why = '',
  cause?: unknown,
): TypeMismatchError {
  return new TypeMismatchError(
    `Column "${column}" holds ${typeName(type)} in some rows and ${typeName(data.type)} in others.${why}`,
    { column },
    { cause },
  );
}
