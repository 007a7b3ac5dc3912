// CSV text to Arrow batches.

import * as arrow from 'apache-arrow';
import { recordBatch } from '../../../shared/columns/arrowData.ts';
import { MalformedRowError } from '../plan/dataErrors.ts';
import { requireColumns } from '../../../shared/columns/columnErrors.ts';
import type { ByteFile } from '../store/byteFile.ts';
import { type CsvRecord, csvRecords } from './csvRecords.ts';
import { decodeText } from './decodeText.ts';
import { plainName } from './decompressed.ts';
import { HeldRows } from './heldRows.ts';
import { inferTextType, type TextType, textTypes } from './inferTextType.ts';
import { textColumn } from './textColumn.ts';
import type { TextFormat } from './textFormat.ts';

export interface CsvSettings {
  readonly delimiter: string | undefined;
  readonly hasHeader: boolean;
  readonly columnNames: readonly string[] | undefined;
  readonly types: ReadonlyMap<string, TextType>;
  readonly batchRows: number;
  readonly encoding: string;
  readonly format: TextFormat;
}

const MAX_NAME_CHARS = 4096;

/**
 * A file with a header and without rows gives one batch of none.
 * @param known types of columns, from earlier files; other columns have the type that their first rows look like.
 * @throws MalformedRowError for ragged rows and bad quotes, TypeMismatchError; both name file and line.
 */
export async function* decodeCsv(
  file: ByteFile,
  known: arrow.Schema | undefined,
  settings: CsvSettings,
  signal: AbortSignal | undefined,
): AsyncGenerator<arrow.RecordBatch> {
  const delimiter = settings.delimiter ?? (plainName(file.name).toLowerCase().endsWith('.tsv') ? '\t' : ',');
  let names = settings.columnNames;
  let schema: arrow.Schema | undefined;
  let needsHeader = settings.hasHeader;
  const held = new HeldRows<CsvRecord>(settings.batchRows);
  const flush = (): arrow.RecordBatch => {
    const records = held.take();
    schema ??= schemaOf(records, names!, known, settings);
    return toBatch(records, schema, settings, file.name);
  };
  for await (const records of csvRecords(decodeText(file, settings.encoding, signal), file.name, delimiter)) {
    for (const record of records) {
      const isBlank = record.fields.length === 1 && record.fields[0] === undefined;
      if (needsHeader) {
        if (isBlank) continue;
        names ??= headerNames(record, file.name);
        needsHeader = false;
        continue;
      }
      // A blank line is a missing value where there is one column, and no row where there are several.
      if (isBlank && names?.length !== 1) continue;
      names ??= record.fields.map((_, i) => `f${i}`);
      if (record.fields.length !== names.length) throw ragged(file.name, record, names.length);
      held.add(record, record.fields.length, record.chars);
      if (held.isFull) yield flush();
    }
  }
  if (held.rows > 0 || (schema === undefined && names !== undefined)) yield flush();
}

function headerNames({ fields, line }: CsvRecord, file: string): string[] {
  const malformed = (what: string, column: string): MalformedRowError =>
    new MalformedRowError(`${file}, line ${line}: ${what}.`, { file, column, row: line });
  const given = fields.map((field) => field?.trim() ?? '');
  const taken = new Set<string>();
  for (const name of given) {
    if (name === '') continue;
    if (taken.has(name)) throw malformed(`the header names "${name.slice(0, 100)}" twice`, name);
    if (name.length > MAX_NAME_CHARS)
      throw malformed(
        `a name of ${name.length} characters; at most ${MAX_NAME_CHARS} are supported`,
        name.slice(0, 100),
      );
    taken.add(name);
  }
  // pandas writes its index without a name.
  return given.map((name, i) => (name === '' ? freeName(`f${i}`, taken) : name));
}

function freeName(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let suffix = 1; taken.has(name); suffix++) name = `${wanted}_${suffix}`;
  taken.add(name);
  return name;
}

function ragged(file: string, { fields, line }: CsvRecord, expected: number): MalformedRowError {
  return new MalformedRowError(
    `${file}, line ${line}: ${fields.length} fields where ${expected} are expected.`,
    { file, row: line },
  );
}

function schemaOf(
  records: readonly CsvRecord[],
  names: readonly string[],
  known: arrow.Schema | undefined,
  { types, format }: CsvSettings,
): arrow.Schema {
  requireColumns([...types.keys()], names, 'the file (option types)');
  const fields = new Map(known?.fields.map((field) => [field.name, field]));
  return new arrow.Schema(
    names.map((name, i) => {
      const field = fields.get(name);
      if (field !== undefined) return field;
      const type = types.get(name) ?? inferTextType(texts(records, i), format);
      return new arrow.Field(name, textTypes[type](), true);
    }),
  );
}

function* texts(records: readonly CsvRecord[], column: number): Generator<string | undefined> {
  for (const { fields } of records) yield fields[column];
}

function toBatch(
  records: readonly CsvRecord[],
  schema: arrow.Schema,
  { types, format }: CsvSettings,
  file: string,
): arrow.RecordBatch {
  const lineOf = (row: number): number => records[row]!.line;
  const columns = schema.fields.map(({ name, type }, i) =>
    textColumn([...texts(records, i)], type, format, {
      column: name,
      file,
      lineOf,
      isNamed: types.has(name),
    }),
  );
  return recordBatch(schema, columns, records.length);
}
