// Joins batches to one: what re-batching, shuffles and sorts need.

import * as arrow from 'apache-arrow';
import { TypeMismatchError, UnsupportedDataError } from './columnErrors.ts';
import { arrowData, recordBatch } from './arrowData.ts';
import { bitmapOf, packBits, unpackBitmap } from './bitmap.ts';
import { castColumn, commonType } from './castColumn.ts';
import { originOf } from './dictionaryOrigin.ts';
import { valuesFromWords, wordColumn } from './fixedWidth.ts';
import { takeData } from './takeRows.ts';
import { typeName } from './typeName.ts';
import { validBytes } from './validBytes.ts';
import { columnIndexes } from './columnNames.ts';
import { bytesUnder } from '../../kernels/bytesUnder.ts';

/**
 * All rows in order. Columns are matched by name; a column without any value in one batch fits every type, and numbers of
 * different widths become those of the wider one.
 * @throws TypeMismatchError naming the column when two batches disagree.
 */
export function concatBatches(batches: readonly arrow.RecordBatch[]): arrow.RecordBatch {
  const [first] = batches;
  if (first === undefined || batches.length === 1) return first ?? recordBatch(new arrow.Schema([]), [], 0);
  const fields: arrow.Field[] = [];
  const columns: arrow.Data[] = [];
  const finders = batches.map(columnFinder);
  for (const { name } of first.schema.fields) {
    const parts = finders.map((columnOf) => columnOf(name));
    const data = concatData(parts, name);
    columns.push(data);
    fields.push(new arrow.Field(name, data.type, true));
  }
  const rows = batches.reduce((total, batch) => total + batch.numRows, 0);
  return recordBatch(new arrow.Schema(fields), columns, rows);
}

/** No rows, with columns of the schema's types. */
export function emptyBatch(schema: arrow.Schema): arrow.RecordBatch {
  return recordBatch(
    schema,
    schema.fields.map(({ type }) => emptyData(type)),
    0,
  );
}

function emptyData(type: arrow.DataType): arrow.Data {
  const children = (type.children ?? []).map((field) => emptyData(field.type as arrow.DataType));
  const rows = { type, length: 0, nullCount: 0 };
  if (arrow.DataType.isStruct(type)) return arrowData({ ...rows, children });
  return arrowData(children.length === 1 ? { ...rows, child: children[0]! } : rows);
}

export function columnOf(batch: arrow.RecordBatch, name: string): arrow.Data {
  return columnAt(batch, name, (wanted) => batch.schema.fields.findIndex((field) => field.name === wanted));
}

/** The same for many columns: each is found at once, however many there are. */
function columnFinder(batch: arrow.RecordBatch): (name: string) => arrow.Data {
  const indexes = columnIndexes(batch.schema);
  return (wanted) => columnAt(batch, wanted, (name) => indexes.get(name) ?? -1);
}

function columnAt(batch: arrow.RecordBatch, name: string, indexOf: (name: string) => number): arrow.Data {
  const data = batch.data.children[indexOf(name)];
  if (data === undefined) {
    throw new TypeMismatchError(`Some batches have a column "${name}" and others do not.`, { column: name });
  }
  return data;
}

function concatData(parts: readonly arrow.Data[], column: string): arrow.Data {
  const typed =
    parts.find((part) => !arrow.DataType.isNull(part.type) && part.length > 0) ??
    parts.find((part) => !arrow.DataType.isNull(part.type));
  const length = parts.reduce((total, part) => total + part.length, 0);
  if (typed === undefined) return arrowData({ type: parts[0]!.type, length, nullCount: length });
  const { type } = typed;
  const common = typeOfAll(parts, type, column);
  if (typeName(common) !== typeName(type))
    return concatData(
      parts.map((part) => castColumn(part, common, column)),
      column,
    );
  const rows = { type, length, ...concatValidity(parts, length) };
  const filled = parts.map((part) =>
    arrow.DataType.isNull(part.type) ? fillerLike(typed, part.length) : castColumn(part, type, column),
  );
  if (filled.some((part) => arrow.DataType.isDictionary(part.type))) return concatCodes(filled, rows);
  if (arrow.DataType.isBool(type)) return concatBits(filled, rows);
  if (arrow.DataType.isUtf8(type) || arrow.DataType.isBinary(type)) return concatBytes(filled, rows);
  if (arrow.DataType.isList(type) || arrow.DataType.isMap(type)) return concatLists(filled, rows, column);
  if (arrow.DataType.isFixedSizeList(type)) {
    return arrowData({
      ...rows,
      child: concatData(
        filled.map((part) => part.children[0]!),
        column,
      ),
    });
  }
  if (arrow.DataType.isStruct(type)) {
    const children = type.children.map((field, i) =>
      concatData(
        filled.map((part) => part.children[i]!),
        `${column}.${field.name}`,
      ),
    );
    return arrowData({ ...rows, children });
  }
  return concatWords(filled, rows, column);
}

function typeOfAll(parts: readonly arrow.Data[], first: arrow.DataType, column: string): arrow.DataType {
  let type = first;
  for (const part of parts) {
    const common = commonType(type, part.type);
    if (common === undefined) {
      throw new TypeMismatchError(
        `Column "${column}" holds ${typeName(type)} in some rows and ${typeName(part.type)} in others.`,
        { column },
      );
    }
    type = common;
  }
  return type;
}

interface Rows {
  readonly type: arrow.DataType;
  readonly length: number;
  readonly nullCount: number;
  readonly nullBitmap: Uint8Array | undefined;
}

