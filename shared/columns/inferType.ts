// The Arrow type of JavaScript values.

import * as arrow from 'apache-arrow';
import { TypeMismatchError } from './columnErrors.ts';
import { typeName } from './typeName.ts';

/**
 * Numbers are doubles, bigints 64-bit integers, strings dictionary-encoded, Dates millisecond timestamps, Uint8Arrays
 * binary, other arrays lists, objects structs. Missing values (null, undefined) fit every type; none but these: Null.
 * @throws TypeMismatchError for a mixture that no type holds.
 */
export function inferType(values: Iterable<unknown>, column: string): arrow.DataType {
  let type: arrow.DataType | undefined;
  let row = 0;
  for (const value of values) {
    if (value !== null && value !== undefined) {
      const kind = kindOf(value);
      type = type === undefined ? startType(kind) : joined(type, kind, column, row);
      if (arrow.DataType.isList(type) || arrow.DataType.isStruct(type))
        return nestedType(values, type, column);
    }
    row++;
  }
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
  if (kind === 'number' && arrow.DataType.isInt(type)) return new arrow.Float64();
  if (kind === 'bigint' && arrow.DataType.isFloat(type)) return type;
  const other = startType(kind);
  if (typeName(other) === typeName(type)) return type;
  throw new TypeMismatchError(
    `Column "${column}" holds ${typeName(type)} and, in row ${row}, a ${kind}; values of one kind are expected.`,
    { column, row },
  );
}

function nestedType(values: Iterable<unknown>, type: arrow.DataType, column: string): arrow.DataType {
  const present = [...values].filter((value) => value !== null && value !== undefined);
  if (arrow.DataType.isList(type)) {
    const items = present.flatMap((value) => Array.from(value as Iterable<unknown>));
    return new arrow.List(new arrow.Field('element', inferType(items, column), true));
  }
  const names = new Set(present.flatMap((value) => Object.keys(value)));
  const fields = Array.from(names, (name) => {
    const member = present.map((value) => (value as Record<string, unknown>)[name]);
    return new arrow.Field(name, inferType(member, `${column}.${name}`), true);
  });
  return new arrow.Struct(fields);
}
