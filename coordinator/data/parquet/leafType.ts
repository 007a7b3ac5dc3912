// What the values of a Parquet leaf mean: the Arrow type that they get.
// Names and types follow the format's logical types: https://github.com/apache/parquet-format/blob/master/LogicalTypes.md

import * as arrow from 'apache-arrow';
import type { SchemaElement } from 'hyparquet';
import { UnsupportedDataError } from '../../../shared/columns/columnErrors.ts';
import type { ValueForm } from './arrowValues.ts';

/** @throws UnsupportedDataError naming the column. */
export function leafType(
  element: SchemaElement,
  column: string,
  options: { readonly binaryAsString?: boolean | undefined },
): arrow.DataType {
  const logical = element.logical_type;
  const converted = element.converted_type;
  const form = formOf(element);
  if (form.kind === 'decimal' && !(form.scale >= 0 && form.scale <= MAX_SCALE)) {
    throw new UnsupportedDataError(`Column "${column}" has decimals of the scale ${form.scale}.`, { column });
  }
  if (form.kind === 'decimal') return new arrow.Float64();
  switch (element.type) {
    case 'BOOLEAN':
      return new arrow.Bool();
    case 'INT32':
      if (logical?.type === 'DATE' || converted === 'DATE') return new arrow.DateDay();
      if (logical?.type === 'TIME' || converted === 'TIME_MILLIS') return new arrow.TimeMillisecond();
      return smallIntType(element);
    case 'INT64':
      return wideIntType(element);
    case 'INT96':
      // Nanoseconds in 64 bits end in 2262; Spark writes 9999-12-31, and in microseconds.
      return new arrow.TimestampMicrosecond();
    case 'FLOAT':
      return new arrow.Float32();
    case 'DOUBLE':
      return new arrow.Float64();
    case 'FIXED_LEN_BYTE_ARRAY':
      if (form.kind === 'half') return new arrow.Float32();
      return form.kind === 'uuid' ? new arrow.Utf8() : new arrow.Binary();
    case 'BYTE_ARRAY': {
      const name = logical?.type ?? converted;
      const isText = name === 'STRING' || name === 'UTF8' || name === 'ENUM' || name === 'JSON';
      const isAssumed = name === undefined && options.binaryAsString === true;
      return isText || isAssumed ? new arrow.Utf8() : new arrow.Binary();
    }
    case undefined:
    default:
      throw new UnsupportedDataError(`Column "${column}" has the unknown type ${String(element.type)}.`, {
        column,
      });
  }
}

/** Powers of ten beyond are no doubles. */
const MAX_SCALE = 308;

const decimalTypes: ReadonlySet<unknown> = new Set(['INT32', 'INT64', 'FIXED_LEN_BYTE_ARRAY', 'BYTE_ARRAY']);

export function formOf(element: SchemaElement): ValueForm {
  const logical = element.logical_type;
  if (decimalTypes.has(element.type)) {
    if (logical?.type === 'DECIMAL') return { kind: 'decimal', scale: logical.scale };
    if (element.converted_type === 'DECIMAL') return { kind: 'decimal', scale: element.scale ?? 0 };
  }
  if (element.type !== 'FIXED_LEN_BYTE_ARRAY') return { kind: 'plain' };
  if (logical?.type === 'UUID' && element.type_length === 16) return { kind: 'uuid' };
  return { kind: logical?.type === 'FLOAT16' && element.type_length === 2 ? 'half' : 'plain' };
}

const smallInts: ReadonlyMap<string | undefined, new () => arrow.DataType> = new Map<
  string | undefined,
  new () => arrow.DataType
>([
  ['INT_8', arrow.Int8],
  ['INT_16', arrow.Int16],
  ['UINT_8', arrow.Uint8],
  ['UINT_16', arrow.Uint16],
  ['UINT_32', arrow.Uint32],
]);

function smallIntType(element: SchemaElement): arrow.DataType {
  const logical = element.logical_type;
  const name =
    logical?.type === 'INTEGER'
      ? `${logical.isSigned ? 'INT' : 'UINT'}_${logical.bitWidth}`
      : element.converted_type;
  return new (smallInts.get(name) ?? arrow.Int32)();
}

function wideIntType(element: SchemaElement): arrow.DataType {
  const logical = element.logical_type;
  if (logical?.type === 'TIMESTAMP') {
    const timezone = logical.isAdjustedToUTC ? 'UTC' : null;
    if (logical.unit === 'MILLIS') return new arrow.TimestampMillisecond(timezone);
    return logical.unit === 'MICROS'
      ? new arrow.TimestampMicrosecond(timezone)
      : new arrow.TimestampNanosecond(timezone);
  }
  if (logical?.type === 'TIME') {
    return logical.unit === 'NANOS' ? new arrow.TimeNanosecond() : new arrow.TimeMicrosecond();
  }
  if (logical?.type === 'INTEGER') return logical.isSigned ? new arrow.Int64() : new arrow.Uint64();
  const converted = element.converted_type;
  if (converted === 'TIMESTAMP_MILLIS') return new arrow.TimestampMillisecond('UTC');
  if (converted === 'TIMESTAMP_MICROS') return new arrow.TimestampMicrosecond('UTC');
  if (converted === 'TIME_MICROS') return new arrow.TimeMicrosecond();
  return converted === 'UINT_64' ? new arrow.Uint64() : new arrow.Int64();
}
