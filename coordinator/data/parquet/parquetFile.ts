// One Parquet file: its footer, and its row groups as Arrow batches.

import type * as arrow from 'apache-arrow';
import { parquetMetadata, type ColumnMetaData, type FileMetaData, type RowGroup } from 'hyparquet';
import { recordBatch } from '../../../shared/columns/arrowData.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { CorruptFileError } from '../errors.ts';
import { UnsupportedDataError } from '../../../shared/columns/columnErrors.ts';
import type { ByteFile } from '../store/byteFile.ts';
import { TabgradError } from '../../../shared/errors.ts';
import type { ValueForm } from './arrowValues.ts';
import { ChunkBytes } from './chunkBytes.ts';
import { ColumnPages } from './columnPages.ts';
import { FlatColumn } from './flatColumn.ts';
import { parquetColumns, type ParquetColumn } from './leafColumn.ts';
import { NestedColumn } from './nestedColumn.ts';

const FOOTER_GUESS_BYTES = 64 * 1024;
const MAX_FOOTER_BYTES = 512 * 1024 * 1024;
/** Chunks of a row group that lie together are fetched as one when they are no larger than this. */
const JOINED_READ_BYTES = 16 * 1024 * 1024;

export interface ParquetFooter {
  readonly metadata: FileMetaData;
  readonly columns: readonly ParquetColumn[];
  readonly rows: number;
}

/** Gives consecutive rows of one column of a row group. */
export interface ColumnReader {
  read(rows: number): Promise<arrow.Data>;
}

/** @throws CorruptFileError, UnsupportedDataError for encrypted files. */
export async function readFooter(file: ByteFile, signal?: AbortSignal): Promise<ParquetFooter> {
  const bytes = await footerBytes(file, signal);
  try {
    const metadata = parquetMetadata(bytes, { geoparquet: false });
    checkLayout(metadata, file.sizeBytes);
    const columns = parquetColumns(metadata);
    checkChunks(metadata, columns);
    return { metadata, columns, rows: Number(metadata.num_rows) };
  } catch (error) {
    if (error instanceof TabgradError) throw error;
    throw corrupt(file, `its footer can not be read (${messageOf(error)})`, error);
  }
}

async function footerBytes(file: ByteFile, signal?: AbortSignal): Promise<Uint8Array> {
  const size = file.sizeBytes;
  if (size < 12) throw corrupt(file, `it has ${size} bytes, fewer than any Parquet file`);
  const tailStart = Math.max(0, size - FOOTER_GUESS_BYTES);
  const tail = await file.read(tailStart, size, signal);
  const magic = String.fromCharCode(...tail.subarray(-4));
  if (magic === 'PARE') throw new UnsupportedDataError(`${file.name} is encrypted.`, { file: file.name });
  if (magic !== 'PAR1') {
    throw corrupt(file, 'it does not end with the Parquet mark "PAR1"; it is truncated or of another format');
  }
  const length = new DataView(tail.buffer, tail.byteOffset + tail.length - 8).getUint32(0, true);
  if (length + 12 > size || length > MAX_FOOTER_BYTES) {
    throw corrupt(file, `its footer claims ${length} bytes of the file's ${size}`);
  }
  return length + 8 <= tail.length ? tail : file.read(size - length - 8, size, signal);
}

/** A damaged footer must not send reads astray. */
function checkLayout(metadata: FileMetaData, sizeBytes: number): void {
  let rows = 0;
  for (const [index, group] of metadata.row_groups.entries()) {
    rows += Number(group.num_rows);
    for (const { meta_data: chunk } of group.columns) {
      if (chunk === undefined)
        throw new Error(`row group ${index} has a column chunk without its description`);
      const { start, end } = chunkRange(chunk);
      if (!(start >= 4 && end >= start && end <= sizeBytes)) {
        throw new Error(
          `row group ${index}, column "${chunk.path_in_schema.join('.')}" lies outside the file`,
        );
      }
    }
  }
  if (rows !== Number(metadata.num_rows))
    throw new Error(`its row groups hold ${rows} of ${metadata.num_rows} rows`);
}

/** Every row group must hold every column, stored as the schema says. */
function checkChunks(metadata: FileMetaData, columns: readonly ParquetColumn[]): void {
  for (const [index, group] of metadata.row_groups.entries()) {
    const types = new Map(
      group.columns.map(({ meta_data: chunk }) => [chunk?.path_in_schema[0], chunk?.type]),
    );
    for (const { name, flat, tree } of columns) {
      if (!types.has(name)) throw new Error(`row group ${index} has no column "${name}"`);
      if (flat && types.get(name) !== tree.element.type) {
        throw new Error(`row group ${index} stores column "${name}" as ${String(types.get(name))}`);
      }
    }
  }
}

function chunkRange(chunk: ColumnMetaData): { start: number; end: number } {
  const data = Number(chunk.data_page_offset);
  // Some writers put 0 for "none".
  const dictionary = Number(chunk.dictionary_page_offset ?? 0);
  const start = dictionary > 0 && dictionary < data ? dictionary : data;
  return { start, end: start + Number(chunk.total_compressed_size) };
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
  if (group === undefined) return Promise.resolve(undefined);
  const fetched = joinedRead(file, group, wantedColumns(footer, schema), signal);
  // A failure is reported when the bytes are asked for, which may be never.
  fetched.catch(() => undefined);
  return fetched;
}

