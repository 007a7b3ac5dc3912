// What a Parquet column means: its place in the schema and the Arrow type that its values get.

import * as arrow from 'apache-arrow';
import type { FileMetaData, SchemaElement, SchemaTree } from 'hyparquet';
import { parquetSchema } from 'hyparquet';
import { UnsupportedDataError } from '../../../shared/columns/columnErrors.ts';

/** A top-level column. */
export interface ParquetColumn {
  readonly name: string;
  readonly tree: SchemaTree;
  /** True when it is not nested: values can be decoded straight into an Arrow array. */
  readonly flat: boolean;
  readonly nullable: boolean;
  /** Utf8 for strings here; the reader may give them as a dictionary of Utf8. */
  readonly type: arrow.DataType;
}

export function parquetColumns(metadata: FileMetaData): ParquetColumn[] {
  return parquetSchema(metadata).children.map((tree) => ({
    name: tree.element.name,
    tree,
    flat: tree.children.length === 0 && tree.element.repetition_type !== 'REPEATED',
    nullable: tree.element.repetition_type !== 'REQUIRED',
    type: treeType(tree),
  }));
}

/** Names and types follow the format's logical types: https://github.com/apache/parquet-format/blob/master/LogicalTypes.md */
function treeType(tree: SchemaTree): arrow.DataType {
  const type = tree.children.length === 0 ? leafType(tree.element) : groupType(tree);
  return tree.element.repetition_type === 'REPEATED'
    ? new arrow.List(arrowField('element', type, false))
    : type;
}

function arrowField(name: string, type: arrow.DataType, nullable: boolean): arrow.Field {
  return new arrow.Field(name, type, nullable);
}

function groupType(tree: SchemaTree): arrow.DataType {
  const annotation = tree.element.converted_type ?? tree.element.logical_type?.type;
  const [child] = tree.children;
  if (annotation === 'LIST' && tree.children.length === 1 && child !== undefined) {
    // Three levels by the standard; old writers leave the middle one out.
    const [element] = child.children;
    const item = child.children.length === 1 && element !== undefined ? element : child;
    const itemType = item === child && child.children.length === 0 ? leafType(child.element) : treeType(item);
    return new arrow.List(arrowField('element', itemType, true));
  }
  const [key, value] = child?.children ?? [];
  if (annotation === 'MAP' && key !== undefined && value !== undefined) {
    const entry = new arrow.Struct([
      arrowField('key', treeType(key), false),
      arrowField('value', treeType(value), true),
    ]);
    return new arrow.List(arrowField('entries', entry, false));
  }
  return new arrow.Struct(tree.children.map((c) => arrowField(c.element.name, treeType(c), true)));
}

function leafType(element: SchemaElement): arrow.DataType {
  const logical = element.logical_type;
  const converted = element.converted_type;
  if (logical?.type === 'DECIMAL' || converted === 'DECIMAL') return new arrow.Float64();
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
      return new arrow.TimestampNanosecond();
    case 'FLOAT':
      return new arrow.Float32();
    case 'DOUBLE':
      return new arrow.Float64();
    case 'FIXED_LEN_BYTE_ARRAY':
      if (logical?.type === 'FLOAT16') return new arrow.Float32();
      if (logical?.type === 'UUID') return new arrow.Utf8();
      return new arrow.Binary();
    case 'BYTE_ARRAY': {
      const name = logical?.type ?? converted;
      const isText = name === 'STRING' || name === 'UTF8' || name === 'ENUM' || name === 'JSON';
      return isText ? new arrow.Utf8() : new arrow.Binary();
    }
    case undefined:
    default:
      throw new UnsupportedDataError(
        `Column "${element.name}" has the unknown type ${String(element.type)}.`,
        {
          column: element.name,
        },
      );
  }
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
