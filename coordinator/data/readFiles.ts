// CSV, JSON and Arrow files as datasets.

import { Dataset } from './dataset.ts';
import { DataArgumentError } from './plan/dataErrors.ts';
import { requireDistinct } from './operators/columnOperators.ts';
import {
  checkReadOptions,
  type ReadArrowOptions,
  type ReadCsvOptions,
  type ReadTextOptions,
} from './readOptions.ts';
import { decodeArrow } from './source/decodeArrow.ts';
import { type DecodeFile, DecodedSource } from './source/decodedSource.ts';
import { labelOf, listFiles, type Paths } from './store/listFiles.ts';
import { compressedEndings } from './text/decompressed.ts';
import { decodeCsv } from './text/decodeCsv.ts';
import { decodeJson } from './text/decodeJson.ts';
import { decoderOf } from './text/decodeText.ts';
import { type TextType, textTypes } from './text/inferTextType.ts';
import { textFormat } from './text/textFormat.ts';

const DEFAULT_BATCH_ROWS = 65_536;

/**
 * Reads CSV files (paths as for readParquet), also compressed ones (.csv.gz, .zst, .br). Types come from the first rows:
 * number, boolean, timestamp (ISO 8601, UTC unless a zone is given) or string; whole numbers that doubles would round are
 * int64. Empty fields are missing; so are NA, null, NaN and the like outside of string columns. Blanks around values that
 * are no strings are ignored. Lines end with LF, CR LF or CR; a blank line is a missing value of a single column.
 */
export function readCsv(paths: Paths, options: ReadCsvOptions = {}): Dataset {
  checkReadOptions('readCsv', options);
  const {
    batchRows = DEFAULT_BATCH_ROWS,
    delimiter,
    header = true,
    columnNames,
    encoding = 'utf-8',
  } = options;
  if (columnNames !== undefined) requireDistinct(columnNames, 'columnNames');
  decoderOf(encoding);
  const settings = {
    batchRows,
    delimiter,
    hasHeader: header,
    columnNames,
    types: checkedTypes(options.types),
    encoding,
    format: textFormat(options, delimiter ?? ','),
  };
  return textDataset('csv', paths, ['.csv', '.tsv', '.txt'], options, (file, schema, signal) =>
    decodeCsv(file, schema, settings, signal),
  );
}

/**
 * Reads files of JSON lines, or of one array of objects, also compressed ones (.jsonl.gz, .zst, .br). Numbers become
 * doubles; whole ones that doubles would round make int64 columns. NaN and infinities are read as Python writes them. The
 * first rows decide the columns.
 */
export function readJson(paths: Paths, options: ReadTextOptions = {}): Dataset {
  checkReadOptions('readJson', options);
  const { batchRows = DEFAULT_BATCH_ROWS } = options;
  const types = checkedTypes(options.types);
  return textDataset('json', paths, ['.json', '.jsonl', '.ndjson'], options, (file, schema, signal) =>
    decodeJson(file, schema, { types, batchRows }, signal),
  );
}

function textDataset(
  format: string,
  paths: Paths,
  endings: readonly string[],
  options: ReadTextOptions,
  decode: DecodeFile,
): Dataset {
  const all = ['', ...compressedEndings].flatMap((compressed) =>
    endings.map((ending) => ending + compressed),
  );
  const list = listFiles(paths, all, options);
  return Dataset.fromSource(new DecodedSource(`${format} ${labelOf(paths)}`, list, decode, options));
}

/** Names of columns are data: a column may be called `constructor`. */
function checkedTypes(types: Readonly<Record<string, TextType>> = {}): ReadonlyMap<string, TextType> {
  for (const [column, type] of Object.entries(types)) {
    if (Object.hasOwn(textTypes, type)) continue;
    throw new DataArgumentError(
      `The option types gives column "${column}" the type ${JSON.stringify(type)}; expected one of ${Object.keys(textTypes).join(', ')}.`,
      { field: 'types', column },
    );
  }
  return new Map(Object.entries(types));
}

/** Reads Arrow IPC files and streams, in the batches that they hold. */
export function readArrow(paths: Paths, options: ReadArrowOptions = {}): Dataset {
  checkReadOptions('readArrow', options);
  const list = listFiles(paths, ['.arrow', '.feather', '.arrows', '.ipc'], options);
  return Dataset.fromSource(
    new DecodedSource(
      `arrow ${labelOf(paths)}`,
      list,
      (file, _schema, signal) => decodeArrow(file, signal),
      options,
    ),
  );
}
