// How files are read, as the command line says it: options of readParquet, readCsv, readJson and readArrow.

import type { FileOptions } from '../config/openSource.ts';
import { type TextType, textTypes } from '../data/text/inferTextType.ts';
import { BadArgumentError } from './cliErrors.ts';
import type { OptionSpecs, OptionValues } from './options.ts';

export const readFlags = {
  format: {
    type: 'choice',
    choices: ['parquet', 'csv', 'json', 'arrow'],
    help: 'Format of the data, where its name does not tell it: a folder is taken for one of Parquet files.',
  },
  delimiter: {
    type: 'text',
    placeholder: 'CHAR',
    help: String.raw`CSV: character between fields, such as ";" or "\t". Without it: "," (a tab for .tsv).`,
  },
  'no-header': { type: 'flag', help: 'CSV: the first line holds values; columns are f0, f1, …' },
  'column-names': {
    type: 'text',
    placeholder: 'NAMES',
    help: "CSV: names of the columns instead of the header's, with commas between them.",
  },
  types: {
    type: 'text',
    placeholder: 'TYPES',
    help: `CSV, JSON: types that the first rows would not tell rightly, as zip=string,id=int64. One of ${Object.keys(textTypes).join(', ')}.`,
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
  'binary-as-string': {
    type: 'flag',
    help: 'Parquet: byte strings without a logical type are text, as Impala and old Hive write it.',
  },
  'memory-limit-bytes': {
    type: 'integer',
    placeholder: 'BYTES',
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    help: 'Parquet: what the pages of one row group may take unpacked. Without it 256 MiB, or in proportion to the file.',
  },
  'union-by-name': {
    type: 'flag',
    help: 'Read files whose columns differ: all columns of all files, missing where a file has none.',
  },
  'no-hive-partitioning': {
    type: 'flag',
    help: 'Folders named like year=2024 are no columns.',
  },
} as const satisfies OptionSpecs;

/** The options that were given. @throws BadArgumentError */
export function fileOptionsOf(flags: OptionValues<typeof readFlags>): FileOptions {
  const { delimiter, trim, decimal, thousands, encoding } = flags;
  const csv = {
    ...(delimiter !== undefined && { delimiter: delimiter === String.raw`\t` ? '\t' : delimiter }),
    ...(flags['no-header'] && { header: false }),
    ...(flags['column-names'] !== undefined && { columnNames: flags['column-names'].split(',') }),
    ...(flags['null-values'] !== undefined && { nullValues: flags['null-values'].split(',') }),
    ...(trim && { trim }),
    ...(decimal !== undefined && { decimal }),
    ...(thousands !== undefined && { thousands }),
    ...(encoding !== undefined && { encoding }),
  };
  const read = {
    ...(flags['binary-as-string'] && { binaryAsString: true }),
    ...(flags['memory-limit-bytes'] !== undefined && { memoryLimitBytes: flags['memory-limit-bytes'] }),
    ...(flags['union-by-name'] && { unionByName: true }),
    ...(flags['no-hive-partitioning'] && { hivePartitioning: false }),
  };
  return {
    ...(flags.format !== undefined && { format: flags.format }),
    ...(Object.keys(csv).length > 0 && { csv }),
    ...(Object.keys(read).length > 0 && { read }),
    ...(flags.types !== undefined && { types: typesOf(flags.types) }),
  };
}

function typesOf(text: string): Record<string, TextType> {
  return Object.fromEntries(
    text.split(',').map((part) => {
      // Names of columns may have the sign, names of types do not.
      const [, column, type] = /^(.+)=([^=]*)$/.exec(part) ?? [];
      if (column !== undefined && type !== undefined && isTextType(type)) return [column, type];
      throw new BadArgumentError(
        `--types has "${part}"; expected COLUMN=TYPE, with one of ${Object.keys(textTypes).join(', ')}.`,
      );
    }),
  );
}

function isTextType(type: string): type is TextType {
  return Object.hasOwn(textTypes, type);
}
