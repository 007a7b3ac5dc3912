// Parquet files as a source: schema and row count come from the footers, rows from the wanted columns only.

import * as arrow from 'apache-arrow';
import { commonType } from '../../../shared/columns/castColumn.ts';
import type { ReadRequest, Source } from '../plan/planNode.ts';
import { type RunContext, throwIfAborted } from '../plan/runContext.ts';
import { type ParquetFooter, readFooter } from '../parquet/footer.ts';
import {
  fetchRowGroup,
  readRowGroup,
  type RowGroupOptions,
  seemsDictionaryEncoded,
} from '../parquet/parquetFile.ts';
import { PageMemory } from '../parquet/pageMemory.ts';
import type { ColumnNode, SchemaOptions } from '../parquet/schemaTree.ts';
import type { FileLocation } from '../store/byteFile.ts';
import type { ListFiles } from '../store/listFiles.ts';
import { FileColumns, isOnlyNull, unlike } from './fileColumns.ts';
import { OpenedFiles } from './openedFiles.ts';
import { PartitionColumns } from './partitions.ts';
import { requireKnownColumns } from './unlikeFiles.ts';
import { selectFields } from '../../../shared/columns/columnNames.ts';

export interface ParquetSourceOptions extends RowGroupOptions, SchemaOptions {
  readonly columns?: readonly string[] | undefined;
  /** Files whose columns differ; by name otherwise, too, but with the first one's columns and types. */
  readonly unionByName?: boolean | undefined;
}

export class ParquetSource implements Source {
  readonly label: string;
  readonly #list: ListFiles;
  readonly #options: ParquetSourceOptions;
  readonly #files = new OpenedFiles();
  #locations: readonly FileLocation[] | undefined;
  #partitions: PartitionColumns | undefined;
  #schema: arrow.Schema | undefined;
  /** By file name: a path that is given ten times is opened once for its footer. */
  readonly #footers = new Map<string, ParquetFooter>();

  constructor(label: string, list: ListFiles, options: ParquetSourceOptions) {
    this.label = `parquet ${label}`;
    this.#list = list;
    this.#options = options;
  }

  async schema(context: RunContext): Promise<arrow.Schema> {
    this.#schema ??= await this.#chosenSchema(context);
    return this.#schema;
  }

  async #chosenSchema(context: RunContext): Promise<arrow.Schema> {
    const locations = await this.#located(context);
    const own = await (this.#options.unionByName === true
      ? this.#unitedSchema(locations, context)
      : this.#schemaOfFile(locations[0]!, context));
    const whole = (await this.#partitionColumns(context)).addTo(own);
    const { columns } = this.#options;
    const where = this.#options.unionByName === true ? this.label : locations[0]!.name;
    return columns === undefined ? whole : selectFields(whole, columns, where);
  }

  async rowCount(context: RunContext): Promise<number> {
    let rows = 0;
    for (const location of await this.#located(context)) rows += (await this.#footer(location, context)).rows;
    return rows;
  }

  /** Whether all files must have the columns of the first one, and no others. */
  get #isStrict(): boolean {
    return this.#options.unionByName !== true && this.#options.columns === undefined;
  }

  async *read(request: ReadRequest, context: RunContext): AsyncGenerator<arrow.RecordBatch> {
    const whole = await this.schema(context);
    const schema = request.columns === undefined ? whole : selectFields(whole, request.columns, this.label);
    const partitions = await this.#partitionColumns(context);
    const locations = await this.#located(context);
    const first = this.#isStrict ? namesOf(await this.#footer(locations[0]!, context)) : undefined;
    for (const location of locations) {
      const footer = await this.#footer(location, context);
      if (first !== undefined) requireKnownColumns(location.name, namesOf(footer), first);
      const columns = new FileColumns(
        location,
        footer,
        schema,
        partitions,
        this.#options.unionByName === true,
      );
      const stored = columns.stored;
      const file = await this.#files.open(location, context.signal);
      const pages = new PageMemory();
      try {
        let ahead = fetchRowGroup(file, footer, 0, stored, context.signal);
        for (let group = 0; group < footer.metadata.row_groups.length; group++) {
          throwIfAborted(context);
          const joined = await ahead;
          ahead = fetchRowGroup(file, footer, group + 1, stored, context.signal);
          const rows = readRowGroup(
            file,
            footer,
            group,
            stored,
            this.#options,
            { joined, pages },
            context.signal,
          );
          for await (const batch of rows) yield columns.conform(batch);
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

  async #schemaOfFile(location: FileLocation, context: RunContext): Promise<arrow.Schema> {
    const footer = await this.#footer(location, context);
    let dictionaries = 0;
    return new arrow.Schema(
      footer.columns.map((column) => fieldOf(column, keepsCodes(footer, column), () => dictionaries++)),
    );
  }

  /** The columns of all files, of types that hold the values of each. */
  async #unitedSchema(locations: readonly FileLocation[], context: RunContext): Promise<arrow.Schema> {
    const united = new Map<string, { type: arrow.DataType; readonly keepsCodes: boolean }>();
    for (const location of locations) {
      const footer = await this.#footer(location, context);
      for (const column of footer.columns) {
        const held = united.get(column.name);
        const type = isOnlyNull(column) ? new arrow.Null() : column.type;
        if (held === undefined || arrow.DataType.isNull(held.type)) {
          united.set(column.name, { type, keepsCodes: keepsCodes(footer, column) });
          continue;
        }
        const common = commonType(held.type, type);
        if (common === undefined) throw unlike(location.name, column, held.type, 'those before it hold');
        held.type = common;
      }
    }
    let dictionaries = 0;
    return new arrow.Schema(
      Array.from(united, ([name, { type, keepsCodes }]) =>
        fieldOf({ name, type }, keepsCodes, () => dictionaries++),
      ),
    );
  }
}

function namesOf(footer: ParquetFooter): string[] {
  return footer.columns.map(({ name }) => name);
}

function fieldOf(
  { name, type }: { readonly name: string; readonly type: arrow.DataType },
  asDictionary: boolean,
  nextId: () => number,
): arrow.Field {
  return new arrow.Field(
    name,
    asDictionary ? new arrow.Dictionary(type, new arrow.Int32(), nextId()) : type,
    true,
  );
}

/** Whether its codes are handed on, and not each string. */
function keepsCodes(footer: ParquetFooter, column: ColumnNode): boolean {
  return (
    column.kind === 'leaf' &&
    column.element.type === 'BYTE_ARRAY' &&
    arrow.DataType.isUtf8(column.type) &&
    seemsDictionaryEncoded(footer, column)
  );
}
