// CSV, JSON and Arrow files as datasets.

import { Dataset } from './dataset.ts';
import { requireWhole } from './operators/mapBatches.ts';
import { decodeArrow } from './source/decodeArrow.ts';
import { DecodedSource } from './source/decodedSource.ts';
import { labelOf, listFiles, type Paths, type StoreOptions } from './store/listFiles.ts';
import { decodeCsv } from './text/decodeCsv.ts';
import { decodeJson } from './text/decodeJson.ts';
import type { TextType } from './text/textColumn.ts';

export interface ReadTextOptions extends StoreOptions {
  /** Columns to keep; all when left out. */
  readonly columns?: readonly string[];
  /** Types of columns that the first rows would not tell rightly. */
  readonly types?: Readonly<Record<string, TextType>>;
  /** Rows of a batch at most, and rows from which types are inferred; 65,536 by default. */
  readonly batchRows?: number;
}

export interface ReadCsvOptions extends ReadTextOptions {
  /** "," by default, a tab for .tsv files. */
  readonly delimiter?: string;
  /** Whether the first line names the columns; true by default. */
  readonly header?: boolean;
  /** Names to use instead of the header's; without either: f0, f1, … */
  readonly columnNames?: readonly string[];
}

const DEFAULT_BATCH_ROWS = 65_536;

/**
 * Reads CSV files (paths as for readParquet). Types come from the first rows: number, boolean, timestamp (ISO 8601,
 * UTC unless a zone is given) or string. Empty fields are missing; so are NA, null and NaN outside of string columns.
 */
export function readCsv(paths: Paths, options: ReadCsvOptions = {}): Dataset {
  const { batchRows = DEFAULT_BATCH_ROWS, delimiter, header = true, columnNames, types = {} } = options;
  requireWhole(batchRows, 'batchRows');
  const settings = { batchRows, delimiter, hasHeader: header, columnNames, types };
  const list = listFiles(paths, ['.csv', '.tsv', '.txt'], options);
  return Dataset.fromSource(
    new DecodedSource(
      `csv ${labelOf(paths)}`,
      list,
      (file, schema, signal) => decodeCsv(file, schema, settings, signal),
      options.columns,
    ),
  );
}

/** Reads files of JSON lines, or of one array of objects. Numbers become doubles; the first rows decide the columns. */
export function readJson(paths: Paths, options: ReadTextOptions = {}): Dataset {
  const { batchRows = DEFAULT_BATCH_ROWS, types = {} } = options;
  requireWhole(batchRows, 'batchRows');
  const list = listFiles(paths, ['.json', '.jsonl', '.ndjson'], options);
  return Dataset.fromSource(
    new DecodedSource(
      `json ${labelOf(paths)}`,
      list,
      (file, schema, signal) => decodeJson(file, schema, { types, batchRows }, signal),
      options.columns,
    ),
  );
}

export interface ReadArrowOptions extends StoreOptions {
  readonly columns?: readonly string[];
}

/** Reads Arrow IPC files and streams, in the batches that they hold. */
export function readArrow(paths: Paths, options: ReadArrowOptions = {}): Dataset {
  const list = listFiles(paths, ['.arrow', '.feather', '.arrows', '.ipc'], options);
  return Dataset.fromSource(
    new DecodedSource(
      `arrow ${labelOf(paths)}`,
      list,
      (file, _schema, signal) => decodeArrow(file, signal),
      options.columns,
    ),
  );
}
