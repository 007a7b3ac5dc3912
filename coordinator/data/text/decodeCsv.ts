// CSV text to Arrow batches.

import * as arrow from 'apache-arrow';
import { recordBatch } from '../../../shared/columns/arrowData.ts';
import { MalformedRowError } from '../errors.ts';
import { requireColumns } from '../../../shared/columns/columnErrors.ts';
import type { ByteFile } from '../store/byteFile.ts';
import { type CsvRecord, csvRecords } from './csvRecords.ts';
import { decodeText } from './decodeText.ts';
import { inferTextType, textColumn, type TextType, textTypes } from './textColumn.ts';

export interface CsvSettings {
  readonly delimiter: string | undefined;
  readonly hasHeader: boolean;
  readonly columnNames: readonly string[] | undefined;
  readonly types: Readonly<Record<string, TextType>>;
  readonly batchRows: number;
}

/** @throws MalformedRowError for ragged rows and bad quotes, TypeMismatchError; both name file and line. */
export async function* decodeCsv(
  file: ByteFile,
  known: arrow.Schema | undefined,
  settings: CsvSettings,
  signal: AbortSignal | undefined,
): AsyncGenerator<arrow.RecordBatch> {
  const delimiter = settings.delimiter ?? (file.name.toLowerCase().endsWith('.tsv') ? '\t' : ',');
  let names = settings.columnNames;
  let schema = known;
  let needsHeader = settings.hasHeader;
  let held: CsvRecord[] = [];
  const flush = (): arrow.RecordBatch => {
    schema ??= inferSchema(held, names!, settings.types);
    const batch = toBatch(held, names!, schema, file.name);
    held = [];
    return batch;
  };
  for await (const records of csvRecords(decodeText(file, signal), file.name, delimiter)) {
    for (const record of records) {
      if (needsHeader) {
        names ??= headerNames(record, file.name);
        needsHeader = false;
        continue;
      }
      names ??= record.fields.map((_, i) => `f${i}`);
      if (record.fields.length !== names.length) throw ragged(file.name, record, names.length);
      held.push(record);
      if (held.length === settings.batchRows) yield flush();
    }
  }
  if (held.length > 0) yield flush();
}

function headerNames({ fields, line }: CsvRecord, file: string): string[] {
  const names = fields.map((field, i) => field?.trim() ?? `f${i}`);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new MalformedRowError(`${file}, line ${line}: the header names "${twice}" twice.`, {
      file,
      column: twice,
    });
  }
  return names;
}

function ragged(file: string, { fields, line }: CsvRecord, expected: number): MalformedRowError {
  return new MalformedRowError(
    `${file}, line ${line}: ${fields.length} fields where ${expected} are expected.`,
    { file },
  );
}

function inferSchema(
  records: readonly CsvRecord[],
  names: readonly string[],
  types: Readonly<Record<string, TextType>>,
): arrow.Schema {
  requireColumns(Object.keys(types), names, 'the file (option types)');
  const fields = names.map((name, i) => {
    const type = types[name] ?? inferTextType(records.map(({ fields }) => fields[i]));
    return new arrow.Field(name, textTypes[type](), true);
  });
  return new arrow.Schema(fields);
}

function toBatch(
  records: readonly CsvRecord[],
  names: readonly string[],
  schema: arrow.Schema,
  file: string,
): arrow.RecordBatch {
  const fields = schema.fields.filter(({ name }) => names.includes(name));
  const columns = fields.map(({ name, type }) => {
    const index = names.indexOf(name);
    const texts = records.map((record) => record.fields[index]);
    return textColumn(texts, type, name, file, (row) => records[row]!.line);
  });
  return recordBatch(
    fields.length === schema.fields.length ? schema : new arrow.Schema(fields),
    columns,
    records.length,
  );
}
