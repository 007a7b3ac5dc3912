// What one Parquet file has of the columns of a dataset, and its batches with those columns: of the dataset's types, with
// the columns of its folders, and with missing values for what it does not have.

import * as arrow from 'apache-arrow';
import { recordBatch } from '../../../shared/columns/arrowData.ts';
import { castColumn, commonType } from '../../../shared/columns/castColumn.ts';
import { TypeMismatchError } from '../../../shared/columns/columnErrors.ts';
import { columnFromValues } from '../../../shared/columns/columnFromValues.ts';
import { typeName } from '../../../shared/columns/typeName.ts';
import type { ParquetFooter } from '../parquet/footer.ts';
import type { ColumnNode } from '../parquet/schemaTree.ts';
import type { FileLocation } from '../store/byteFile.ts';
import type { PartitionColumns } from './partitions.ts';
import { absentColumns } from './unlikeFiles.ts';
import { columnIndexes } from '../../../shared/columns/columnNames.ts';

export class FileColumns {
  /** What is to be read of the file, in the types that it has. */
  readonly stored: arrow.Schema;
  readonly #location: FileLocation;
  readonly #wanted: arrow.Schema;
  readonly #partitions: PartitionColumns;
  /** Whether batches of the file are what is wanted. */
  readonly #isWhole: boolean;

  /** @throws TypeMismatchError naming file and column; with `isUnion` only for types that nothing holds together. */
  constructor(
    location: FileLocation,
    footer: ParquetFooter,
    wanted: arrow.Schema,
    partitions: PartitionColumns,
    isUnion: boolean,
  ) {
    this.#location = location;
    this.#wanted = wanted;
    this.#partitions = partitions;
    const columns = new Map(footer.columns.map((column) => [column.name, column]));
    let isWhole = true;
    const absent: string[] = [];
    const fields: arrow.Field[] = [];
    for (const field of wanted.fields) {
      const column = columns.get(field.name);
      if (column === undefined || (isUnion && isOnlyNull(column))) {
        if (!partitions.has(field.name) && !isUnion) absent.push(field.name);
        isWhole = false;
      } else if (typeName(column.type) === typeName(valueType(field))) fields.push(field);
      else {
        if (!isUnion) throw unlike(location.name, column, valueType(field), "the first file's holds");
        fields.push(new arrow.Field(field.name, column.type, true));
        isWhole = false;
      }
    }
    if (absent.length > 0) throw absentColumns(location.name, absent);
    this.#isWhole = isWhole;
    this.stored = isWhole ? wanted : new arrow.Schema(fields);
  }

  /** @throws TypeMismatchError for a value that the type of the dataset does not hold exactly. */
  conform(batch: arrow.RecordBatch): arrow.RecordBatch {
    if (this.#isWhole) return batch;
    const { name: file } = this.#location;
    const indexes = columnIndexes(batch.schema);
    const rows = batch.numRows;
    const fields: arrow.Field[] = [];
    const columns = this.#wanted.fields.map(({ name, type }) => {
      const index = indexes.get(name);
      let data: arrow.Data;
      if (index !== undefined) data = cast(batch.data.children[index]!, type, name, file);
      else if (this.#partitions.has(name)) data = this.#partitions.column(this.#location, name, rows);
      else data = columnFromValues(Array.from({ length: rows }), type);
      fields.push(new arrow.Field(name, data.type, true));
      return data;
    });
    return recordBatch(new arrow.Schema(fields), columns, rows);
  }
}

/** The type that pandas and others write for a column without a value. */
export function isOnlyNull(column: ColumnNode): boolean {
  return column.kind === 'leaf' && column.element.logical_type?.type === 'NULL';
}

/** Text is text, whether its codes are kept or not. */
function valueType({ type }: arrow.Field): arrow.DataType {
  return arrow.DataType.isDictionary(type) ? (type.dictionary as arrow.DataType) : type;
}

function cast(data: arrow.Data, type: arrow.DataType, column: string, file: string): arrow.Data {
  if (arrow.DataType.isDictionary(data.type)) return data;
  try {
    return castColumn(data, type, column);
  } catch (error) {
    if (!(error instanceof TypeMismatchError)) throw error;
    throw new TypeMismatchError(`${file}: ${error.message}`, { file, column }, { cause: error });
  }
}

export function unlike(
  file: string,
  { name: column, type }: { readonly name: string; readonly type: arrow.DataType },
  other: arrow.DataType,
  where: string,
): TypeMismatchError {
  const hint = commonType(other, type) === undefined ? '' : '; the option unionByName: true reads both';
  return new TypeMismatchError(
    `Column "${column}" of ${file} holds ${typeName(type)}; ${where} ${typeName(other)}${hint}.`,
    { file, column },
  );
}
