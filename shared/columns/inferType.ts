// The Arrow type of JavaScript values.

import * as arrow from 'apache-arrow';
import { TypeMismatchError } from './columnErrors.ts';
import type { ExactTimes } from './exactTimes.ts';
import { memberOf } from '../memberOf.ts';
import { typeName } from './typeName.ts';

/**
 * Numbers are doubles, bigints 64-bit integers, strings dictionary-encoded, Dates millisecond timestamps (or as fine as
 * `times` knows them), Uint8Arrays binary, other arrays lists, objects structs. Bigints among numbers are 64-bit integers
 * where the numbers are whole, and else doubles. Missing values (null, undefined) fit every type; none but these: Null.
 * @throws TypeMismatchError for a mixture that no type holds exactly.
 */
export function inferType(values: Iterable<unknown>, column: string, times?: ExactTimes): arrow.DataType {
  let type: arrow.DataType | undefined;
  let hasBigints = false;
  let row = 0;
  for (const value of values) {
    if (value !== null && value !== undefined) {
      const kind = kindOf(value);
      type = type === undefined ? startType(kind) : joined(type, kind, column, row);
      if (arrow.DataType.isList(type) || arrow.DataType.isStruct(type))
        return nestedType(values, type, column);
      hasBigints ||= kind === 'bigint';
    }
    row++;
  }
  if (hasBigints) return integerType(values, column);
  if (type !== undefined && arrow.DataType.isTimestamp(type)) return times?.typeOf(values) ?? type;
  return type ?? new arrow.Null();
}

type Kind = 'boolean' | 'number' | 'bigint' | 'string' | 'date' | 'bytes' | 'list' | 'struct';

function kindOf(value: unknown): Kind {
  const kind = typeof value;
  if (kind === 'boolean' || kind === 'number' || kind === 'bigint' || kind === 'string') return kind;
  if (value instanceof Date) return 'date';
  if (value instanceof Uint8Array) return 'bytes';
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return 'list';
  return 'struct';
}

const typeOfKind: Record<Kind, () => arrow.DataType> = {
  boolean: () => new arrow.Bool(),
  number: () => new arrow.Float64(),
  bigint: () => new arrow.Int64(),
  string: () => new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32()),
  date: () => new arrow.TimestampMillisecond(),
  bytes: () => new arrow.Binary(),
  list: () => new arrow.List(new arrow.Field('element', new arrow.Null(), true)),
  struct: () => new arrow.Struct([]),
};

function startType(kind: Kind): arrow.DataType {
  return typeOfKind[kind]();
}

function joined(type: arrow.DataType, kind: Kind, column: string, row: number): arrow.DataType {
  // Which of the two it is shows at the end.
  if (kind === 'number' && arrow.DataType.isInt(type)) return type;
  if (kind === 'bigint' && arrow.DataType.isFloat(type)) return type;
  const other = startType(kind);
  if (typeName(other) === typeName(type)) return type;
  throw new TypeMismatchError(
    `Column "${column}" holds ${typeName(type)} and, in row ${row}, a ${kind}; values of one kind are expected.`,
    { column, row },
  );
}

const MAX_INT64 = 2n ** 63n - 1n;
const MAX_UINT64 = 2n ** 64n - 1n;

/** Of bigints, with or without numbers among them. */
function integerType(values: Iterable<unknown>, column: string): arrow.DataType {
  let [least, most] = [0n, 0n];
  let areWhole = true;
  let inexact: number | undefined;
  let row = 0;
  for (const value of values) {
    if (typeof value === 'bigint') {
      if (value < least) least = value;
      if (value > most) most = value;
      if (BigInt(Number(value)) !== value) inexact ??= row;
    } else if (typeof value === 'number' && !Number.isSafeInteger(value)) areWhole = false;
    row++;
  }
  if (areWhole && least >= -MAX_INT64 - 1n && most <= MAX_INT64) return new arrow.Int64();
  if (areWhole && least >= 0n && most <= MAX_UINT64) return new arrow.Uint64();
  if (inexact === undefined) return new arrow.Float64();
  throw new TypeMismatchError(
    `Column "${column}" holds, in row ${inexact}, a whole number that doubles would round` +
      (areWhole ? ' and 64 bits do not hold.' : ', and fractions among its numbers.'),
    { column, row: inexact },
  );
}

/** Objects that each have other members would make a table that grows with the square of their number. */
const MAX_STRUCT_MEMBERS = 10_000;

function nestedType(values: Iterable<unknown>, type: arrow.DataType, column: string): arrow.DataType {
  const present = [...values].filter((value) => value !== null && value !== undefined);
  if (arrow.DataType.isList(type)) {
    const items: unknown[] = [];
    for (const value of present) for (const item of value as Iterable<unknown>) items.push(item);
    return new arrow.List(new arrow.Field('element', inferType(items, column), true));
  }
  const names = new Set(present.flatMap((value) => Object.keys(value)));
  if (names.size > MAX_STRUCT_MEMBERS || names.size * present.length > 2 ** 26) {
    throw new TypeMismatchError(
      `Column "${column}" holds objects of ${names.size} different members; objects of one column have the same ones.`,
      { column },
    );
  }
  const fields = Array.from(names, (name) => {
    const member = present.map((value) => memberOf(value, name));
    return new arrow.Field(name, inferType(member, `${column}.${name}`), true);
  });
  return new arrow.Struct(fields);
}
