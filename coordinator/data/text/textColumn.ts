// Columns of text fields: which type their texts look like, and their values as Arrow data of that type.

import * as arrow from 'apache-arrow';
import { arrowData } from '../../../shared/columns/arrowData.ts';
import { bitmapOf } from '../../../shared/columns/bitmap.ts';
import { columnFromValues } from '../../../shared/columns/columnFromValues.ts';
import { TypeMismatchError } from '../../../shared/columns/columnErrors.ts';

export type TextType = 'number' | 'boolean' | 'timestamp' | 'string';

const missingWords = new Set(['NA', 'N/A', '#N/A', 'NULL', 'null', 'NaN', 'nan', 'n/a', 'None']);
const numberPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const infinityPattern = /^[+-]?inf(?:inity)?$/i;
const timePattern = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?$/;

type Field = string | undefined;

/** The narrowest type that holds every field; strings when they differ. All missing: strings. */
export function inferTextType(fields: readonly Field[]): TextType {
  let type: TextType | undefined;
  for (const field of fields) {
    if (field === undefined || missingWords.has(field)) continue;
    const own = typeOf(field);
    if (own === 'string' || (type !== undefined && own !== type)) return 'string';
    type = own;
  }
  return type ?? 'string';
}

function typeOf(field: string): TextType {
  if (numberPattern.test(field) || infinityPattern.test(field)) return 'number';
  if (timePattern.test(field)) return 'timestamp';
  return /^(?:true|false)$/i.test(field) ? 'boolean' : 'string';
}

export const textTypes: Record<TextType, () => arrow.DataType> = {
  number: () => new arrow.Float64(),
  boolean: () => new arrow.Bool(),
  timestamp: () => new arrow.TimestampMillisecond(),
  string: () => new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32()),
};

function textTypeOf(type: arrow.DataType): TextType {
  if (arrow.DataType.isFloat(type)) return 'number';
  if (arrow.DataType.isBool(type)) return 'boolean';
  return arrow.DataType.isTimestamp(type) ? 'timestamp' : 'string';
}

/**
 * @param lineOf the file's line of a field, for messages.
 * @throws TypeMismatchError naming file, line and column for a field that is not of the type.
 */
export function textColumn(
  fields: readonly Field[],
  type: arrow.DataType,
  name: string,
  file: string,
  lineOf: (index: number) => number,
): arrow.Data {
  const kind = textTypeOf(type);
  if (kind === 'string') return columnFromValues(fields, type);
  const fail = (field: string, index: number): never => {
    throw new TypeMismatchError(
      `${file}, line ${lineOf(index)}: column "${name}" holds ${JSON.stringify(field.slice(0, 40))} where a ${kind} ` +
        `is expected, as in the rows before; name its type with the option types: { ${JSON.stringify(name)}: "string" }.`,
      { file, column: name },
    );
  };
  if (kind === 'number') return numberColumn(fields, type, fail);
  const values = fields.map((field, i) => {
    if (field === undefined || missingWords.has(field)) return null;
    if (kind === 'boolean') return /^true$/i.test(field) || (!/^false$/i.test(field) && fail(field, i));
    const time = timePattern.test(field) ? parseTime(field) : Number.NaN;
    return Number.isNaN(time) ? fail(field, i) : time;
  });
  return columnFromValues(values, type);
}

function numberColumn(
  fields: readonly Field[],
  type: arrow.DataType,
  fail: (field: string, index: number) => never,
): arrow.Data {
  const values = new Float64Array(fields.length);
  const valid = new Uint8Array(fields.length);
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i];
    if (field === undefined || missingWords.has(field)) continue;
    let value = Number(field);
    if (Number.isNaN(value)) {
      if (!infinityPattern.test(field)) fail(field, i);
      value = field.startsWith('-') ? -Infinity : Infinity;
    }
    values[i] = value;
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

/** Without a zone it is UTC: the same file must not mean another time on another machine. */
function parseTime(field: string): number {
  const iso = field.replace(' ', 'T');
  return Date.parse(iso.length === 10 || /(?:Z|[+-]\d\d:?\d\d)$/.test(iso) ? iso : `${iso}Z`);
}
