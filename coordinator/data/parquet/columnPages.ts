// Walks the pages of one column chunk: header, checksum, decompression, levels, values. Gives them in pieces, so that
// memory follows what is asked for and not what a page says that it holds.

import { crc32 } from 'node:zlib';
import type { ColumnMetaData, PageHeader } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import type { ChunkBytes } from './chunkBytes.ts';
import { decompressPage } from '../codec/decompressPage.ts';
import type { MemoryBudget } from '../store/memoryBudget.ts';
import type { PageMemory } from './pageMemory.ts';
import {
  decodePlain,
  isOfWords,
  type PageValues,
  type PlainValues,
  type ValueLayout,
} from './physicalValues.ts';
import { cursorOf, HybridReader } from './rleHybrid.ts';
import { scanThriftStruct } from './thriftScan.ts';
import { openValues, type ValueReader } from './valueReader.ts';

/** Consecutive entries of one page. Of flat columns an entry is a row; of lists, an element or an empty or missing list. */
export interface PagePiece {
  readonly entries: number;
  /** One level an entry; undefined when all have the column's highest: then each has a value. */
  readonly definition: Uint8Array | undefined;
  /** One level an entry, 0 where a row begins; undefined for columns outside of lists. */
  readonly repetition: Uint8Array | undefined;
  /** Values of the entries at the highest definition level, in order. */
  readonly values: PageValues;
  readonly valueCount: number;
}

/** The highest levels that a column's entries can have. */
export interface MaxLevels {
  readonly definition: number;
  readonly repetition: number;
}

/** No writer makes pages near this size; a damaged header may claim it. */
const MAX_PAGE_BYTES = 1024 * 1024 * 1024;
const HEADER_BYTES = 8 * 1024;
const MAX_HEADER_BYTES = 16 * 1024 * 1024;
/** Entries decoded at once. */
const PIECE_ENTRIES = 64 * 1024;

const HEADER_FIELDS = {
  1: { name: 'type' },
  2: { name: 'uncompressed_page_size' },
  3: { name: 'compressed_page_size' },
} as const;

/** A data page that has been begun. */
interface OpenPage {
  entriesLeft: number;
  readonly definition: HybridReader | undefined;
  readonly repetition: HybridReader | undefined;
  /** Opened with the first value: pages without one need not have a byte for them. */
  values: ValueReader | undefined;
  readonly openValues: () => ValueReader;
}

export class ColumnPages {
  readonly #bytes: ChunkBytes;
  readonly #meta: ColumnMetaData;
  readonly #layout: ValueLayout;
  readonly #max: MaxLevels;
  readonly #budget: MemoryBudget;
  /** Undefined where values are more than words: text may be handed on as it lies in a page. */
  readonly #memory: PageMemory | undefined;
  #entriesLeft: number;
  #page: OpenPage | undefined;
  /** Of the page, and of `#memory`. */
  #unpacked: Uint8Array | undefined;
  /** Bytes of the budget that go with the page. */
  #held = 0;
  dictionary: PlainValues | undefined;
  #dictionarySize: number | undefined;

  /** @param entries of the chunk: the pages must hold exactly these. */
  constructor(
    bytes: ChunkBytes,
    meta: ColumnMetaData,
    layout: ValueLayout,
    max: MaxLevels,
    entries: number,
    budget: MemoryBudget,
    memory: PageMemory,
  ) {
    if (layout.type === 'FIXED_LEN_BYTE_ARRAY' && !(layout.typeLength >= 1)) {
      throw new Error(`values of the fixed length ${layout.typeLength}`);
    }
    this.#bytes = bytes;
    this.#meta = meta;
    this.#layout = layout;
    this.#max = max;
    this.#entriesLeft = entries;
    this.#budget = budget;
    this.#memory = isOfWords(layout) ? memory : undefined;
  }

  /** The next entries; undefined when the chunk is complete. @throws Error on damaged pages, BudgetExceeded. */
  async next(): Promise<PagePiece | undefined> {
    while (this.#entriesLeft > 0) {
      if (this.#page === undefined || this.#page.entriesLeft === 0) {
        // Values of its last pieces may be views of it.
        this.#budget.keepForBatch(this.#held);
        this.#held = 0;
        this.release();
        this.#page = await this.#nextPage();
        continue;
      }
      const piece = this.#piece(this.#page);
      this.#entriesLeft -= piece.entries;
      return piece;
    }
    return undefined;
  }

