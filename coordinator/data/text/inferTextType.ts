// Which type the texts of a column look like.

import * as arrow from 'apache-arrow';
import { bare, type TextFormat } from './textFormat.ts';
import { parseTime } from './textTime.ts';

/** Types that a column of text may be given. */
export type TextType =
  | 'number'
  | 'int64'
  | 'boolean'
  | 'timestamp'
  | 'timestamp[us]'
  | 'timestamp[ns]'
  | 'string';

export const textTypes: Record<TextType, () => arrow.DataType> = {
  number: () => new arrow.Float64(),
  int64: () => new arrow.Int64(),
  boolean: () => new arrow.Bool(),
  timestamp: () => new arrow.TimestampMillisecond(),
  'timestamp[us]': () => new arrow.TimestampMicrosecond(),
  'timestamp[ns]': () => new arrow.TimestampNanosecond(),
  string: () => new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32()),
};

/** One way to match each text, so that long ones take time in proportion to their length. */
const numberPattern = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
export const infinityPattern = /^[+-]?inf(?:inity)?$/i;
export const wholePattern = /^[+-]?\d+$/;
export const booleanPattern = /^(?:true|false)$/i;
/** Texts of fewer characters are exact as doubles. */
export const SAFE_DIGITS = 15;
const MAX_INT64 = 2n ** 63n - 1n;

/** Fields that are missing in columns of anything but strings. */
export function isMissing(field: string | undefined, format: TextFormat): field is undefined {
  if (field === undefined) return true;
  const word = bare(field);
  return word === '' || format.nullWords.has(word) || format.nullWords.has(field);
}

/** Whole number of 64 bits. */
export function parseInt64(text: string): bigint | undefined {
  if (text.length > 64 || !wholePattern.test(text)) return undefined;
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return value > MAX_INT64 || value < -MAX_INT64 - 1n ? undefined : value;
}

/**
 * The narrowest type that holds every field; strings when they differ. All missing: strings. Whole numbers that doubles
 * would round are int64, and strings beyond its range.
 */
export function inferTextType(fields: Iterable<string | undefined>, format: TextFormat): TextType {
  let type: TextType | undefined;
  const seen = { isWide: false, isBeyond: false, isWhole: true, digits: 3 };
  for (const field of fields) {
    if (isMissing(field, format)) continue;
    const own = typeOf(bare(field), format, seen);
    if (own === 'string' || (type !== undefined && own !== type)) return 'string';
    type = own;
  }
  if (type === 'number' && seen.isWhole && seen.isBeyond) return 'string';
  if (type === 'number' && seen.isWhole && seen.isWide) return 'int64';
  if (type === 'timestamp' && seen.digits > 3) return seen.digits > 6 ? 'timestamp[ns]' : 'timestamp[us]';
  return type ?? 'string';
}

interface Seen {
  /** A whole number that is no exact double; one that is no int64 either. */
  isWide: boolean;
  isBeyond: boolean;
  /** No fractions, exponents or infinities. */
  isWhole: boolean;
  /** Of the finest time's second. */
  digits: number;
}

function typeOf(field: string, format: TextFormat, seen: Seen): TextType {
  const number = format.plainNumber(field);
  if (numberPattern.test(number)) {
    if (seen.isWhole) look(number, seen);
    return 'number';
  }
  if (infinityPattern.test(field)) {
    seen.isWhole = false;
    return 'number';
  }
  const time = parseTime(field);
  if (time === undefined) return booleanPattern.test(field) ? 'boolean' : 'string';
  if (time.nanoseconds > 0) seen.digits = Math.max(seen.digits, time.nanoseconds % 1000 === 0 ? 6 : 9);
  return 'timestamp';
}

function look(number: string, seen: Seen): void {
  if (!wholePattern.test(number)) seen.isWhole = false;
  else if (number.length > SAFE_DIGITS && !Number.isSafeInteger(Number(number))) {
    seen.isWide = true;
    if (parseInt64(number) === undefined) seen.isBeyond = true;
  }
}
