// Parquet files put together by hand, field by field as parquet.thrift numbers them: for what writers of today do not write.
// https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift

type Value = number | bigint | boolean | string | Uint8Array | Thrift | readonly Value[];
/** A struct: field number to value. Numbers are i32, bigints i64. */
export interface Thrift {
  readonly [field: number]: Value | undefined;
}

export const TYPE = { boolean: 0, int32: 1, int64: 2, int96: 3, double: 5, bytes: 6 } as const;
export const REQUIRED = 0;
export const OPTIONAL = 1;
export const REPEATED = 2;
export const CONVERTED = { utf8: 0, map: 1, mapKeyValue: 2, list: 3 } as const;
export const ENCODING = { plain: 0, delta: 5, dictionary: 8 } as const;
export const CODEC = { none: 0, gzip: 2, brotli: 4 } as const;

export function varint(value: number | bigint): number[] {
  const out: number[] = [];
  let left = BigInt(value);
  for (; left > 127n; left >>= 7n) out.push(Number(left & 127n) | 128);
  return [...out, Number(left)];
}

const zigzag = (value: number | bigint): number[] =>
  varint(value < 0 ? BigInt(value) * -2n - 1n : BigInt(value) * 2n);

function typeOf(value: Value): number {
  if (typeof value === 'boolean') return value ? 1 : 2;
  if (typeof value === 'number') return 5;
  if (typeof value === 'bigint') return 6;
  if (typeof value === 'string' || value instanceof Uint8Array) return 8;
  return Array.isArray(value) ? 9 : 12;
}

function bytesOf(value: Value): number[] {
  if (typeof value === 'boolean') return [];
  if (typeof value === 'number' || typeof value === 'bigint') return zigzag(value);
  if (typeof value === 'string') return bytesOf(new TextEncoder().encode(value));
  if (value instanceof Uint8Array) return [...varint(value.length), ...value];
  if (!Array.isArray(value)) return thrift(value);
  const items = value as Value[];
  return [
    0xf0 | (items.length === 0 ? 5 : typeOf(items[0]!)),
    ...varint(items.length),
    ...items.flatMap(bytesOf),
  ];
}

export function thrift(fields: Thrift): number[] {
  const parts = Object.entries(fields).flatMap(([field, value]) =>
    value === undefined ? [] : [[typeOf(value as Value)], zigzag(Number(field)), bytesOf(value as Value)],
  );
  return [...parts.flat(), 0];
}

/** A run of the hybrid of levels and codes, for widths up to 8. */
export const run = (count: number, value: number): number[] => [...varint(count * 2), value];
/** Levels of a page of the first version. */
export function levels(...runs: readonly number[][]): number[] {
  const bytes = runs.flat();
  return [bytes.length & 255, bytes.length >> 8, 0, 0, ...bytes];
}
export const int32s = (...values: number[]): number[] => [...new Uint8Array(Int32Array.from(values).buffer)];
export const int64s = (...values: bigint[]): number[] => [
  ...new Uint8Array(BigInt64Array.from(values).buffer),
];
export const strings = (...values: (string | readonly number[])[]): number[] =>
  values.flatMap((value) => {
    const bytes = typeof value === 'string' ? [...new TextEncoder().encode(value)] : [...value];
    return [...int32s(bytes.length), ...bytes];
  });

export interface Page {
  readonly entries: number;
  readonly encoding?: number;
  readonly body: readonly number[] | Uint8Array;
  /** A dictionary page. */
  readonly isDictionary?: boolean;
  /** As the header says; the length of the body when left out. */
  readonly unpackedBytes?: number;
}

export interface Column {
  readonly path: readonly string[];
  readonly type: number;
  readonly codec?: number;
  readonly pages: readonly Page[];
  /** What is to be wrong in the chunk's metadata, by field number. */
  readonly odd?: Thrift;
}

function pageBytes({
  entries,
  encoding = ENCODING.plain,
  body,
  isDictionary,
  unpackedBytes,
}: Page): number[] {
  const own =
    isDictionary === true ? { 7: { 1: entries, 2: 0 } } : { 5: { 1: entries, 2: encoding, 3: 3, 4: 3 } };
  const kind = isDictionary === true ? 2 : 0;
  return [...thrift({ 1: kind, 2: unpackedBytes ?? body.length, 3: body.length, ...own }), ...body];
}

/** @param schema the elements below the root. @param odd what is to be wrong in the footer, by field number. */
export function handmadeParquet(
  schema: readonly Thrift[],
  topColumns: number,
  rows: number,
  columns: readonly Column[],
  odd: Thrift = {},
): Uint8Array {
  const bytes: number[] = [...new TextEncoder().encode('PAR1')];
  const chunks = columns.map(({ path, type, codec = CODEC.none, pages, odd: oddChunk }) => {
    const start = bytes.length;
    for (const page of pages) for (const byte of pageBytes(page)) bytes.push(byte);
    const entries = pages.reduce((sum, page) => sum + (page.isDictionary === true ? 0 : page.entries), 0);
    const size = BigInt(bytes.length - start);
    const meta = {
      1: type,
      2: [0, 3],
      3: path,
      4: codec,
      5: BigInt(entries),
      6: size,
      7: size,
      9: BigInt(start),
    };
    return { 2: BigInt(start), 3: { ...meta, ...oddChunk } };
  });
  const footer = thrift({
    1: 1,
    2: [{ 4: 'root', 5: topColumns }, ...schema],
    3: BigInt(rows),
    4: [{ 1: chunks, 2: BigInt(bytes.length), 3: BigInt(rows) }],
    ...odd,
  });
  return Uint8Array.from([
    ...bytes,
    ...footer,
    ...int32s(footer.length),
    ...new TextEncoder().encode('PAR1'),
  ]);
}

/** An element of the schema. */
export function element(name: string, repetition: number, more: Thrift = {}): Thrift {
  return { ...(more[1] === undefined ? {} : { 1: more[1] }), 3: repetition, 4: name, ...more };
}