function concatValidity(
  parts: readonly arrow.Data[],
  length: number,
): Pick<Rows, 'nullCount' | 'nullBitmap'> {
  if (parts.every((part) => part.nullCount === 0)) return { nullCount: 0, nullBitmap: undefined };
  const valid = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    valid.set(validBytes(part), at);
    at += part.length;
  }
  const { bitmap, nullCount } = bitmapOf(valid);
  return { nullCount, nullBitmap: bitmap };
}

/** Rows that hold anything of the type of `like`; the caller marks them as missing. */
function fillerLike(like: arrow.Data, rows: number): arrow.Data {
  return like.length === 0 ? like : takeData(like, new Int32Array(rows));
}

function concatBits(parts: readonly arrow.Data[], rows: Rows): arrow.Data {
  const bits = new Uint8Array(rows.length);
  let at = 0;
  for (const part of parts) {
    bits.set(unpackBitmap(part.values as Uint8Array, part.offset, part.length), at);
    at += part.length;
  }
  return arrowData({ ...rows, data: packBits(bits) });
}

function concatBytes(parts: readonly arrow.Data[], rows: Rows): arrow.Data {
  let total = 0;
  for (const part of parts) total += byteLength(part);
  if (total > 0x7fff_ffff) throw new UnsupportedDataError('The strings of one joined batch exceed 2 GiB.');
  const bytes = new Uint8Array(total);
  const valueOffsets = new Int32Array(rows.length + 1);
  let row = 0;
  let at = 0;
  for (const part of parts) {
    const offsets = part.valueOffsets as Int32Array;
    const start = offsets[0] ?? 0;
    bytes.set((part.values as Uint8Array).subarray(start, start + byteLength(part)), at);
    for (let i = 0; i < part.length; i++) valueOffsets[++row] = at + offsets[i + 1]! - start;
    at = valueOffsets[row]!;
  }
  return arrowData({ ...rows, valueOffsets, data: bytes });
}

function byteLength(part: arrow.Data): number {
  const offsets = part.valueOffsets as Int32Array;
  return part.length === 0 ? 0 : offsets[part.length]! - offsets[0]!;
}

function concatLists(parts: readonly arrow.Data[], rows: Rows, column: string): arrow.Data {
  const valueOffsets = new Int32Array(rows.length + 1);
  const children: arrow.Data[] = [];
  let row = 0;
  let at = 0;
  for (const part of parts) {
    const offsets = part.valueOffsets as Int32Array;
    const start = offsets[0] ?? 0;
    const items = byteLength(part);
    children.push(part.children[0]!.slice(start, items));
    for (let i = 0; i < part.length; i++) valueOffsets[++row] = at + offsets[i + 1]! - start;
    at += items;
  }
  return arrowData({ ...rows, valueOffsets, child: concatData(children, column) });
}

function concatWords(parts: readonly arrow.Data[], rows: Rows, column: string): arrow.Data {
  const columns = parts.map((part) => wordColumn(part));
  const first = columns[0];
  if (first === undefined) {
    throw new UnsupportedDataError(
      `Rows of type ${typeName(rows.type)} (column "${column}") can't be joined.`,
    );
  }
  const bytes = new Uint8Array(columns.reduce((total, part) => total + (part?.words.byteLength ?? 0), 0));
  let at = 0;
  for (const part of columns) {
    if (part === undefined) continue;
    const { words } = part;
    bytes.set(bytesUnder(words), at);
    at += words.byteLength;
  }
  return arrowData({ ...rows, data: valuesFromWords(rows.type, bytes) });
}

/** Codes into one joined dictionary. Parts may be plain strings, too. */
function concatCodes(parts: readonly arrow.Data[], rows: Rows): arrow.Data {
  const shared = sharedDictionary(parts);
  const out = new Int32Array(rows.length);
  const codes = new Map<unknown, number>();
  let at = 0;
  for (const part of parts) {
    if (shared !== undefined) {
      out.set((part.values as Int32Array).subarray(0, part.length), at);
    } else {
      const mapped = codesOf(part, codes);
      out.set(mapped, at);
    }
    at += part.length;
  }
  const value = parts.find((part) => arrow.DataType.isDictionary(part.type))!.type as arrow.Dictionary;
  const type = new arrow.Dictionary(value.dictionary, new arrow.Int32(), value.id);
  const dictionary = shared ?? arrow.vectorFromArray([...codes.keys()] as string[], value.dictionary);
  return arrowData({ ...rows, type, data: out, dictionary });
}

/** The longest of dictionaries that continue one another; undefined where some do not. */
function sharedDictionary(parts: readonly arrow.Data[]): arrow.Vector | undefined {
  let longest = parts[0]!.dictionary;
  for (const { dictionary } of parts) {
    if (longest === undefined || dictionary === undefined) return undefined;
    if (originOf(dictionary) !== originOf(longest)) return undefined;
    if (dictionary.length > longest.length) longest = dictionary;
  }
  return longest;
}

function codesOf(part: arrow.Data, codes: Map<unknown, number>): Int32Array {
  const valid = validBytes(part);
  const enter = (value: unknown): number => {
    let code = codes.get(value);
    if (code === undefined) {
      code = codes.size;
      codes.set(value, code);
    }
    return code;
  };
  if (part.dictionary === undefined) {
    const strings = new arrow.Vector([part]);
    return Int32Array.from(valid, (isValid, i) => (isValid === 1 ? enter(strings.get(i)) : 0));
  }
  const entries = Array.from(part.dictionary);
  const mapped = new Int32Array(entries.length).fill(-1);
  const own = part.values as Int32Array;
  return Int32Array.from(valid, (isValid, i) => {
    if (isValid === 0) return 0;
    const code = own[i]!;
    if (mapped[code] === -1) mapped[code] = enter(entries[code]);
    return mapped[code]!;
  });
}
