// From the fields of a form to a row that is posted to an application, and from an example row to a form.

import type { ModelField } from '../../../shared/api/servingAnswers.ts';
import { servingEn } from '../words/servingEn.ts';

/** What stands in the form, by field. */
export type FormTexts = Readonly<Record<string, string>>;
export type Row = Readonly<Record<string, unknown>>;

/** A form of more fields is no help; the row is written as JSON then. */
export const MAX_FORM_FIELDS = 60;

/** A row, or what is wrong with one of its fields. */
export type ReadRow = { readonly row: Row } | { readonly problem: string };

/** Fields that are left empty are missing values. */
export function readRow(fields: readonly ModelField[], texts: FormTexts): ReadRow {
  const row: Record<string, unknown> = {};
  for (const field of fields) {
    const text = (texts[field.name] ?? '').trim();
    const value = readValue(field, text);
    if (value === undefined) {
      const wrong = field.kind === 'tensor' ? servingEn.notJson : servingEn.notNumber;
      return { problem: wrong(field.name) };
    }
    row[field.name] = value;
  }
  return { row };
}

/** Undefined for what the field can not be. */
function readValue({ kind }: ModelField, text: string): unknown {
  if (text === '') return null;
  if (kind === 'category') return text;
  if (kind === 'tensor') return parsed(text);
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** @param example values by field; the form stays empty where there is none. */
export function formTexts(fields: readonly ModelField[], example: Row = {}): FormTexts {
  return Object.fromEntries(fields.map((field) => [field.name, textOf(field, example[field.name])]));
}

function textOf({ kind, shape = [] }: ModelField, value: unknown): string {
  if (typeof value === 'number') return String(shortFloat(value));
  if (typeof value === 'string') return value;
  // One of zeros shows how it is nested.
  return kind === 'tensor' && sizeOf(shape) <= 64 ? JSON.stringify(zeros(shape)) : '';
}

function zeros(shape: readonly number[]): unknown {
  const [size = 0, ...rest] = shape;
  if (shape.length === 0) return 0;
  return Array.from({ length: Math.max(0, size) }, () => zeros(rest));
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((all, size) => all * Math.max(1, size), 1);

/** The number with the fewest digits that is the same as a float32, where that is what it is. */
export function shortFloat(value: number): number {
  if (Math.fround(value) !== value) return value;
  for (let digits = 1; digits <= 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}
