// JSON records to Arrow batches. The first batch decides the columns and their types.

import * as arrow from 'apache-arrow';
import { TabgradError } from '../../../kernels/errors.ts';
import { recordBatch } from '../../../shared/columns/arrowData.ts';
import { columnFromValues } from '../../../shared/columns/columnFromValues.ts';
import { inferType } from '../../../shared/columns/inferType.ts';
import { memberOf, isRecord } from '../../../shared/memberOf.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { MalformedRowError } from '../plan/dataErrors.ts';
import { TypeMismatchError } from '../../../shared/columns/columnErrors.ts';
import type { ByteFile } from '../store/byteFile.ts';
import { decodeText } from './decodeText.ts';
import { HeldRows } from './heldRows.ts';
import { parseInt64, type TextType, textTypes } from './inferTextType.ts';
import { type JsonRecord, jsonRecords } from './jsonRecords.ts';
import { timeReader } from './textTime.ts';
import { rowJson } from './writeJson.ts';
import { columnNames } from '../../../shared/columns/columnNames.ts';

export interface JsonSettings {
  readonly types: ReadonlyMap<string, TextType>;
  readonly batchRows: number;
}

/** Rows of a table have the same members; where each has others, the table would grow with their square. */
const MAX_MEMBERS = 10_000;
const MAX_DATE_MS = 8.64e15;

/**
 * @param known types of columns, from earlier files.
 * @throws MalformedRowError, TypeMismatchError; both name file and line.
 */
export async function* decodeJson(
  file: ByteFile,
  known: arrow.Schema | undefined,
  settings: JsonSettings,
  signal: AbortSignal | undefined,
): AsyncGenerator<arrow.RecordBatch> {
  let schema: arrow.Schema | undefined;
  const names = new Set(known && columnNames(known));
  const held = new HeldRows<JsonRecord>(settings.batchRows);
  const flush = (): arrow.RecordBatch => {
    const records = held.take();
    schema ??= schemaOf(records, names, known, file.name, settings.types);
    return toBatch(records, schema, file.name, settings.types);
  };
  for await (const records of jsonRecords(decodeText(file, 'utf-8', signal), file.name)) {
    for (const record of records) {
      checkRecord(record, names, schema !== undefined, file.name);
      held.add(record, names.size, record.chars);
      if (held.isFull) yield flush();
    }
  }
  if (held.rows > 0) yield flush();
}

/** @param names of the members so far; those of this record are added unless the columns are decided. */
function checkRecord(
  { value, line }: JsonRecord,
  names: Set<string>,
  isDecided: boolean,
  file: string,
): void {
  if (!isRecord(value)) {
    throw new MalformedRowError(
      `${file}, line ${line}: ${rowJson(value).slice(0, 40)} where an object is expected.`,
      { file, row: line },
    );
  }
  for (const name of Object.keys(value)) {
    if (names.has(name)) continue;
    if (isDecided) {
      throw new TypeMismatchError(
        `${file}, line ${line}: the member "${name}" does not occur in the first rows; give every row the same members.`,
        { file, column: name, row: line },
      );
    }
    names.add(name);
    if (names.size > MAX_MEMBERS) {
      throw new MalformedRowError(
        `${file}, line ${line}: more than ${MAX_MEMBERS} different members up to here; rows of a table have the same ones.`,
        { file, row: line },
      );
    }
  }
}

/** The member as the type that the owner named; what can not be converted is left, and refused by the column. */
function convertedMember(record: JsonRecord, name: string, type: TextType | undefined): unknown {
  const value = memberOf(record.value, name);
  if (value === null || value === undefined || type === undefined) return value;
  if (type === 'string') return typeof value === 'string' ? value : rowJson(value);
  if (type === 'number' && typeof value === 'bigint') return Number(value);
  if (type === 'number' && typeof value === 'string')
    return value.trim() === '' || Number.isNaN(Number(value)) ? value : Number(value);
  if (type === 'int64' && typeof value === 'string') return parseInt64(value) ?? value;
  if (!type.startsWith('timestamp')) return value;
  if (typeof value === 'string') return timeReader(type)(value) ?? value;
  return typeof value === 'number' && Math.abs(value) <= MAX_DATE_MS ? new Date(value) : rowJson(value);
}

function schemaOf(
  records: readonly JsonRecord[],
  names: ReadonlySet<string>,
  known: arrow.Schema | undefined,
  file: string,
  types: ReadonlyMap<string, TextType>,
): arrow.Schema {
  const decided = new Map(known?.fields.map((field) => [field.name, field]));
  return new arrow.Schema(
    Array.from(names, (name) => {
      const field = decided.get(name);
      if (field !== undefined) return field;
      const wanted = types.get(name);
      if (wanted !== undefined) return new arrow.Field(name, textTypes[wanted](), true);
      const values = records.map((record) => memberOf(record.value, name));
      return new arrow.Field(
        name,
        placed(() => inferType(values, name), records, name, file),
        true,
      );
    }),
  );
}

function toBatch(
  records: readonly JsonRecord[],
  schema: arrow.Schema,
  file: string,
  types: ReadonlyMap<string, TextType>,
): arrow.RecordBatch {
  const fields: arrow.Field[] = [];
  const columns = schema.fields.map(({ name, type }) => {
    const values = records.map((record) => convertedMember(record, name, types.get(name)));
    return placed(
      () => {
        const own = arrow.DataType.isNull(type) ? inferType(values, name) : type;
        fields.push(new arrow.Field(name, own, true));
        return columnFromValues(values, own);
      },
      records,
      name,
      file,
    );
  });
  return recordBatch(new arrow.Schema(fields), columns, records.length);
}

/** Calls `make`; its errors get file and line. */
function placed<T>(make: () => T, records: readonly JsonRecord[], column: string, file: string): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof TabgradError)) throw error;
    const line = records[error.place.row ?? 0]?.line ?? 1;
    throw new TypeMismatchError(
      `${file}, line ${line}, column "${column}": ${messageOf(error)} Name its type with the option types: { ${JSON.stringify(column)}: "string" }.`,
      { file, column, row: line },
      { cause: error },
    );
  }
}
