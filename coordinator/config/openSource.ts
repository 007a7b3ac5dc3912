// From paths or addresses to a dataset, by the format that is named or that the file name tells.

import type { Dataset } from '../data/dataset.ts';
import { readArrow, readCsv, type ReadCsvOptions, readJson } from '../data/readFiles.ts';
import { readParquet } from '../data/readParquet.ts';
import { compressedEndings, plainName } from '../data/text/decompressed.ts';
import { ConfigInvalidError } from './configErrors.ts';

interface FileFormat {
  readonly name: string;
  readonly endings: readonly string[];
  readonly canBeCompressed?: boolean;
  read(paths: readonly string[], csv: ReadCsvOptions): Dataset;
}

/** An addition is one entry here and its name in configSchema.ts. */
const formats: readonly FileFormat[] = [
  { name: 'parquet', endings: ['.parquet', '.pq'], read: (paths) => readParquet(paths) },
  {
    name: 'csv',
    endings: ['.csv', '.tsv'],
    canBeCompressed: true,
    read: (paths, csv) => readCsv(paths, csv),
  },
  {
    name: 'json',
    endings: ['.json', '.jsonl', '.ndjson'],
    canBeCompressed: true,
    read: (paths) => readJson(paths),
  },
  { name: 'arrow', endings: ['.arrow', '.feather', '.arrows', '.ipc'], read: (paths) => readArrow(paths) },
];

export interface SourceFormat {
  /** Where the names do not tell it; a name without an ending is taken for a folder of Parquet files. */
  readonly format?: string | undefined;
  /** How CSV files are written. */
  readonly csv?: ReadCsvOptions | undefined;
  /** Whether `csv` is wrong, and not merely of no use, where the files are of another format. */
  readonly csvIsAsked?: boolean;
}

/** @throws ConfigInvalidError when the ending is of no known format, or options for CSV have no use. */
export function openSource(
  paths: readonly string[],
  { format, csv, csvIsAsked = csv !== undefined }: SourceFormat = {},
): Dataset {
  const [first = ''] = paths;
  const path = URL.canParse(first) ? new URL(first).pathname : first;
  const plain = plainName(path);
  const ending = /\.[^./\\]+$/.exec(plain)?.[0].toLowerCase() ?? '';
  const chosen = formats.find(({ name, endings, canBeCompressed = false }) => {
    if (format !== undefined) return name === format;
    const isNamed = endings.includes(ending) && (canBeCompressed || plain === path);
    return isNamed || (ending === '' && name === 'parquet');
  });
  if (chosen === undefined) {
    throw new ConfigInvalidError(
      `${first} ends with "${ending}${path.slice(plain.length)}", which is no format of data; expected ${formats
        .flatMap(({ endings }) => endings)
        .join(', ')}, or data.format (text may be compressed: ${compressedEndings.join(', ')})`,
      { file: first, field: 'data.format' },
    );
  }
  if (csvIsAsked && chosen.name !== 'csv') {
    throw new ConfigInvalidError(
      `${first} is read as ${chosen.name}, and options for CSV have no effect on it; leave them out`,
      { file: first, field: 'data.csv' },
    );
  }
  return chosen.read(paths, csv ?? {});
}
