// How values are written in a text file: words for missing ones, blanks, signs in numbers.

import { DataArgumentError } from '../plan/dataErrors.ts';
import { z } from 'zod';

export const textFormatFields = {
  nullValues: z
    .array(z.string().max(100))
    .max(1000)
    .readonly()
    .optional()
    .describe(
      'Words that stand for missing values in every column, instead of NA, null, NaN and the like in columns that are no text. Empty fields are always missing.',
    ),
  trim: z.boolean().optional().describe('Takes blanks off both ends of strings, too.'),
  decimal: z.enum(['.', ',']).optional().describe('Sign before the fraction of a number; "." without it.'),
  thousands: z
    .string()
    .regex(/^[,.'_ \u00a0\u202f]$/, String.raw`expected ",", ".", "'", "_" or a space`)
    .optional()
    .describe('Sign between groups of three digits.'),
};

export interface TextFormatOptions extends Readonly<z.input<z.ZodObject<typeof textFormatFields>>> {}

export interface TextFormat {
  readonly nullWords: ReadonlySet<string>;
  /** Whether they are missing in columns of strings, too. */
  readonly nullStrings: boolean;
  readonly trim: boolean;
  /** The number as JavaScript writes it, where it is one that needs a change. */
  readonly plainNumber: (field: string) => string;
}

/** Those of pandas (`read_csv`, na_values), and some more spellings. */
const usualNullWords =
  'NA|<NA>|N/A|n/a|#N/A|#N/A N/A|#NA|NULL|Null|null|None|none|NaN|nan|NAN|-NaN|-nan|1.#IND|-1.#IND|1.#QNAN|-1.#QNAN'.split(
    '|',
  );

/** @throws DataArgumentError */
export function textFormat(options: TextFormatOptions, delimiter?: string): TextFormat {
  const { nullValues, trim = false, decimal = '.', thousands } = options;
  if (thousands === decimal) throw wrongSign('thousands', decimal, 'another sign than decimal');
  if (delimiter === decimal)
    throw new DataArgumentError(
      `decimal "${decimal}" is the delimiter, too; name another delimiter, such as ";".`,
      { field: 'delimiter' },
    );
  return {
    nullWords: new Set(nullValues ?? usualNullWords),
    nullStrings: nullValues !== undefined,
    trim,
    plainNumber: plainNumber(decimal, thousands),
  };
}

function wrongSign(field: string, value: string, expected: string): DataArgumentError {
  return new DataArgumentError(`${field} is ${JSON.stringify(value)}; ${expected} is expected.`, { field });
}

function plainNumber(decimal: string, thousands: string | undefined): TextFormat['plainNumber'] {
  if (decimal === '.' && thousands === undefined) return (field) => field;
  const sign = decimal === '.' ? String.raw`\.` : ',';
  const grouped =
    thousands === undefined
      ? undefined
      : new RegExp(String.raw`^[+-]?\d{1,3}(?:[${thousands}]\d{3})+(?:${sign}\d*)?$`);
  return (field) => {
    const digits = grouped?.test(field) === true ? field.replaceAll(thousands!, '') : field;
    if (decimal === '.') return digits;
    // A point is no part of a number then.
    return digits.includes('.') ? field.replaceAll('.', '?') : digits.replace(decimal, '.');
  };
}

/** Without blanks at its ends. */
export function bare(field: string): string {
  return field.charCodeAt(0) <= 32 || field.charCodeAt(field.length - 1) <= 32 ? field.trim() : field;
}
