// The row groups of a Parquet file as Arrow batches.

import type * as arrow from 'apache-arrow';
import type { ColumnMetaData, RowGroup } from 'hyparquet';
import { recordBatch } from '../../../shared/columns/arrowData.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { CorruptFileError, DataTooLargeError } from '../plan/dataErrors.ts';
import type { ByteFile } from '../store/byteFile.ts';
import { TabgradError } from '../../../kernels/errors.ts';
import { ChunkBytes } from './chunkBytes.ts';
import { ColumnPages } from './columnPages.ts';
import { ColumnValues } from './columnValues.ts';
import { chunkOf, chunkRange, FOOTER_GUESS_BYTES, type ParquetFooter } from './footer.ts';
import { LeafReader } from './leafReader.ts';
import { formOf } from './leafType.ts';
import { BudgetExceeded, DEFAULT_PAGE_MEMORY_BYTES, MemoryBudget } from '../store/memoryBudget.ts';
import type { PageMemory } from './pageMemory.ts';
import { type NestedLeaf, NestedColumn } from './nestedColumn.ts';
import { leavesOf, type ColumnNode, type LeafNode } from './schemaTree.ts';
import { type ColumnReader, FlatColumn } from './columnReader.ts';

/** Chunks of a row group that lie together are fetched as one when they are no larger than this. */
const JOINED_READ_BYTES = 16 * 1024 * 1024;

export interface RowGroupOptions {
  /** Rows of a batch at most. */
  readonly batchRows: number;
  /** Bytes that pages, dictionaries and texts of a row group take at one time; in proportion to the file when left out. */
  readonly memoryLimitBytes: number | undefined;
}

export interface GroupMemory {
  /** What was fetched of the row group ahead of its turn. */
  readonly joined: JoinedBytes | undefined;
  /** Shared with the row groups that are read before and after. */
  readonly pages: PageMemory;
}

/** Starts fetching what {@link readRowGroup} needs, so that it can go on while another row group is decoded. */
export function fetchRowGroup(
  file: ByteFile,
  footer: ParquetFooter,
  groupIndex: number,
  schema: arrow.Schema,
  signal?: AbortSignal,
): Promise<JoinedBytes | undefined> {
  const group = footer.metadata.row_groups[groupIndex];
  if (group === undefined || Number(group.num_rows) === 0) return Promise.resolve(undefined);
  const fetched = joinedRead(file, footer, group, wantedColumns(footer, schema), signal);
  // A failure is reported when the bytes are asked for, which may be never.
  fetched.catch(() => undefined);
  return fetched;
}

function wantedColumns(footer: ParquetFooter, schema: arrow.Schema): ColumnNode[] {
  const columns = new Map(footer.columns.map((column) => [column.name, column]));
  return schema.fields.map((field) => columns.get(field.name)!);
}

/**
 * Batches of one row group.
 * @param schema what to read, with the types to give (a dictionary of Utf8 for strings kept as codes).
 * @throws CorruptFileError and DataTooLargeError naming file, row group and column.
 */
export async function* readRowGroup(
  file: ByteFile,
  footer: ParquetFooter,
  groupIndex: number,
  schema: arrow.Schema,
  options: RowGroupOptions,
  { joined, pages }: GroupMemory,
  signal?: AbortSignal,
): AsyncGenerator<arrow.RecordBatch> {
  const group = footer.metadata.row_groups[groupIndex]!;
  const rows = Number(group.num_rows);
  if (rows === 0) return;
  const columns = wantedColumns(footer, schema);
  const budget = budgetOf(group, columns, options);
  const opener = new GroupOpener(file, footer, group, { joined, pages }, budget, signal);
  const batchRows = boundedRows(options.batchRows, columns.length, budget.limitBytes);
  const readers: ColumnReader[] = [];
  for (let row = 0; row < rows; row += batchRows) {
    signal?.throwIfAborted();
    const take = Math.min(batchRows, rows - row);
    const data: arrow.Data[] = [];
    for (const [i, column] of columns.entries()) {
      try {
        readers[i] ??= opener.open(column, schema.fields[i]!.type);
        data.push(await readers[i].read(take));
      } catch (error) {
        if (error instanceof TabgradError || signal?.aborted === true) throw error;
        throw groupError(file.name, groupIndex, column.name, row, error);
      }
    }
    budget.releaseBatch();
    pages.releaseBatch();
    yield recordBatch(schema, data, take);
  }
  opener.release();
}

function groupError(
  file: string,
  groupIndex: number,
  column: string,
  row: number,
  error: unknown,
): TabgradError {
  const where = `row group ${groupIndex}, column "${column}", near row ${row} of the group`;
  const place = { file, column };
  if (error instanceof BudgetExceeded) {
    const message = `${file}: ${where}: ${error.message}. Raise memoryLimitBytes, or lower batchRows.`;
    return new DataTooLargeError(message, place, { cause: error });
  }
  return new CorruptFileError(`${file} is damaged: ${where}: ${messageOf(error)}.`, place, { cause: error });
}

