// The footer of a Parquet file: read, checked against the file, and with the columns that it describes.

import { parquetMetadata, type ColumnMetaData, type FileMetaData, type RowGroup } from 'hyparquet';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { CorruptFileError } from '../plan/dataErrors.ts';
import { UnsupportedDataError } from '../../../shared/columns/columnErrors.ts';
import type { ByteFile } from '../store/byteFile.ts';
import { TabgradError } from '../../../kernels/errors.ts';
import type { ChunkRange } from './chunkBytes.ts';
import { columnNodes, leavesOf, type ColumnNode, type LeafNode, type SchemaOptions } from './schemaTree.ts';
import { scanThriftStruct, type RequiredFields } from './thriftScan.ts';

export const FOOTER_GUESS_BYTES = 64 * 1024;
const MAX_FOOTER_BYTES = 512 * 1024 * 1024;

/** What the parser, or the reader, can not do without. */
const FOOTER_FIELDS: RequiredFields = {
  2: { name: 'schema' },
  3: { name: 'num_rows' },
  4: {
    name: 'row_groups',
    fields: {
      1: {
        name: 'columns',
        fields: {
          3: {
            name: 'meta_data',
            fields: {
              1: { name: 'type' },
              3: { name: 'path_in_schema' },
              4: { name: 'codec' },
              5: { name: 'num_values' },
              7: { name: 'total_compressed_size' },
              9: { name: 'data_page_offset' },
            },
          },
        },
      },
      3: { name: 'num_rows' },
    },
  },
};

export interface ParquetFooter {
  readonly metadata: FileMetaData;
  readonly columns: readonly ColumnNode[];
  readonly rows: number;
  /** Where the chunks may end: the offsets at which chunks, or the footer, begin, in order. */
  readonly starts: readonly number[];
}

/** @throws CorruptFileError, UnsupportedDataError for encrypted files. */
export async function readFooter(
  file: ByteFile,
  options: SchemaOptions,
  signal?: AbortSignal,
): Promise<ParquetFooter> {
  const bytes = await footerBytes(file, signal);
  const length = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 8).getUint32(0, true);
  try {
    scanThriftStruct(bytes.subarray(0, bytes.length - 8), bytes.length - 8 - length, FOOTER_FIELDS);
    const metadata = parquetMetadata(bytes, { geoparquet: false });
    const footerStart = file.sizeBytes - 8 - length;
    const columns = columnNodes(metadata, options);
    checkGroups(metadata, columns.flatMap(leavesOf), footerStart);
    return { metadata, columns, rows: rowsOf(metadata), starts: startsOf(metadata, footerStart) };
  } catch (error) {
    if (error instanceof TabgradError) {
      throw error instanceof UnsupportedDataError
        ? new UnsupportedDataError(`${file.name}: ${error.message}`, { ...error.place, file: file.name })
        : error;
    }
    throw new CorruptFileError(
      `${file.name} is damaged: its footer can not be read (${messageOf(error)}).`,
      { file: file.name },
      { cause: error },
    );
  }
}

async function footerBytes(file: ByteFile, signal?: AbortSignal): Promise<Uint8Array> {
  const corrupt = (reason: string): CorruptFileError =>
    new CorruptFileError(`${file.name} is damaged: ${reason}.`, { file: file.name });
  const size = file.sizeBytes;
  if (size < 12) throw corrupt(`it has ${size} bytes, fewer than any Parquet file`);
  const tailStart = Math.max(0, size - FOOTER_GUESS_BYTES);
  const tail = await file.read(tailStart, size, signal);
  const magic = String.fromCharCode(...tail.subarray(-4));
  if (magic === 'PARE') throw new UnsupportedDataError(`${file.name} is encrypted.`, { file: file.name });
  if (magic !== 'PAR1') {
    throw corrupt('it does not end with the Parquet mark "PAR1"; it is truncated or of another format');
  }
  const length = new DataView(tail.buffer, tail.byteOffset + tail.length - 8).getUint32(0, true);
  if (length + 12 > size || length > MAX_FOOTER_BYTES) {
    throw corrupt(`its footer claims ${length} bytes of the file's ${size}`);
  }
  return length + 8 <= tail.length ? tail : file.read(size - length - 8, size, signal);
}

/** Some writers leave the file's number of rows at 0; the row groups have theirs. */
function rowsOf({ row_groups: groups, num_rows: claimed }: FileMetaData): number {
  const rows = groups.reduce((total, group) => total + Number(group.num_rows), 0);
  if (claimed !== 0n && rows !== Number(claimed)) {
    throw new Error(`its row groups hold ${rows} of ${claimed} rows`);
  }
  return rows;
}

/** A damaged footer must not send reads astray. Every row group must hold every column, stored as the schema says. */
function checkGroups(metadata: FileMetaData, leaves: readonly LeafNode[], footerStart: number): void {
  for (const [index, group] of metadata.row_groups.entries()) {
    if (!(Number(group.num_rows) >= 0)) throw new Error(`row group ${index} has ${group.num_rows} rows`);
    // Writers leave the offsets of a group without rows at 0.
    if (Number(group.num_rows) === 0) continue;
    for (const leaf of leaves) checkChunk(chunkOf(group, leaf), leaf, index, footerStart);
  }
}

function checkChunk(
  chunk: ColumnMetaData | undefined,
  leaf: LeafNode,
  groupIndex: number,
  footerStart: number,
): void {
  const where = `row group ${groupIndex}, column "${leaf.path.join('.')}"`;
  if (chunk === undefined) throw new Error(`${where} is not there`);
  if (chunk.type !== leaf.element.type) {
    throw new Error(
      `${where} is stored as ${chunk.type ?? 'an unknown type'} where ${leaf.element.type} is expected`,
    );
  }
  if (chunk.encodings?.includes(undefined as never))
    throw new Error(`${where} has an encoding that does not exist`);
  const { start, end } = statedRange(chunk);
  if (!(start >= 4 && end >= start && end <= footerStart)) throw new Error(`${where} lies outside the file`);
}

/** The chunk at the leaf's place; by its path where a writer has ordered them in another way. */
export function chunkOf(group: RowGroup, { index, path }: LeafNode): ColumnMetaData | undefined {
  const isIts = (chunk: ColumnMetaData | undefined): boolean =>
    chunk?.path_in_schema.length === path.length && path.every((part, i) => chunk.path_in_schema[i] === part);
  const placed = group.columns[index]?.meta_data;
  return isIts(placed) ? placed : group.columns.find(({ meta_data: chunk }) => isIts(chunk))?.meta_data;
}

function statedRange(chunk: ColumnMetaData): { start: number; end: number } {
  const data = Number(chunk.data_page_offset);
  // Some writers put 0 for "none".
  const dictionary = Number(chunk.dictionary_page_offset ?? 0);
  const start = dictionary > 0 && dictionary < data ? dictionary : data;
  return { start, end: start + Number(chunk.total_compressed_size) };
}

function startsOf(metadata: FileMetaData, footerStart: number): number[] {
  const starts = metadata.row_groups.flatMap((group) =>
    Number(group.num_rows) === 0
      ? []
      : group.columns.map(({ meta_data: chunk }) => (chunk === undefined ? 0 : statedRange(chunk).start)),
  );
  return [...starts, footerStart].toSorted((a, b) => a - b);
}

export function chunkRange({ starts }: ParquetFooter, chunk: ColumnMetaData): ChunkRange {
  const { start, end } = statedRange(chunk);
  // The first start behind this one.
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle]! > start) high = middle;
    else low = middle + 1;
  }
  return { start, end, limit: Math.max(end, starts[low]!) };
}
