// Lists, maps and structs. hyparquet assembles them as JavaScript values, one row group at a time; rare in tables for
// training, so clarity wins over speed here.

import type * as arrow from 'apache-arrow';
import { parquetReadObjects, type FileMetaData } from 'hyparquet';
import { columnFromValues } from '../../../shared/columns/columnFromValues.ts';
import type { ByteFile } from '../store/byteFile.ts';
import { decompress } from './decompress.ts';
import type { ParquetColumn } from './leafColumn.ts';
import type { ColumnReader } from './parquetFile.ts';

const decompressors = Object.fromEntries(
  (['SNAPPY', 'GZIP', 'BROTLI', 'ZSTD', 'LZ4', 'LZ4_RAW'] as const).map((codec) => [
    codec,
    (bytes: Uint8Array, sizeBytes: number) => decompress(codec, bytes, sizeBytes),
  ]),
);

export class NestedColumn implements ColumnReader {
  readonly #file: ByteFile;
  readonly #metadata: FileMetaData;
  readonly #group: number;
  readonly #column: ParquetColumn;
  readonly #signal: AbortSignal | undefined;
  #values: readonly unknown[] | undefined;
  #row = 0;

  constructor(
    file: ByteFile,
    metadata: FileMetaData,
    group: number,
    column: ParquetColumn,
    signal: AbortSignal | undefined,
  ) {
    this.#file = file;
    this.#metadata = metadata;
    this.#group = group;
    this.#column = column;
    this.#signal = signal;
  }

  async read(rows: number): Promise<arrow.Data> {
    this.#values ??= await this.#load();
    const slice = this.#values.slice(this.#row, this.#row + rows);
    if (slice.length < rows) throw new Error(`the pages end ${rows - slice.length} rows too early`);
    this.#row += rows;
    return columnFromValues(slice, this.#column.type);
  }

  async #load(): Promise<unknown[]> {
    const groups = this.#metadata.row_groups;
    const rowStart = groups.slice(0, this.#group).reduce((rows, group) => rows + Number(group.num_rows), 0);
    const objects = await parquetReadObjects({
      file: {
        byteLength: this.#file.sizeBytes,
        slice: async (start, end = this.#file.sizeBytes) =>
          (await this.#file.read(start, end, this.#signal)).buffer,
      },
      metadata: this.#metadata,
      columns: [this.#column.name],
      rowStart,
      rowEnd: rowStart + Number(groups[this.#group]?.num_rows ?? 0),
      compressors: decompressors,
      utf8: false,
      parsers: { jsonFromBytes: (bytes: Uint8Array) => new TextDecoder().decode(bytes) },
    });
    return objects.map((row) => row[this.#column.name] as unknown);
  }
}
