// Columns of text fields as Arrow data of their type.

import * as arrow from 'apache-arrow';
import { arrowData } from '../../../shared/columns/arrowData.ts';
import { bitmapOf } from '../../../shared/columns/bitmap.ts';
import { columnFromValues } from '../../../shared/columns/columnFromValues.ts';
import { TypeMismatchError } from '../../../shared/columns/columnErrors.ts';
import {
  booleanPattern,
  infinityPattern,
  isMissing,
  parseInt64,
  SAFE_DIGITS,
  type TextType,
  wholePattern,
} from './inferTextType.ts';
import { bare, type TextFormat } from './textFormat.ts';
import { timeReader } from './textTime.ts';

type Field = string | undefined;

export interface TextColumnPlace {
  readonly column: string;
  readonly file: string;
  /** The file's line of a field. */
  readonly lineOf: (index: number) => number;
  /** The owner named the type: doubles may round whole numbers then. */
  readonly isNamed: boolean;
}

type Fail = (field: string, index: number, what?: string, instead?: TextType) => never;

function textTypeOf(type: arrow.DataType): TextType {
  if (arrow.DataType.isFloat(type)) return 'number';
  if (arrow.DataType.isInt(type)) return 'int64';
  if (arrow.DataType.isBool(type)) return 'boolean';
  if (!arrow.DataType.isTimestamp(type)) return 'string';
  if (type.unit === arrow.TimeUnit.NANOSECOND) return 'timestamp[ns]';
  return type.unit === arrow.TimeUnit.MICROSECOND ? 'timestamp[us]' : 'timestamp';
}

/** @throws TypeMismatchError naming file, line and column for a field that is not of the type. */
export function textColumn(
  fields: readonly Field[],
  type: arrow.DataType,
  format: TextFormat,
  place: TextColumnPlace,
): arrow.Data {
  const kind = textTypeOf(type);
  const fail: Fail = (field, index, what = expected[kind], instead = 'string') => {
    const { column, file, lineOf } = place;
    throw new TypeMismatchError(
      `${file}, line ${lineOf(index)}: column "${column}" holds ${JSON.stringify(field.slice(0, 40))} where ${what} ` +
        `is expected${place.isNamed ? '' : ', as in the rows before'}; name its type with the option types: { ${JSON.stringify(column)}: "${instead}" }.`,
      { file, column },
    );
  };
  if (kind === 'string')
    return columnFromValues(
      fields.map((field) => stringOf(field, format)),
      type,
    );
  if (kind === 'number') return numberColumn(fields, type, format, place.isNamed, fail);
  const read = kind === 'int64' ? int64Of : kind === 'boolean' ? booleanOf : timeReader(kind);
  const values = fields.map((field, i) => {
    if (isMissing(field, format)) return null;
    return read(bare(field), format) ?? fail(field, i);
  });
  return columnFromValues(values, type);
}

const expected: Record<TextType, string> = {
  number: 'a number',
  int64: 'a whole number of 64 bits',
  boolean: 'a boolean',
  timestamp: 'a time in milliseconds',
  'timestamp[us]': 'a time in microseconds',
  'timestamp[ns]': 'a time in nanoseconds (1677 to 2262)',
  string: 'a string',
};

function stringOf(field: Field, { trim, nullStrings, nullWords }: TextFormat): Field {
  if (field === undefined) return undefined;
  const text = trim ? bare(field) : field;
  return nullStrings && (nullWords.has(text) || nullWords.has(bare(text))) ? undefined : text;
}

function int64Of(text: string, format: TextFormat): bigint | undefined {
  return parseInt64(format.plainNumber(text));
}

function booleanOf(text: string): boolean | undefined {
  return booleanPattern.test(text) ? text.length === 4 : undefined;
}

function numberColumn(
  fields: readonly Field[],
  type: arrow.DataType,
  format: TextFormat,
  mayRound: boolean,
  fail: Fail,
): arrow.Data {
  const values = new Float64Array(fields.length);
  const valid = new Uint8Array(fields.length);
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i];
    if (isMissing(field, format)) continue;
    const text = bare(field);
    values[i] = numberOf(format.plainNumber(text)) ?? fail(text, i);
    if (!mayRound && text.length > SAFE_DIGITS && isRounded(format.plainNumber(text), values[i]!)) {
      fail(
        text,
        i,
        'a number that a double holds exactly',
        parseInt64(text) === undefined ? 'string' : 'int64',
      );
    }
    valid[i] = 1;
  }
  const { bitmap, nullCount } = bitmapOf(valid);
  return arrowData({
    type,
    length: fields.length,
    nullCount,
    nullBitmap: nullCount > 0 ? bitmap : undefined,
    data: values,
  });
}

function numberOf(text: string): number | undefined {
  const value = Number(text);
  // 0x10, 0b1 and 0o7 are numbers to JavaScript alone.
  if (!Number.isNaN(value)) return /^0[xbo]/i.test(text) ? undefined : value;
  if (!infinityPattern.test(text)) return undefined;
  return text.startsWith('-') ? -Infinity : Infinity;
}

/** A whole number that is another one as a double: ids must not merge. */
function isRounded(text: string, value: number): boolean {
  if (Number.isSafeInteger(value) || text.length > 400 || !wholePattern.test(text)) return false;
  return Number.isFinite(value) && BigInt(text.startsWith('+') ? text.slice(1) : text) !== BigInt(value);
}
