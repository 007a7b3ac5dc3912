// How CSV files are written, as the command line says it: the options of readCsv.

import type { ReadCsvOptions } from '../data/readFiles.ts';
import type { OptionSpecs, OptionValues } from './options.ts';

export const csvFlags = {
  delimiter: {
    type: 'text',
    placeholder: 'CHAR',
    help: String.raw`CSV: character between fields, such as ";" or "\t". Without it: "," (a tab for .tsv).`,
  },
  'null-values': {
    type: 'text',
    placeholder: 'WORDS',
    help: 'CSV: words that stand for missing values in every column, with commas between them.',
  },
  trim: { type: 'flag', help: 'CSV: take blanks off both ends of strings, too.' },
  decimal: { type: 'choice', choices: ['.', ','], help: 'CSV: sign before the fraction of a number.' },
  thousands: { type: 'text', placeholder: 'CHAR', help: 'CSV: sign between groups of three digits.' },
  encoding: { type: 'text', placeholder: 'NAME', help: 'CSV: "utf-8" without it; "latin1" and others.' },
} as const satisfies OptionSpecs;

/** The options that were given. */
export function csvOptionsOf(flags: OptionValues<typeof csvFlags>): ReadCsvOptions {
  const { delimiter, trim, decimal, thousands, encoding } = flags;
  const words = flags['null-values'];
  return {
    ...(delimiter !== undefined && { delimiter: delimiter === String.raw`\t` ? '\t' : delimiter }),
    ...(words !== undefined && { nullValues: words.split(',') }),
    ...(trim && { trim }),
    ...(decimal !== undefined && { decimal }),
    ...(thousands !== undefined && { thousands }),
    ...(encoding !== undefined && { encoding }),
  };
}