  /** Gives the page's memory back: all of its pieces belong to the batch that is being put together, or to earlier ones. */
  release(): void {
    if (this.#unpacked !== undefined) this.#memory?.give(this.#unpacked);
    this.#unpacked = undefined;
  }

  #hold(bytes: number, what: string): void {
    this.#budget.take(bytes, what);
    this.#held += bytes;
  }

  #piece(page: OpenPage): PagePiece {
    const entries = Math.min(page.entriesLeft, PIECE_ENTRIES);
    const repetition = levelsOf(page.repetition, entries, this.#max.repetition, 'repetition');
    const highest = this.#max.definition;
    const isComplete = page.definition?.readRun(entries, highest) === true;
    const definition = isComplete ? undefined : levelsOf(page.definition, entries, highest, 'definition');
    const valueCount = definition === undefined ? entries : countOf(definition, highest);
    if (valueCount > 0) page.values ??= page.openValues();
    const values = page.values?.take(valueCount) ?? emptyValues(this.#layout);
    page.entriesLeft -= entries;
    return {
      entries,
      definition: valueCount === entries ? undefined : definition,
      repetition,
      values,
      valueCount,
    };
  }

  /** Undefined for pages without data. */
  async #nextPage(): Promise<OpenPage | undefined> {
    if (this.#bytes.isAtEnd) throw new Error(`the pages end ${this.#entriesLeft} rows too early`);
    const header = await this.#header();
    const { compressed_page_size: size, uncompressed_page_size: unpacked } = header;
    if (!(size >= 0 && size <= MAX_PAGE_BYTES && unpacked >= 0 && unpacked <= MAX_PAGE_BYTES)) {
      throw new Error(`a page header claims ${size} bytes, ${unpacked} unpacked`);
    }
    const content = await this.#bytes.take(size);
    if (header.crc !== undefined && (crc32(content) | 0) !== header.crc) {
      throw new Error('the checksum of a page does not match its bytes');
    }
    switch (header.type) {
      case 'DICTIONARY_PAGE':
        this.#readDictionary(header, content);
        return undefined;
      case 'DATA_PAGE':
        return this.#dataPage(header, content);
      case 'DATA_PAGE_V2':
        return this.#dataPageV2(header, content);
      case 'INDEX_PAGE':
        return undefined;
      default:
        throw new Error('an unknown kind of page');
    }
  }

  async #header(): Promise<PageHeader> {
    for (let wanted = HEADER_BYTES; ; wanted *= 8) {
      const window = await this.#bytes.peek(wanted, wanted > HEADER_BYTES);
      try {
        scanThriftStruct(window, 0, HEADER_FIELDS);
        const reader = { view: new DataView(window.buffer, window.byteOffset, window.byteLength), offset: 0 };
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

  #decompress(bytes: Uint8Array, sizeBytes: number): Uint8Array {
    const memory = this.#memory;
    return decompressPage(
      this.#meta.codec,
      bytes,
      sizeBytes,
      memory && ((size) => (this.#unpacked = memory.take(size))),
    );
  }

  #readDictionary(header: PageHeader, content: Uint8Array): void {
    const size = header.uncompressed_page_size;
    const count = header.dictionary_page_header?.num_values ?? -1;
    // An entry takes a bit at least.
    if (!(count >= 0 && count <= 8 * Math.max(size, content.length))) {
      throw new Error(`a dictionary of ${count} values in ${size} bytes`);
    }
    if (this.dictionary !== undefined) throw new Error('a second dictionary');
    this.#budget.take(size + 4 * count, `a dictionary of ${count} values`);
    // It is read until the chunk ends, and so in memory of its own.
    this.dictionary = decodePlain(decompressPage(this.#meta.codec, content, size), count, this.#layout);
    this.#dictionarySize = count;
  }

  #dataPage(header: PageHeader, content: Uint8Array): OpenPage {
    const details = header.data_page_header;
    if (details === undefined) throw new Error('a data page without its header');
    const entries = this.#checkedEntries(details.num_values);
    const size = header.uncompressed_page_size;
    if (this.#meta.codec !== 'UNCOMPRESSED') this.#hold(size, 'a page');
    const bytes = this.#decompress(content, size);
    const { repetition_level_encoding: repeated, definition_level_encoding: defined } = details;
    const first = levelRun(bytes, 0, this.#max.repetition, repeated);
    const second = levelRun(bytes, first.end, this.#max.definition, defined);
    return this.#opened(entries, first.reader, second.reader, details.encoding, () =>
      bytes.subarray(second.end),
    );
  }

  #dataPageV2(header: PageHeader, content: Uint8Array): OpenPage {
    const details = header.data_page_header_v2;
    if (details === undefined) throw new Error('a data page without its header');
    const entries = this.#checkedEntries(details.num_values);
    const { definition_levels_byte_length: defined, repetition_levels_byte_length: repeated } = details;
    const start = repeated + defined;
    if (!(repeated >= 0 && defined >= 0 && start <= content.length)) {
      throw new Error(`levels of ${start} bytes in a page of ${content.length}`);
    }
    const { repetition, definition } = this.#max;
    const size = header.uncompressed_page_size - start;
    const packed = content.subarray(start);
    return this.#opened(
      entries,
      repetition === 0 ? undefined : levelReader(content, 0, repeated, repetition),
      // A page without levels has no missing value.
      definition === 0 || defined === 0 ? undefined : levelReader(content, repeated, start, definition),
      details.encoding,
      () => {
        if (details.is_compressed === false || this.#meta.codec === 'UNCOMPRESSED') return packed;
        this.#hold(size, 'a page');
        return this.#decompress(packed, size);
      },
    );
  }

  #opened(
    entries: number,
    repetition: HybridReader | undefined,
    definition: HybridReader | undefined,
    encoding: string | undefined,
    bytes: () => Uint8Array,
  ): OpenPage {
    return {
      entriesLeft: entries,
      repetition,
      definition,
      values: undefined,
      openValues: () =>
        openValues({
          encoding,
          bytes: bytes(),
          layout: this.#layout,
          entries,
          dictionarySize: this.#dictionarySize,
          hold: (size, what) => this.#hold(size, what),
        }),
    };
  }

  #checkedEntries(entries: number): number {
    if (!(entries >= 0 && entries <= this.#entriesLeft)) {
      throw new Error(`a page of ${entries} rows where the row group has ${this.#entriesLeft} left`);
    }
    return entries;
  }
}

/** Levels of a data page of the first version: their length, then the hybrid. Columns that need none have none. */
function levelRun(
  bytes: Uint8Array,
  start: number,
  max: number,
  encoding: string | undefined,
): { reader: HybridReader | undefined; end: number } {
  if (max === 0) return { reader: undefined, end: start };
  if (encoding === 'BIT_PACKED')
    throw new Error('its levels have the encoding BIT_PACKED, which is not supported');
  if (start + 4 > bytes.length) throw new Error('the levels are cut off');
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(start, true);
  const end = start + 4 + length;
  return { reader: levelReader(bytes, start + 4, end, max), end };
}

function levelReader(bytes: Uint8Array, start: number, end: number, max: number): HybridReader {
  if (end > bytes.length) throw new Error('the levels run past the end of the page');
  return new HybridReader(cursorOf(bytes, start, end), 32 - Math.clz32(max));
}

function levelsOf(
  reader: HybridReader | undefined,
  count: number,
  max: number,
  kind: string,
): Uint8Array | undefined {
  if (reader === undefined) return undefined;
  const levels = new Uint8Array(count);
  const highest = reader.read(count, levels);
  if (highest > max) throw new Error(`the ${kind} level ${highest} where ${max} is the highest`);
  return levels;
}

function countOf(levels: Uint8Array, level: number): number {
  let count = 0;
  for (let i = 0; i < levels.length; i++) if (levels[i] === level) count++;
  return count;
}

function emptyValues({ type }: ValueLayout): PageValues {
  return decodePlain(new Uint8Array(0), 0, { type, typeLength: 0 });
}
