// JSON records to Arrow batches. The first batch decides the columns and their types.

import * as arrow from 'apache-arrow';
import { TabgradError } from '../../../shared/errors.ts';
import { recordBatch } from '../../../shared/columns/arrowData.ts';
import { columnFromValues } from '../../../shared/columns/columnFromValues.ts';
import { inferType } from '../../../shared/columns/inferType.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { MalformedRowError } from '../errors.ts';
import { TypeMismatchError } from '../../../shared/columns/columnErrors.ts';
import type { ByteFile } from '../store/byteFile.ts';
import { decodeText } from './decodeText.ts';
import { type JsonRecord, jsonRecords } from './jsonRecords.ts';
import { type TextType, textTypes } from './textColumn.ts';

export interface JsonSettings {
  readonly types: Readonly<Record<string, TextType>>;
  readonly batchRows: number;
}

/** @throws MalformedRowError, TypeMismatchError; both name file and line. */
export async function* decodeJson(
  file: ByteFile,
  known: arrow.Schema | undefined,
  settings: JsonSettings,
  signal: AbortSignal | undefined,
): AsyncGenerator<arrow.RecordBatch> {
  let schema = known;
  let held: JsonRecord[] = [];
  const flush = (): arrow.RecordBatch => {
    schema ??= inferSchema(held, file.name, settings.types);
    const batch = toBatch(held, schema, file.name, settings.types);
    held = [];
    return batch;
  };
  for await (const records of jsonRecords(decodeText(file, signal), file.name)) {
    for (const record of records) {
      if (typeof record.value !== 'object' || record.value === null || Array.isArray(record.value)) {
        throw new MalformedRowError(
          `${file.name}, line ${record.line}: ${JSON.stringify(record.value)?.slice(0, 40)} where an object is expected.`,
          { file: file.name },
        );
      }
      held.push(record);
      if (held.length === settings.batchRows) yield flush();
    }
  }
  if (held.length > 0) yield flush();
}

function memberOf(record: JsonRecord, name: string, type: TextType | undefined): unknown {
  const value = (record.value as Record<string, unknown>)[name];
  if (value === null || value === undefined || type === undefined) return value;
  if (type === 'string') return typeof value === 'string' ? value : JSON.stringify(value);
  if (type === 'timestamp') return new Date(value as string | number);
  return type === 'number' ? Number(value) : value;
}

function inferSchema(
  records: readonly JsonRecord[],
  file: string,
  types: Readonly<Record<string, TextType>>,
): arrow.Schema {
  const names = new Set<string>();
  for (const { value } of records) for (const name in value as object) names.add(name);
  const fields = Array.from(names, (name) => {
    const wanted = types[name];
    const values = records.map((record) => memberOf(record, name, wanted));
    const type = wanted === undefined ? inferIn(records, values, name, file) : textTypes[wanted]();
    return new arrow.Field(name, type, true);
  });
  return new arrow.Schema(fields);
}

function inferIn(
  records: readonly JsonRecord[],
  values: unknown[],
  name: string,
  file: string,
): arrow.DataType {
  try {
    return inferType(values, name);
  } catch (error) {
    throw inFile(error, records, name, file);
  }
}

function toBatch(
  records: readonly JsonRecord[],
  schema: arrow.Schema,
  file: string,
  types: Readonly<Record<string, TextType>>,
): arrow.RecordBatch {
  const names = new Set(schema.fields.map(({ name }) => name));
  for (const { value, line } of records) {
    for (const name in value as object) {
      if (!names.has(name)) {
        throw new TypeMismatchError(
          `${file}, line ${line}: the member "${name}" does not occur in the first rows; give every row the same members.`,
          { file, column: name },
        );
      }
    }
  }
  const fields: arrow.Field[] = [];
  const columns = schema.fields.map(({ name, type }) => {
    const values = records.map((record) => memberOf(record, name, types[name]));
    try {
      const own = arrow.DataType.isNull(type) ? inferType(values, name) : type;
      fields.push(new arrow.Field(name, own, true));
      return columnFromValues(values, own);
    } catch (error) {
      throw inFile(error, records, name, file);
    }
  });
  return recordBatch(new arrow.Schema(fields), columns, records.length);
}

function inFile(error: unknown, records: readonly JsonRecord[], column: string, file: string): unknown {
  if (!(error instanceof TabgradError)) return error;
  const line = records[error.place.row ?? 0]?.line ?? 1;
  return new TypeMismatchError(
    `${file}, line ${line}, column "${column}": ${messageOf(error)} Name its type with the option types: { ${JSON.stringify(column)}: "string" }.`,
    { file, column },
    { cause: error },
  );
}