function budgetOf(group: RowGroup, columns: readonly ColumnNode[], options: RowGroupOptions): MemoryBudget {
  if (options.memoryLimitBytes !== undefined) return new MemoryBudget(options.memoryLimitBytes);
  const chunks = columns.flatMap(leavesOf).map((leaf) => chunkOf(group, leaf)!);
  return MemoryBudget.forStored(chunks.reduce((sum, chunk) => sum + Number(chunk.total_compressed_size), 0));
}

/** Tables of thousands of columns come in smaller batches: values take 8 bytes or so each. */
function boundedRows(batchRows: number, columns: number, limitBytes: number): number {
  const bytes = Math.min(limitBytes, DEFAULT_PAGE_MEMORY_BYTES) / 2;
  return Math.max(1, Math.min(batchRows, Math.floor(bytes / (8 * Math.max(1, columns)))));
}

interface JoinedBytes {
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** One read for all columns, when they lie near each other: a round trip instead of one a column. */
async function joinedRead(
  file: ByteFile,
  footer: ParquetFooter,
  group: RowGroup,
  columns: readonly ColumnNode[],
  signal?: AbortSignal,
): Promise<JoinedBytes | undefined> {
  const leaves = columns.flatMap(leavesOf);
  const ranges = leaves.map((leaf) => chunkRange(footer, chunkOf(group, leaf)!));
  if (ranges.length === 0) return undefined;
  let start = Infinity;
  let end = 0;
  let used = 0;
  for (const range of ranges) {
    start = Math.min(start, range.start);
    end = Math.max(end, range.end);
    used += range.end - range.start;
  }
  if (end - start > JOINED_READ_BYTES || end - start > 1.5 * used + FOOTER_GUESS_BYTES) return undefined;
  return { start, bytes: await file.read(start, end, signal) };
}

/** Opens the columns of one row group. */
class GroupOpener {
  readonly #file: ByteFile;
  readonly #footer: ParquetFooter;
  readonly #group: RowGroup;
  readonly #memory: GroupMemory;
  readonly #budget: MemoryBudget;
  readonly #signal: AbortSignal | undefined;
  readonly #opened: ColumnPages[] = [];

  constructor(
    file: ByteFile,
    footer: ParquetFooter,
    group: RowGroup,
    memory: GroupMemory,
    budget: MemoryBudget,
    signal: AbortSignal | undefined,
  ) {
    this.#file = file;
    this.#footer = footer;
    this.#group = group;
    this.#memory = memory;
    this.#budget = budget;
    this.#signal = signal;
  }

  open(column: ColumnNode, type: arrow.DataType): ColumnReader {
    if (column.kind !== 'leaf') return new NestedColumn(column, (leaf) => this.#leaf(leaf, leaf.type));
    const { entries, values } = this.#leaf(column, type);
    return new FlatColumn(entries, values);
  }

  #leaf(leaf: LeafNode, type: arrow.DataType): NestedLeaf {
    const chunk = chunkOf(this.#group, leaf)!;
    const layout = { type: chunk.type, typeLength: leaf.element.type_length ?? 0 };
    const max = { definition: leaf.definition, repetition: leaf.maxRepetition };
    const rows = Number(this.#group.num_rows);
    const entries = max.repetition === 0 ? rows : Number(chunk.num_values);
    const { pages: memory } = this.#memory;
    const pages = new ColumnPages(this.#bytes(chunk), chunk, layout, max, entries, this.#budget, memory);
    this.#opened.push(pages);
    return {
      entries: new LeafReader(pages, max, rows, this.#budget),
      values: new ColumnValues(pages, type, formOf(leaf.element), this.#budget),
    };
  }

  /** After the last batch: gives back the memory of the pages that were begun last. */
  release(): void {
    for (const pages of this.#opened) pages.release();
    this.#memory.pages.releaseBatch();
  }

  #bytes(chunk: ColumnMetaData): ChunkBytes {
    const range = chunkRange(this.#footer, chunk);
    const { joined } = this.#memory;
    const prefetched = joined?.bytes.subarray(range.start - joined.start, range.end - joined.start);
    return new ChunkBytes(this.#file, range, this.#signal, prefetched);
  }
}

/** True when every data page of a string column seems to hold dictionary codes. */
export function seemsDictionaryEncoded(footer: ParquetFooter, leaf: LeafNode): boolean {
  return footer.metadata.row_groups.every((group) => {
    const chunk = chunkOf(group, leaf);
    // A group without rows says nothing.
    if (chunk === undefined || Number(group.num_rows) === 0) return true;
    const stats = chunk.encoding_stats?.filter(({ page_type }) => page_type !== 'DICTIONARY_PAGE');
    const encodings = stats?.map(({ encoding }) => encoding) ?? [];
    if (encodings.length > 0) return encodings.every(isDictionary);
    return chunk.encodings.some(isDictionary);
  });
}

function isDictionary(encoding: string | undefined): boolean {
  return encoding === 'RLE_DICTIONARY' || encoding === 'PLAIN_DICTIONARY';
}
