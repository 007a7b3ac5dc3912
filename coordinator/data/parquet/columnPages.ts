// Walks the pages of one flat column chunk: header, checksum, decompression, levels, values.

import { crc32 } from 'node:zlib';
import type { ColumnMetaData, PageHeader } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import type { ChunkBytes } from './chunkBytes.ts';
import { decompress } from './decompress.ts';
import {
  decodeCodes,
  decodeEncoded,
  decodePlain,
  decodeRleBooleans,
  type PageValues,
  type PlainValues,
  type ValueLayout,
} from './physicalValues.ts';
import { cursorOf, readHybrid } from './rleHybrid.ts';

/** Rows of one data page. */
export interface DecodedPage {
  readonly rows: number;
  /** One byte a row, 1 where there is a value; undefined when all rows have one. */
  readonly valid: Uint8Array | undefined;
  /** Values of the valid rows only, in order. */
  readonly values: PageValues;
}

/** No writer makes pages near this size; a damaged header may claim it. */
const MAX_PAGE_BYTES = 1024 * 1024 * 1024;
const HEADER_BYTES = 8 * 1024;
const MAX_HEADER_BYTES = 16 * 1024 * 1024;

export class ColumnPages {
  readonly #bytes: ChunkBytes;
  readonly #meta: ColumnMetaData;
  readonly #layout: ValueLayout;
  readonly #nullable: boolean;
  #rowsLeft: number;
  dictionary: PlainValues | undefined;
  #dictionarySize = 0;

  /** @param rows of the row group: the pages must hold exactly these. */
  constructor(bytes: ChunkBytes, meta: ColumnMetaData, layout: ValueLayout, nullable: boolean, rows: number) {
    this.#bytes = bytes;
    this.#meta = meta;
    this.#layout = layout;
    this.#nullable = nullable;
    this.#rowsLeft = rows;
  }

  /** The next page with rows; undefined when the row group is complete. @throws Error on damaged pages. */
  async next(): Promise<DecodedPage | undefined> {
    while (this.#rowsLeft > 0) {
      if (this.#bytes.remaining === 0) throw new Error(`the pages end ${this.#rowsLeft} rows too early`);
      const header = await this.#header();
      const size = header.compressed_page_size;
      if (!(size >= 0 && size <= MAX_PAGE_BYTES && header.uncompressed_page_size <= MAX_PAGE_BYTES)) {
        throw new Error(`a page header claims ${size} bytes`);
      }
      const content = await this.#bytes.take(size);
      if (header.crc !== undefined && (crc32(content) | 0) !== header.crc) {
        throw new Error('the checksum of a page does not match its bytes');
      }
      const page = this.#decode(header, content);
      if (page === undefined || page.rows === 0) continue;
      this.#rowsLeft -= page.rows;
      if (this.#rowsLeft < 0) throw new Error(`the pages hold ${-this.#rowsLeft} rows too many`);
      return page;
    }
    return undefined;
  }

  async #header(): Promise<PageHeader> {
    for (let wanted = HEADER_BYTES; ; wanted *= 8) {
      const window = await this.#bytes.peek(wanted);
      const reader = { view: new DataView(window.buffer, window.byteOffset, window.byteLength), offset: 0 };
      try {
        const header = parquetHeader(reader);
        this.#bytes.skip(reader.offset);
        return header;
      } catch (error) {
        // Headers carry min and max values, so they may be longer than the first guess.
        if (window.length >= this.#bytes.remaining || wanted > MAX_HEADER_BYTES) {
          throw new Error('a page header can not be read', { cause: error });
        }
      }
    }
  }

  #decode(header: PageHeader, content: Uint8Array): DecodedPage | undefined {
    const size = header.uncompressed_page_size;
    switch (header.type) {
      case 'DICTIONARY_PAGE': {
        const count = header.dictionary_page_header?.num_values ?? -1;
        if (count < 0 || count > MAX_PAGE_BYTES) throw new Error(`a dictionary of ${count} values`);
        this.dictionary = decodePlain(decompress(this.#meta.codec, content, size), count, this.#layout);
        this.#dictionarySize = count;
        return undefined;
      }
      case 'DATA_PAGE':
        return this.#dataPage(header, decompress(this.#meta.codec, content, size));
      case 'DATA_PAGE_V2':
        return this.#dataPageV2(header, content);
      case 'INDEX_PAGE':
        return undefined;
      default:
        throw new Error(`an unknown kind of page`);
    }
  }

  #dataPage(header: PageHeader, bytes: Uint8Array): DecodedPage {
    const details = header.data_page_header;
    if (details === undefined) throw new Error('a data page without its header');
    const rows = this.#checkedRows(details.num_values);
    let start = 0;
    let levels: Levels = { valid: undefined, count: rows };
    if (this.#nullable) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const length = view.getUint32(0, true);
      start = 4 + length;
      levels = readLevels(bytes, 4, start, rows);
    }
    return {
      rows,
      valid: levels.valid,
      values: this.#values(details.encoding, bytes.subarray(start), levels.count),
    };
  }

  #dataPageV2(header: PageHeader, content: Uint8Array): DecodedPage {
    const details = header.data_page_header_v2;
    if (details === undefined) throw new Error('a data page without its header');
    const rows = this.#checkedRows(details.num_values);
    const { definition_levels_byte_length: levelBytes, repetition_levels_byte_length: skipped } = details;
    const start = skipped + levelBytes;
    if (!(skipped >= 0 && levelBytes >= 0 && start <= content.length)) {
      throw new Error(`levels of ${start} bytes in a page of ${content.length}`);
    }
    const levels =
      this.#nullable && levelBytes > 0
        ? readLevels(content, skipped, start, rows)
        : { valid: undefined, count: rows };
    const size = header.uncompressed_page_size - start;
    const packed = content.subarray(start);
    const bytes = details.is_compressed === false ? packed : decompress(this.#meta.codec, packed, size);
    return { rows, valid: levels.valid, values: this.#values(details.encoding, bytes, levels.count) };
  }

  #checkedRows(rows: number): number {
    if (!(rows >= 0 && rows <= this.#rowsLeft)) {
      throw new Error(`a page of ${rows} rows where the row group has ${this.#rowsLeft} left`);
    }
    return rows;
  }

  #values(encoding: string, bytes: Uint8Array, count: number): PageValues {
    if (encoding === 'PLAIN') return decodePlain(bytes, count, this.#layout);
    if (encoding === 'RLE_DICTIONARY' || encoding === 'PLAIN_DICTIONARY') {
      if (this.dictionary === undefined) throw new Error('dictionary codes without a dictionary');
      return decodeCodes(bytes, count, this.#dictionarySize);
    }
    if (encoding === 'RLE' && this.#layout.type === 'BOOLEAN') return decodeRleBooleans(bytes, count);
    const values = decodeEncoded(encoding, bytes, count, this.#layout);
    if (values === undefined)
      throw new Error(`the encoding ${encoding} does not exist for ${this.#layout.type}`);
    return values;
  }
}

interface Levels {
  readonly valid: Uint8Array | undefined;
  /** Rows that have a value. */
  readonly count: number;
}

/** Definition levels of a flat column are 1 for a value and 0 for null. */
function readLevels(bytes: Uint8Array, start: number, end: number, rows: number): Levels {
  if (end > bytes.length) throw new Error('the definition levels run past the end of the page');
  const valid = new Uint8Array(rows);
  if (rows > 0) readHybrid(cursorOf(bytes, start, end), 1, rows, valid);
  let count = 0;
  for (let i = 0; i < rows; i++) count += valid[i]!;
  return { valid: count === rows ? undefined : valid, count };
}
