// Files that are read from beginning to end: CSV, JSON and Arrow. The first batch of the first file decides the schema,
// or with unionByName the first batches of all files.

import * as arrow from 'apache-arrow';
import { recordBatch } from '../../../shared/columns/arrowData.ts';
import { castColumn, commonType } from '../../../shared/columns/castColumn.ts';
import { columnFromValues } from '../../../shared/columns/columnFromValues.ts';
import { typeName } from '../../../shared/columns/typeName.ts';
import { TypeMismatchError } from '../../../shared/columns/columnErrors.ts';
import type { ReadRequest, Source } from '../plan/planNode.ts';
import { type RunContext, throwIfAborted } from '../plan/runContext.ts';
import type { ByteFile, FileLocation } from '../store/byteFile.ts';
import { OpenedFiles } from './openedFiles.ts';
import type { ListFiles } from '../store/listFiles.ts';
import { PartitionColumns } from './partitions.ts';
import { absentColumns, requireKnownColumns } from './unlikeFiles.ts';
import { columnNames, columnIndexes, selectFields } from '../../../shared/columns/columnNames.ts';

/**
 * Batches of all columns of the file; one of no rows where its columns are known and it has none.
 * @param schema of earlier files: their columns must come with these types, if they can.
 */
export type DecodeFile = (
  file: ByteFile,
  schema: arrow.Schema | undefined,
  signal: AbortSignal | undefined,
) => AsyncIterable<arrow.RecordBatch>;

export interface DecodedOptions {
  readonly columns?: readonly string[] | undefined;
  /** The beginning of each file is read twice then. */
  readonly unionByName?: boolean | undefined;
}

interface Layout {
  /** Columns of the files, and with those of their folders. */
  readonly files: arrow.Schema;
  readonly whole: arrow.Schema;
  readonly partitions: PartitionColumns;
}

export class DecodedSource implements Source {
  readonly label: string;
  readonly #list: ListFiles;
  readonly #decode: DecodeFile;
  readonly #options: DecodedOptions;
  readonly #files = new OpenedFiles();
  #layout: Layout | undefined;

  constructor(label: string, list: ListFiles, decode: DecodeFile, options: DecodedOptions) {
    this.label = label;
    this.#list = list;
    this.#decode = decode;
    this.#options = options;
  }

  async schema(context: RunContext): Promise<arrow.Schema> {
    return this.#chosen((await this.#layoutOf(context)).whole);
  }

  rowCount(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async *read(request: ReadRequest, context: RunContext): AsyncGenerator<arrow.RecordBatch> {
    const layout = await this.#layoutOf(context);
    const chosen = this.#chosen(layout.whole);
    const schema = request.columns === undefined ? chosen : selectFields(chosen, request.columns, this.label);
    for (const location of await this.#list(context.signal)) {
      const file = await this.#files.open(location, context.signal);
      try {
        for await (const batch of this.#decode(file, layout.files, context.signal)) {
          throwIfAborted(context);
          yield this.#conform(batch, schema, location, layout);
        }
      } finally {
        await file.close();
      }
    }
  }

  #chosen(whole: arrow.Schema): arrow.Schema {
    const { columns } = this.#options;
    return columns === undefined ? whole : selectFields(whole, columns, this.label);
  }

  async #layoutOf(context: RunContext): Promise<Layout> {
    if (this.#layout !== undefined) return this.#layout;
    const locations = await this.#list(context.signal);
    const partitions = new PartitionColumns(locations);
    const files = await (this.#options.unionByName === true
      ? this.#unitedSchema(locations, context)
      : this.#firstSchema(locations, context));
    this.#layout = { files, whole: partitions.addTo(files), partitions };
    return this.#layout;
  }

  /** Of the first file that has rows: one without says nothing about types. */
  async #firstSchema(locations: readonly FileLocation[], context: RunContext): Promise<arrow.Schema> {
    let empty: arrow.Schema | undefined;
    for (const location of locations) {
      const batch = await this.#firstBatch(location, context);
      if (batch !== undefined && batch.numRows > 0) return batch.schema;
      empty ??= batch?.schema;
    }
    return empty ?? new arrow.Schema([]);
  }

  async #unitedSchema(locations: readonly FileLocation[], context: RunContext): Promise<arrow.Schema> {
    const types = new Map<string, arrow.DataType>();
    for (const location of locations) {
      const batch = await this.#firstBatch(location, context);
      for (const { name, type } of batch?.schema.fields ?? []) {
        const held = types.get(name);
        const own = batch!.numRows > 0 ? type : new arrow.Null();
        const common = held === undefined ? own : commonType(held, own);
        if (common === undefined) throw unlike(location.name, name, own, held!);
        types.set(name, common);
      }
    }
    return new arrow.Schema(Array.from(types, ([name, type]) => new arrow.Field(name, type, true)));
  }

  #firstBatch(location: FileLocation, context: RunContext): Promise<arrow.RecordBatch | undefined> {
    return this.#files.with(location, context.signal, async (file) => {
      for await (const batch of this.#decode(file, undefined, context.signal)) return batch;
      return undefined;
    });
  }

  /** The batch with the wanted columns in the wanted order. */
  #conform(
    batch: arrow.RecordBatch,
    schema: arrow.Schema,
    location: FileLocation,
    { files, partitions }: Layout,
  ): arrow.RecordBatch {
    if (batch.schema === schema) return batch;
    if (this.#options.columns === undefined) {
      requireKnownColumns(location.name, columnNames(batch.schema), columnNames(files));
    }
    const indexes = columnIndexes(batch.schema);
    if (this.#options.unionByName !== true) {
      const absent = columnNames(schema).filter((name) => !indexes.has(name) && !partitions.has(name));
      if (absent.length > 0) throw absentColumns(location.name, absent);
    }
    const fields: arrow.Field[] = [];
    const columns = schema.fields.map(({ name, type }) => {
      const index = indexes.get(name);
      const data =
        index === undefined
          ? partitions.has(name)
            ? partitions.column(location, name, batch.numRows)
            : columnFromValues(Array.from({ length: batch.numRows }), type)
          : inFile(batch.data.children[index]!, type, name, location.name);
      fields.push(new arrow.Field(name, data.type, true));
      return data;
    });
    return recordBatch(new arrow.Schema(fields), columns, batch.numRows);
  }
}

/** Narrower numbers than the first file's are widened. */
function inFile(data: arrow.Data, type: arrow.DataType, column: string, file: string): arrow.Data {
  if (arrow.DataType.isNull(data.type) || arrow.DataType.isNull(type)) return data;
  try {
    return castColumn(data, type, column);
  } catch (error) {
    if (!(error instanceof TypeMismatchError)) throw error;
    throw unlike(file, column, data.type, type, error);
  }
}

function unlike(
  file: string,
  column: string,
  own: arrow.DataType,
  first: arrow.DataType,
  cause?: unknown,
): TypeMismatchError {
  return new TypeMismatchError(
    `Column "${column}" of ${file} holds ${typeName(own)}; the first file's holds ${typeName(first)}.`,
    { file, column },
    { cause },
  );
}
