// From paths or addresses to a dataset, by the format that is named or that the file name tells.

import type { Dataset } from '../data/dataset.ts';
import { readArrow, readCsv, readJson } from '../data/readFiles.ts';
import { readParquet } from '../data/readParquet.ts';
import { ConfigInvalidError } from './configErrors.ts';

interface FileFormat {
  readonly name: string;
  readonly endings: readonly string[];
  read(paths: readonly string[]): Dataset;
}

/** An addition is one entry here and its name in configSchema.ts. */
const formats: readonly FileFormat[] = [
  { name: 'parquet', endings: ['.parquet', '.pq'], read: (paths) => readParquet(paths) },
  { name: 'csv', endings: ['.csv', '.tsv'], read: (paths) => readCsv(paths) },
  { name: 'json', endings: ['.json', '.jsonl', '.ndjson'], read: (paths) => readJson(paths) },
  { name: 'arrow', endings: ['.arrow', '.feather', '.arrows', '.ipc'], read: (paths) => readArrow(paths) },
];

/**
 * @param format where the names do not tell it; a name without an ending is taken for a folder of Parquet files.
 * @throws ConfigInvalidError when the ending is of no known format.
 */
export function openSource(paths: readonly string[], format?: string): Dataset {
  const [first = ''] = paths;
  const path = URL.canParse(first) ? new URL(first).pathname : first;
  const ending = /\.[^./\\]+$/.exec(path)?.[0].toLowerCase() ?? '';
  const chosen = formats.find(({ name, endings }) =>
    format === undefined
      ? endings.includes(ending) || (ending === '' && name === 'parquet')
      : name === format,
  );
  if (chosen !== undefined) return chosen.read(paths);
  throw new ConfigInvalidError(
    `${first} ends with "${ending}", which is no format of data; expected ${formats
      .flatMap(({ endings }) => endings)
      .join(', ')}, or data.format`,
    { file: first, field: 'data.format' },
  );
}