function wantedColumns(footer: ParquetFooter, schema: arrow.Schema): ParquetColumn[] {
  return schema.fields.map((field) => footer.columns.find(({ name }) => name === field.name)!);
}

/**
 * Batches of one row group.
 * @param fields what to read, with the types to give (a dictionary of Utf8 for strings kept as codes).
 * @throws CorruptFileError naming file, row group and column.
 */
export async function* readRowGroup(
  file: ByteFile,
  footer: ParquetFooter,
  groupIndex: number,
  schema: arrow.Schema,
  batchRows: number,
  joined: JoinedBytes | undefined,
  signal?: AbortSignal,
): AsyncGenerator<arrow.RecordBatch> {
  const group = footer.metadata.row_groups[groupIndex]!;
  const rows = Number(group.num_rows);
  const wanted = wantedColumns(footer, schema);
  const readers = schema.fields.map((field, i) =>
    columnReader(file, footer, groupIndex, wanted[i]!, field.type, joined, signal),
  );
  for (let row = 0; row < rows; row += batchRows) {
    signal?.throwIfAborted();
    const take = Math.min(batchRows, rows - row);
    const columns: arrow.Data[] = [];
    for (const [i, reader] of readers.entries()) {
      try {
        columns.push(await reader.read(take));
      } catch (error) {
        if (error instanceof TabgradError || signal?.aborted === true) throw error;
        const column = wanted[i]!.name;
        const reason = `row group ${groupIndex}, column "${column}", near row ${row} of the group: ${messageOf(error)}`;
        throw corrupt(file, reason, error, column);
      }
    }
    yield recordBatch(schema, columns, take);
  }
}

interface JoinedBytes {
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** One read for all flat columns, when they lie near each other: a round trip instead of one a column. */
async function joinedRead(
  file: ByteFile,
  group: RowGroup,
  columns: readonly ParquetColumn[],
  signal?: AbortSignal,
): Promise<JoinedBytes | undefined> {
  const ranges = columns.filter(({ flat }) => flat).map((column) => chunkRange(chunkOf(group, column)));
  if (ranges.length === 0) return undefined;
  const start = Math.min(...ranges.map((range) => range.start));
  const end = Math.max(...ranges.map((range) => range.end));
  const used = ranges.reduce((total, range) => total + range.end - range.start, 0);
  if (end - start > JOINED_READ_BYTES || end - start > 1.5 * used + FOOTER_GUESS_BYTES) return undefined;
  return { start, bytes: await file.read(start, end, signal) };
}

function chunkOf(group: RowGroup, column: ParquetColumn): ColumnMetaData {
  const chunk = group.columns.find(
    ({ meta_data }) => meta_data?.path_in_schema[0] === column.name,
  )?.meta_data;
  if (chunk === undefined) throw new Error(`column "${column.name}" is missing in a row group`);
  return chunk;
}

function columnReader(
  file: ByteFile,
  footer: ParquetFooter,
  groupIndex: number,
  column: ParquetColumn,
  type: arrow.DataType,
  joined: JoinedBytes | undefined,
  signal?: AbortSignal,
): ColumnReader {
  if (!column.flat) return new NestedColumn(file, footer.metadata, groupIndex, column, signal);
  const group = footer.metadata.row_groups[groupIndex]!;
  const chunk = chunkOf(group, column);
  const { start, end } = chunkRange(chunk);
  const prefetched = joined?.bytes.subarray(start - joined.start, end - joined.start);
  const bytes = new ChunkBytes(file, start, end, signal, prefetched);
  const layout = { type: chunk.type, typeLength: column.tree.element.type_length ?? 0 };
  const pages = new ColumnPages(bytes, chunk, layout, column.nullable, Number(group.num_rows));
  return new FlatColumn(pages, type, formOf(column));
}

function formOf({ tree: { element } }: ParquetColumn): ValueForm {
  const logical = element.logical_type;
  if (logical?.type === 'DECIMAL') return { kind: 'decimal', scale: logical.scale };
  if (element.converted_type === 'DECIMAL') return { kind: 'decimal', scale: element.scale ?? 0 };
  if (logical?.type === 'UUID') return { kind: 'uuid' };
  return { kind: logical?.type === 'FLOAT16' ? 'half' : 'plain' };
}

/** True when every data page of a string column seems to hold dictionary codes. */
export function seemsDictionaryEncoded(footer: ParquetFooter, column: ParquetColumn): boolean {
  return footer.metadata.row_groups.every((group) => {
    const chunk = chunkOf(group, column);
    const stats = chunk.encoding_stats?.filter(({ page_type }) => page_type !== 'DICTIONARY_PAGE');
    if (stats !== undefined) return stats.every(({ encoding }) => encoding.endsWith('_DICTIONARY'));
    return chunk.encodings.some((encoding) => encoding.endsWith('_DICTIONARY'));
  });
}

function corrupt(file: ByteFile, reason: string, cause?: unknown, column?: string): CorruptFileError {
  const place = column === undefined ? { file: file.name } : { file: file.name, column };
  return new CorruptFileError(`${file.name} is damaged: ${reason}.`, place, { cause });
}
