// Columns of an Arrow IPC batch from its body. Every length and offset is compared with the bytes that are there, since
// Arrow's own reader makes arrays of what the metadata claims.

import * as arrow from 'apache-arrow';
import { arrowData } from '../arrowData.ts';
import { columnFromValues } from '../columnFromValues.ts';
import type { BodyBuffers } from './bodyBuffers.ts';
import type { DictionaryEntries } from './dictionaryEntries.ts';
import type { IpcBatch } from './ipcMessage.ts';
import { isBytes, isListed, isText, plainType } from './plainType.ts';
import { bytesUnder } from '../../../kernels/bytesUnder.ts';
import { UnsupportedDataError } from '../columnErrors.ts';
import { typeName } from '../typeName.ts';

/** Values that take no bytes, such as those of the type Null, are only claimed. */
const MAX_UNSTORED_VALUES = 2 ** 24;

export interface LoadSettings {
  readonly dictionaries: ReadonlyMap<number, DictionaryEntries>;
  /** Called before memory is taken for more than the body holds. */
  hold(bytes: number, what: string): void;
  /** Called with what is said to be text: value i is data[offsets[i], offsets[i+1]). */
  checkText(offsets: Int32Array, data: Uint8Array): void;
}

interface Rows {
  readonly type: arrow.DataType;
  readonly length: number;
  readonly nullCount: number;
  readonly nullBitmap: Uint8Array | undefined;
}

export class ColumnLoader {
  readonly #nodes: IpcBatch['nodes'];
  readonly #variadicCounts: readonly number[];
  readonly #buffers: BodyBuffers;
  readonly #settings: LoadSettings;
  #node = 0;
  #variadic = 0;
  #unstored = 0;

  constructor(batch: IpcBatch, buffers: BodyBuffers, settings: LoadSettings) {
    this.#nodes = batch.nodes;
    this.#variadicCounts = batch.variadicCounts;
    this.#buffers = buffers;
    this.#settings = settings;
  }

