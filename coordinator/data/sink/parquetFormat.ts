// Parquet as part files: one row group for each 131,072 rows, Snappy, every column nullable.

import * as arrow from 'apache-arrow';
import type { SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { DictionaryStrings } from '../../../shared/columns/dictionaryStrings.ts';
import { typeName } from '../../../shared/columns/typeName.ts';
import { TypeMismatchError, UnsupportedDataError } from '../../../shared/columns/columnErrors.ts';
import { storedValues } from './storedValues.ts';
import type { PartFormat } from './writeFolder.ts';

const ROW_GROUP_ROWS = 131_072;

export const parquetFormat: PartFormat = {
  extension: '.parquet',
  batchRows: ROW_GROUP_ROWS,
  encoder(write) {
    const buffer = new ByteWriter();
    const strings = new DictionaryStrings();
    let writer: ParquetWriter | undefined;
    let types: readonly string[] = [];
    const flush = async (): Promise<void> => {
      const bytes = buffer.getBytes().slice();
      buffer.index = 0;
      await write(bytes);
    };
    return {
      async add(batch) {
        const { fields } = batch.schema;
        const own = fields.map(({ name, type }) => `${name} ${typeName(type)}`);
        if (writer === undefined) {
          types = own;
          const root: SchemaElement = { name: 'root', num_children: fields.length };
          const schema = [root, ...fields.flatMap(({ name, type }) => elementsOf(name, type))];
          writer = new ParquetWriter({ writer: buffer, schema, createdBy: 'tabgrad' });
        } else if (own.some((type, i) => type !== types[i]) || own.length !== types.length) {
          throw new TypeMismatchError(
            `Rows with ${own.join(', ')} can't go in a file of ${types.join(', ')}.`,
          );
        }
        const columnData = fields.map(({ name }, i) => ({
          name,
          data: storedValues(batch.data.children[i]!, strings),
        }));
        await writer.write({ columnData, rowGroupSize: ROW_GROUP_ROWS });
        await flush();
      },
      async finish() {
        await writer?.finish();
        await flush();
      },
    };
  },
};

/** The column's schema elements, depth first. */
function elementsOf(name: string, type: arrow.DataType): SchemaElement[] {
  const optional = { name, repetition_type: 'OPTIONAL' } as const;
  // Of a dictionary the values are stored.
  if (arrow.DataType.isDictionary(type)) return elementsOf(name, type.dictionary as arrow.DataType);
  if (arrow.DataType.isList(type) || arrow.DataType.isFixedSizeList(type)) {
    const [item] = type.children;
    return [
      { ...optional, num_children: 1, converted_type: 'LIST' },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      ...elementsOf('element', item!.type),
    ];
  }
  if (arrow.DataType.isStruct(type)) {
    if (type.children.length === 0) {
      throw new UnsupportedDataError(
        `Column "${name}" is a struct without members, which Parquet does not have.`,
        {
          column: name,
        },
      );
    }
    const children = type.children.flatMap((field) => elementsOf(field.name, field.type as arrow.DataType));
    return [{ ...optional, num_children: type.children.length }, ...children];
  }
  return [{ ...optional, ...leafOf(type, name) }];
}

function leafOf(type: arrow.DataType, name: string): Partial<SchemaElement> {
  if (arrow.DataType.isBool(type)) return { type: 'BOOLEAN' };
  if (arrow.DataType.isFloat(type))
    return { type: type.precision === arrow.Precision.SINGLE ? 'FLOAT' : 'DOUBLE' };
  if (arrow.DataType.isInt(type)) {
    const physical = type.bitWidth === 64 ? 'INT64' : 'INT32';
    if (type.isSigned && type.bitWidth >= 32) return { type: physical };
    return { type: physical, converted_type: `${type.isSigned ? 'INT' : 'UINT'}_${type.bitWidth}` };
  }
  if (arrow.DataType.isDate(type)) {
    return type.unit === arrow.DateUnit.DAY
      ? { type: 'INT32', converted_type: 'DATE' }
      : { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MILLIS' } };
  }
  if (arrow.DataType.isTimestamp(type)) {
    const unit = (['MILLIS', 'MILLIS', 'MICROS', 'NANOS'] as const)[type.unit];
    const isAdjustedToUTC = type.timezone !== null && type.timezone !== undefined;
    return { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC, unit } };
  }
  if (arrow.DataType.isTime(type)) return { type: 'DOUBLE' };
  if (arrow.DataType.isUtf8(type) || arrow.DataType.isNull(type)) {
    return { type: 'BYTE_ARRAY', converted_type: 'UTF8' };
  }
  if (arrow.DataType.isBinary(type)) return { type: 'BYTE_ARRAY' };
  throw new UnsupportedDataError(`Column "${name}" of type ${typeName(type)} can't be written to Parquet.`, {
    column: name,
  });
}
