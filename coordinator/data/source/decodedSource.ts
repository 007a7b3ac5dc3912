// Files that are read from beginning to end: CSV, JSON and Arrow. The first batch of the first file decides the schema.

import * as arrow from 'apache-arrow';
import { recordBatch } from '../../../shared/columns/arrowData.ts';
import { columnOf } from '../../../shared/columns/concatBatches.ts';
import { typeName } from '../../../shared/columns/typeName.ts';
import { TypeMismatchError } from '../../../shared/columns/columnErrors.ts';
import type { ReadRequest, Source } from '../plan/planNode.ts';
import { type RunContext, throwIfAborted } from '../plan/runContext.ts';
import type { ByteFile } from '../store/byteFile.ts';
import { OpenedFiles } from './openedFiles.ts';
import { type ListFiles, selectFields } from './parquetSource.ts';

/** @param schema of the first file when this is a later one: its columns must come with these types. */
export type DecodeFile = (
  file: ByteFile,
  schema: arrow.Schema | undefined,
  signal: AbortSignal | undefined,
) => AsyncIterable<arrow.RecordBatch>;

export class DecodedSource implements Source {
  readonly label: string;
  readonly #list: ListFiles;
  readonly #decode: DecodeFile;
  readonly #columns: readonly string[] | undefined;
  readonly #files = new OpenedFiles();
  #schema: arrow.Schema | undefined;

  constructor(label: string, list: ListFiles, decode: DecodeFile, columns: readonly string[] | undefined) {
    this.label = label;
    this.#list = list;
    this.#decode = decode;
    this.#columns = columns;
  }

  async schema(context: RunContext): Promise<arrow.Schema> {
    return this.#chosen(await this.#wholeSchema(context));
  }

  rowCount(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async *read(request: ReadRequest, context: RunContext): AsyncGenerator<arrow.RecordBatch> {
    const whole = await this.#wholeSchema(context);
    const chosen = this.#chosen(whole);
    const schema = request.columns === undefined ? chosen : selectFields(chosen, request.columns, this.label);
    for (const location of await this.#list(context.signal)) {
      const file = await this.#files.open(location, context.signal);
      try {
        for await (const batch of this.#decode(file, whole, context.signal)) {
          throwIfAborted(context);
          yield conform(batch, schema, file.name);
        }
      } finally {
        await file.close();
      }
    }
  }

  #chosen(whole: arrow.Schema): arrow.Schema {
    return this.#columns === undefined ? whole : selectFields(whole, this.#columns, this.label);
  }

  async #wholeSchema(context: RunContext): Promise<arrow.Schema> {
    if (this.#schema !== undefined) return this.#schema;
    const locations = await this.#list(context.signal);
    for (const location of locations) {
      this.#schema = await this.#files.with(location, context.signal, async (file) => {
        for await (const batch of this.#decode(file, undefined, context.signal)) return batch.schema;
        return undefined;
      });
      // A file without rows says nothing about types.
      if (this.#schema !== undefined) return this.#schema;
    }
    this.#schema = new arrow.Schema([]);
    return this.#schema;
  }
}

/** The batch with the wanted columns in the wanted order. */
function conform(batch: arrow.RecordBatch, schema: arrow.Schema, file: string): arrow.RecordBatch {
  if (batch.schema === schema) return batch;
  const fields: arrow.Field[] = [];
  const columns = schema.fields.map((field) => {
    const data = columnOf(batch, field.name);
    const isEmpty = arrow.DataType.isNull(data.type) || arrow.DataType.isNull(field.type);
    if (!isEmpty && typeName(data.type) !== typeName(field.type)) {
      throw new TypeMismatchError(
        `Column "${field.name}" of ${file} holds ${typeName(data.type)}; the first file's holds ${typeName(field.type)}.`,
        { file, column: field.name },
      );
    }
    fields.push(new arrow.Field(field.name, data.type, true));
    return data;
  });
  return recordBatch(new arrow.Schema(fields), columns, batch.numRows);
}
