// The Arrow types that tabgrad works with: Arrow has several layouts for the same values, and rows are moved in one of each.

import * as arrow from 'apache-arrow';
import { distinctNames, columnNames } from '../columnNames.ts';

/**
 * Large and view layouts as the plain ones, decimals as doubles (unscaled / 10^scale), codes of dictionaries in 32 bits,
 * maps as lists of {key, value}.
 */
export function plainType(type: arrow.DataType): arrow.DataType {
  if (arrow.DataType.isDictionary(type)) {
    return new arrow.Dictionary(plainType(type.dictionary as arrow.DataType), new arrow.Int32(), type.id);
  }
  if (isText(type)) return new arrow.Utf8();
  if (isBytes(type)) return new arrow.Binary();
  if (arrow.DataType.isDecimal(type)) return new arrow.Float64();
  if (isListed(type)) {
    const [item] = type.children;
    return new arrow.List(plainField(item!));
  }
  if (arrow.DataType.isFixedSizeList(type)) {
    const [item] = type.children;
    return new arrow.FixedSizeList(type.listSize, plainField(item!));
  }
  if (arrow.DataType.isStruct(type)) {
    const fields = type.children;
    const names = distinctNames(fields.map(({ name }) => name));
    return new arrow.Struct(
      fields.map((field, i) => new arrow.Field(names[i]!, plainType(field.type), true)),
    );
  }
  return type;
}

/** Every column nullable, with a name of its own. */
export function plainSchema(schema: arrow.Schema): arrow.Schema {
  const names = distinctNames(columnNames(schema));
  return new arrow.Schema(
    schema.fields.map(
      (field, i) => new arrow.Field(names[i]!, plainType(field.type as arrow.DataType), true),
    ),
  );
}

function plainField(field: arrow.Field): arrow.Field {
  return new arrow.Field(field.name, plainType(field.type as arrow.DataType), true);
}

export function isText(type: arrow.DataType): boolean {
  return arrow.DataType.isUtf8(type) || arrow.DataType.isLargeUtf8(type) || arrow.DataType.isUtf8View(type);
}

export function isBytes(type: arrow.DataType): boolean {
  return (
    arrow.DataType.isBinary(type) || arrow.DataType.isLargeBinary(type) || arrow.DataType.isBinaryView(type)
  );
}

export function isListed(type: arrow.DataType): boolean {
  return arrow.DataType.isList(type) || arrow.DataType.isLargeList(type) || arrow.DataType.isMap(type);
}