  /** The next column, in its plain type. @throws Error where the metadata claims what is not there. */
  next(type: arrow.DataType): arrow.Data {
    const node = this.#nodes[this.#node++];
    if (node === undefined) throw new Error('there are fewer columns than the schema has');
    const { length } = node;
    if (arrow.DataType.isNull(type)) {
      this.#countUnstored(length);
      return arrowData({ type, length, nullCount: length });
    }
    const rows: Rows = { type: plainType(type), length, ...this.#validity(node) };
    if (arrow.DataType.isDictionary(type)) return this.#codes(type, rows);
    if (arrow.DataType.isUtf8View(type) || arrow.DataType.isBinaryView(type)) return this.#views(type, rows);
    if (isText(type) || isBytes(type)) return this.#bytes(type, rows);
    if (isListed(type)) return this.#list(type, rows);
    if (arrow.DataType.isFixedSizeList(type)) {
      if (type.listSize === 0) this.#countUnstored(length);
      return arrowData({ ...rows, child: this.#child(type, length * type.listSize) });
    }
    if (arrow.DataType.isStruct(type)) {
      const fields = type.children;
      if (fields.length === 0) this.#countUnstored(length);
      return arrowData({ ...rows, children: fields.map((field) => exactly(this.next(field.type), length)) });
    }
    if (arrow.DataType.isBool(type)) {
      return arrowData({ ...rows, data: this.#buffers.next().typed(Uint8Array, Math.ceil(length / 8)) });
    }
    if (arrow.DataType.isDecimal(type)) return this.#decimals(type, rows);
    return arrowData({ ...rows, data: this.#fixed(type, length) });
  }

  #countUnstored(values: number): void {
    this.#unstored += values;
    if (this.#unstored > MAX_UNSTORED_VALUES) {
      this.#settings.hold(Infinity, `${this.#unstored} values of which no byte is stored`);
    }
  }

  #validity({ length, nullCount }: IpcBatch['nodes'][number]): Pick<Rows, 'nullCount' | 'nullBitmap'> {
    const buffer = this.#buffers.next();
    if (nullCount === 0) return { nullCount: 0, nullBitmap: undefined };
    const bitmap = buffer.typed(Uint8Array, Math.ceil(length / 8));
    let valid = 0;
    for (let i = 0; i < length; i++) valid += (bitmap[i >> 3]! >> (i & 7)) & 1;
    return { nullCount: length - valid, nullBitmap: valid === length ? undefined : bitmap };
  }

  #fixed(type: arrow.DataType, length: number): Float64Array {
    const size = valueBytesOf(type);
    if (size === 0) this.#countUnstored(length);
    const Values = type.ArrayType as Float64ArrayConstructor;
    return this.#buffers.next().typed(Values, (length * size) / Values.BYTES_PER_ELEMENT);
  }

  #offsets(type: arrow.DataType, length: number): Int32Array {
    const buffer = this.#buffers.next();
    // Columns without rows need not have an offset.
    if (length === 0) return new Int32Array(1);
    const isLarge = type.OffsetArrayType === BigInt64Array;
    const offsets = isLarge
      ? narrowed(buffer.typed(BigInt64Array, length + 1))
      : buffer.typed(Int32Array, length + 1);
    for (let i = 0, before = 0; i <= length; i++) {
      const offset = offsets[i]!;
      if (offset < before) throw new Error(`the offset ${offset} of value ${i} leads back`);
      before = offset;
    }
    return offsets;
  }

  #bytes(type: arrow.DataType, rows: Rows): arrow.Data {
    const valueOffsets = this.#offsets(type, rows.length);
    const data = this.#buffers.next().typed(Uint8Array, valueOffsets[rows.length]!);
    if (isText(type)) this.#settings.checkText(valueOffsets, data);
    return arrowData({ ...rows, valueOffsets, data });
  }

  /** A view is a length and either up to 12 bytes or the number and offset in one of the column's other buffers. */
  #views(type: arrow.DataType, rows: Rows): arrow.Data {
    const views = this.#buffers.next().typed(Int32Array, rows.length * 4);
    const count = this.#variadicCounts[this.#variadic++] ?? 0;
    const others = Array.from({ length: count }, () => this.#buffers.next().bytes);
    const inline = bytesUnder(views);
    const valueOffsets = new Int32Array(rows.length + 1);
    const isMissing = (i: number): boolean =>
      rows.nullBitmap !== undefined && ((rows.nullBitmap[i >> 3]! >> (i & 7)) & 1) === 0;
    const bytesOf = (i: number): Uint8Array => {
      const length = views[4 * i]!;
      if (length >= 0 && length <= 12) return inline.subarray(16 * i + 4, 16 * i + 4 + length);
      const start = views[4 * i + 3]!;
      const other = others[views[4 * i + 2]!];
      if (other === undefined || length < 0 || start < 0 || start + length > other.length) {
        throw new Error(`the view of value ${i} leads outside`);
      }
      return other.subarray(start, start + length);
    };
    let total = 0;
    for (let i = 0; i < rows.length; i++) {
      if (!isMissing(i)) total += bytesOf(i).length;
      if (total > 0x7fff_ffff) throw new Error('the values of one batch exceed 2 GiB');
      valueOffsets[i + 1] = total;
    }
    this.#settings.hold(total, 'the values that its views refer to');
    const data = new Uint8Array(total);
    for (let i = 0; i < rows.length; i++) if (!isMissing(i)) data.set(bytesOf(i), valueOffsets[i]);
    if (isText(type)) this.#settings.checkText(valueOffsets, data);
    return arrowData({ ...rows, valueOffsets, data });
  }

  #list(type: arrow.DataType, rows: Rows): arrow.Data {
    const valueOffsets = this.#offsets(type, rows.length);
    return arrowData({ ...rows, valueOffsets, child: this.#child(type, valueOffsets[rows.length]!) });
  }

  #child(type: arrow.DataType, length: number): arrow.Data {
    const [item] = type.children;
    if (item === undefined) throw new Error('a list without the type of its elements');
    return exactly(this.next(item.type), length);
  }

  #decimals(type: arrow.Decimal, rows: Rows): arrow.Data {
    const limbs = type.bitWidth / 32;
    const words = this.#buffers.next().typed(Uint32Array, rows.length * limbs);
    const divisor = 10 ** type.scale;
    const data = Float64Array.from({ length: rows.length }, (_, row) => {
      let value = 0n;
      for (let limb = limbs - 1; limb >= 0; limb--)
        value = (value << 32n) | BigInt(words[row * limbs + limb]!);
      return Number(BigInt.asIntN(type.bitWidth, value)) / divisor;
    });
    return arrowData({ ...rows, data });
  }

  #codes(type: arrow.Dictionary, rows: Rows): arrow.Data {
    const codes = Int32Array.from(this.#fixed(type.indices as arrow.DataType, rows.length), Number);
    const dictionary =
      this.#settings.dictionaries.get(type.id)?.vector() ??
      new arrow.Vector([columnFromValues([], plainType(type.dictionary as arrow.DataType))]);
    for (let i = 0; i < rows.length; i++) {
      const code = codes[i]!;
      if (code >= 0 && code < dictionary.length) continue;
      const isMissing = rows.nullBitmap !== undefined && ((rows.nullBitmap[i >> 3]! >> (i & 7)) & 1) === 0;
      if (!isMissing) throw new Error(`the code ${code} in a dictionary of ${dictionary.length} entries`);
      codes[i] = 0;
    }
    return arrowData({ ...rows, data: codes, dictionary });
  }
}

function narrowed(wide: BigInt64Array): Int32Array {
  const offsets = new Int32Array(wide.length);
  for (const [i, offset] of wide.entries()) {
    if (offset < 0n || offset > 0x7fff_ffffn)
      throw new Error(`the offset ${offset}; up to 2 GiB are supported`);
    offsets[i] = Number(offset);
  }
  return offsets;
}

/** Columns inside of others may be longer than what is used of them. */
function exactly(data: arrow.Data, length: number): arrow.Data {
  if (data.length < length) throw new Error(`${data.length} values where ${length} are needed`);
  return data.length === length ? data : data.slice(0, length);
}

/** @throws UnsupportedDataError for types that are of no fixed width. */
function valueBytesOf(type: arrow.DataType): number {
  if (arrow.DataType.isInt(type) || arrow.DataType.isTime(type)) return type.bitWidth / 8;
  if (arrow.DataType.isFloat(type)) return 2 ** (type.precision + 1);
  if (arrow.DataType.isDate(type)) return type.unit === arrow.DateUnit.DAY ? 4 : 8;
  if (arrow.DataType.isTimestamp(type) || arrow.DataType.isDuration(type)) return 8;
  if (arrow.DataType.isInterval(type)) return [4, 8, 16][type.unit]!;
  if (arrow.DataType.isFixedSizeBinary(type)) return type.byteWidth;
  throw new UnsupportedDataError(`The Arrow type ${typeName(type)} is not supported.`);
}
