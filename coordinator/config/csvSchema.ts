// How CSV files are written, as a config file says it: the options of readCsv.

import { z } from 'zod';
import { columnTypes } from './readSchema.ts';

export const csvSection = z
  .strictObject({
    delimiter: z.string().length(1).exactOptional().describe('Character between fields; "," without it.'),
    header: z
      .boolean()
      .exactOptional()
      .describe('Whether the first line names the columns; true without it.'),
    columnNames: z
      .array(z.string().min(1).max(512))
      .min(1)
      .max(100_000)
      .exactOptional()
      .describe("Names to use instead of the header's; without either: f0, f1, …"),
    types: columnTypes,
    nullValues: z
      .array(z.string().max(100))
      .max(1000)
      .exactOptional()
      .describe(
        'Words that stand for missing values in every column, instead of NA, null, NaN and the like.',
      ),
    trim: z.boolean().exactOptional().describe('Takes blanks off both ends of strings, too.'),
    decimal: z
      .enum(['.', ','])
      .exactOptional()
      .describe('Sign before the fraction of a number; "." without it.'),
    thousands: z.string().length(1).exactOptional().describe('Sign between groups of three digits.'),
    encoding: z.string().min(1).max(40).exactOptional().describe('"utf-8" without it; "latin1" and others.'),
  })
  .describe('How CSV files are written.');
