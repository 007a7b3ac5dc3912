// How values are written in a text file, as an owner says it.

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
