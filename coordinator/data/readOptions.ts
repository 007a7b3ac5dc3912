// Options of readParquet, readCsv, readJson and readArrow: one schema for scripts, config files and docs/config.md.

import { z } from 'zod';
import { checkOptions } from '../schema/checkOptions.ts';
import { columnList, columnName, wholeFrom } from '../schema/optionWords.ts';
import { s3Options } from '../s3/s3Options.ts';
import { DataArgumentError } from './plan/dataErrors.ts';
import { storeFields } from './store/storeOptions.ts';
import { textTypes, type TextType } from './text/inferTextType.ts';
import { textFormatFields } from './text/textFormat.ts';

const unionByName = z
  .boolean()
  .optional()
  .describe(
    'Reads files whose columns differ: all columns of all files, of types that hold all their values, missing where a file has none. Without it that is an error.',
  );
const batchRows = wholeFrom(1, 2 ** 31 - 1)
  .optional()
  .describe(
    'Rows of a batch at most, and rows from which types of text are inferred, of Parquet, CSV and JSON; 65,536 without it, fewer of wide tables.',
  );
const columns = columnList.optional().describe('Columns to keep; all without it.');
const types = z
  .record(columnName, z.enum(Object.keys(textTypes) as [TextType, ...TextType[]]))
  .optional()
  .describe('Types of columns that the first rows would not tell rightly.');

const parquetFields = {
  binaryAsString: z
    .boolean()
    .optional()
    .describe(
      'Parquet: byte strings without a logical type are text, as Impala, old Hive and ClickHouse write it.',
    ),
  memoryLimitBytes: wholeFrom(1, Number.MAX_SAFE_INTEGER)
    .optional()
    .describe(
      'Parquet: what the pages of one row group may take unpacked (DATA_TOO_LARGE beyond). Without it 256 MiB, or 32 times what is stored of it.',
    ),
};

const csvFields = {
  delimiter: z
    .string()
    .regex(/^[^"\r\n]$/u, 'expected one character, other than a quote or a line break')
    .optional()
    .describe('Character between fields; "," without it, a tab for .tsv files.'),
  header: z
    .boolean()
    .optional()
    .describe(
      'Whether the first line names the columns; true without it. Columns without a name are f and their index.',
    ),
  columnNames: columnList
    .optional()
    .describe("Names to use instead of the header's; without either: f0, f1, …"),
  types,
  ...textFormatFields,
  encoding: z
    .string()
    .min(1)
    .max(40)
    .optional()
    .describe(
      '"utf-8" without it; "latin1", "windows-1252", "utf-16le" and others of the Encoding Standard.',
    ),
};

/** Of config files: how CSV and JSON files are written, and how files of every format are read. */
export const csvOptions = z.strictObject(csvFields).describe('How CSV files are written.');
export const jsonOptions = z.strictObject({ types }).describe('How JSON files are read.');
export const readOptions = z
  .strictObject({
    unionByName,
    ...parquetFields,
    batchRows,
    ...storeFields,
    s3: s3Options
      .omit({ accessKeyId: true, secretAccessKey: true, sessionToken: true })
      .optional()
      .describe('How s3:// addresses are read. Keys come from the environment alone.'),
  })
  .describe('How files are read.');

const everyFormat = { columns, unionByName, ...storeFields };

/** By reader. */
export const readerOptions = {
  readParquet: z.strictObject({ ...everyFormat, batchRows, ...parquetFields }),
  readArrow: z.strictObject(everyFormat),
  readJson: z.strictObject({ ...everyFormat, batchRows, types }),
  readCsv: z.strictObject({ ...everyFormat, batchRows, ...csvFields }),
};

/** Options of readParquet. */
export interface ReadParquetOptions extends Readonly<z.input<typeof readerOptions.readParquet>> {}
/** Options of readArrow. */
export interface ReadArrowOptions extends Readonly<z.input<typeof readerOptions.readArrow>> {}
/** Of readJson. */
export interface ReadTextOptions extends Readonly<z.input<typeof readerOptions.readJson>> {}
/** Options of readCsv. */
export interface ReadCsvOptions extends Readonly<z.input<typeof readerOptions.readCsv>> {}

/** @throws DataArgumentError naming the option that is unknown or out of range. */
export function checkReadOptions(reader: keyof typeof readerOptions, options: unknown): void {
  checkOptions(readerOptions[reader], options, (message, place) => new DataArgumentError(message, place));
}
