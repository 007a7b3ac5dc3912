// Parquet files as a source: schema and row count come from the footers, rows from the wanted columns only.

import * as arrow from 'apache-arrow';
import { TypeMismatchError } from '../../../shared/columns/columnErrors.ts';
import type { ReadRequest, Source } from '../plan/planNode.ts';
import { type RunContext, throwIfAborted } from '../plan/runContext.ts';
import { type ParquetFooter, readFooter } from '../parquet/footer.ts';
import {
  fetchRowGroup,
  readRowGroup,
  type RowGroupOptions,
  seemsDictionaryEncoded,
} from '../parquet/parquetFile.ts';
import type { SchemaOptions } from '../parquet/schemaTree.ts';
import type { FileLocation } from '../store/byteFile.ts';
import { typeName } from '../../../shared/columns/typeName.ts';
import type { ListFiles } from '../store/listFiles.ts';
import { OpenedFiles } from './openedFiles.ts';
import { PartitionColumns } from './partitions.ts';
import { selectFields } from './selectFields.ts';

export interface ParquetSourceOptions extends RowGroupOptions, SchemaOptions {
  readonly columns?: readonly string[] | undefined;
}

export class ParquetSource implements Source {
  readonly label: string;
  readonly #list: ListFiles;
  readonly #options: ParquetSourceOptions;
  readonly #files = new OpenedFiles();
  #locations: readonly FileLocation[] | undefined;
  #partitions: PartitionColumns | undefined;
  /** By file name: a path that is given ten times is opened once for its footer. */
  readonly #footers = new Map<string, ParquetFooter>();

  constructor(label: string, list: ListFiles, options: ParquetSourceOptions) {
    this.label = `parquet ${label}`;
    this.#list = list;
    this.#options = options;
  }

  async schema(context: RunContext): Promise<arrow.Schema> {
    const [first] = await this.#located(context);
    const footer = await this.#footer(first!, context);
    const names = this.#options.columns ?? footer.columns.map(({ name }) => name);
    const own = this.#schemaOf(
      footer,
      names.filter((name) => footer.columns.some((column) => column.name === name)),
    );
    const whole = (await this.#partitionColumns(context)).addTo(own);
    return this.#options.columns === undefined ? whole : selectFields(whole, names, first!.name);
  }

  async rowCount(context: RunContext): Promise<number> {
    let rows = 0;
    for (const location of await this.#located(context)) rows += (await this.#footer(location, context)).rows;
    return rows;
  }

  async *read(request: ReadRequest, context: RunContext): AsyncGenerator<arrow.RecordBatch> {
    const whole = await this.schema(context);
    const schema = request.columns === undefined ? whole : selectFields(whole, request.columns, this.label);
    const partitions = await this.#partitionColumns(context);
    for (const location of await this.#located(context)) {
      const footer = await this.#footer(location, context);
      const stored = partitions.without(
        schema,
        footer.columns.map(({ name }) => name),
      );
      checkSameTypes(location.name, footer, stored);
      const file = await this.#files.open(location, context.signal);
      try {
        let ahead = fetchRowGroup(file, footer, 0, stored, context.signal);
        for (let group = 0; group < footer.metadata.row_groups.length; group++) {
          throwIfAborted(context);
          const joined = await ahead;
          ahead = fetchRowGroup(file, footer, group + 1, stored, context.signal);
          const rows = readRowGroup(file, footer, group, stored, this.#options, joined, context.signal);
          for await (const batch of rows) yield partitions.addToBatch(batch, schema, location);
        }
      } finally {
        await file.close();
      }
    }
  }

  async #partitionColumns(context: RunContext): Promise<PartitionColumns> {
    this.#partitions ??= new PartitionColumns(await this.#located(context));
    return this.#partitions;
  }

  async #located(context: RunContext): Promise<readonly FileLocation[]> {
    this.#locations ??= await this.#list(context.signal);
    return this.#locations;
  }

  async #footer(location: FileLocation, context: RunContext): Promise<ParquetFooter> {
    let footer = this.#footers.get(location.name);
    if (footer === undefined) {
      footer = await this.#files.with(location, context.signal, (file) =>
        readFooter(file, this.#options, context.signal),
      );
      this.#footers.set(location.name, footer);
    }
    return footer;
  }

  #schemaOf(footer: ParquetFooter, names: readonly string[]): arrow.Schema {
    let dictionaries = 0;
    const fields = names.map((name) => {
      const column = footer.columns.find((candidate) => candidate.name === name)!;
      const keepsCodes =
        column.kind === 'leaf' &&
        column.element.type === 'BYTE_ARRAY' &&
        isText(column.type) &&
        seemsDictionaryEncoded(footer, column);
      const type = keepsCodes
        ? new arrow.Dictionary(column.type, new arrow.Int32(), dictionaries++)
        : column.type;
      return new arrow.Field(name, type, true);
    });
    return new arrow.Schema(fields);
  }
}

function isText(type: arrow.DataType): boolean {
  return arrow.DataType.isUtf8(type);
}

/** @throws TypeMismatchError naming file and column. Columns that the first file does not have are not read. */
function checkSameTypes(file: string, footer: ParquetFooter, schema: arrow.Schema): void {
  for (const field of schema.fields) {
    const column = footer.columns.find(({ name }) => name === field.name);
    const place = { file, column: field.name };
    if (column === undefined) {
      throw new TypeMismatchError(`${file} has no column "${field.name}", which the first file has.`, place);
    }
    const expected = arrow.DataType.isDictionary(field.type) ? field.type.dictionary : field.type;
    if (typeName(column.type) !== typeName(expected)) {
      throw new TypeMismatchError(
        `Column "${field.name}" of ${file} holds ${typeName(column.type)}; the first file's holds ${typeName(expected)}.`,
        place,
      );
    }
  }
}
