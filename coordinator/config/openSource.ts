// From paths or addresses to a dataset, by the format that is named or that the file name tells.

import type { Dataset } from '../data/dataset.ts';
import { readArrow, readCsv, readJson } from '../data/readFiles.ts';
import {
  readerOptions,
  type ReadCsvOptions,
  type ReadParquetOptions,
  type ReadTextOptions,
} from '../data/readOptions.ts';
import { readParquet } from '../data/readParquet.ts';
import { compressedEndings, plainName } from '../data/text/decompressed.ts';
import { ConfigInvalidError } from './expression/configErrors.ts';

/** Options of the readers, as config files and flags have them; `types` are those of text, whatever its format. */
export interface FileOptions {
  /** Where the names do not tell it; a name without an ending is taken for a folder of Parquet files. */
  readonly format?: string | undefined;
  readonly csv?: ReadCsvOptions | undefined;
  readonly json?: ReadTextOptions | undefined;
  readonly read?: ReadParquetOptions | undefined;
  readonly types?: ReadTextOptions['types'] | undefined;
}

interface FileFormat {
  readonly name: string;
  readonly endings: readonly string[];
  readonly canBeCompressed?: boolean;
  readonly reader: keyof typeof readerOptions;
  read(paths: readonly string[], options: ReadCsvOptions & ReadParquetOptions): Dataset;
}

/** An addition is one entry here and its name in configSchema.ts. */
const formats: readonly FileFormat[] = [
  { name: 'parquet', endings: ['.parquet', '.pq'], reader: 'readParquet', read: readParquet },
  { name: 'csv', endings: ['.csv', '.tsv'], canBeCompressed: true, reader: 'readCsv', read: readCsv },
  {
    name: 'json',
    endings: ['.json', '.jsonl', '.ndjson'],
    canBeCompressed: true,
    reader: 'readJson',
    read: readJson,
  },
  { name: 'arrow', endings: ['.arrow', '.feather', '.arrows', '.ipc'], reader: 'readArrow', read: readArrow },
];

/** Options of some formats alone: what they are called in words and in a config file, and where they have an effect. */
const partial: readonly {
  readonly words: string;
  readonly field: string;
  readonly formats: readonly string[];
  readonly isIn: (options: FileOptions) => boolean;
}[] = [
  {
    words: 'options for CSV have',
    field: 'data.csv',
    formats: ['csv'],
    isIn: ({ csv }) => csv !== undefined,
  },
  {
    words: 'options for JSON have',
    field: 'data.json',
    formats: ['json'],
    isIn: ({ json }) => json !== undefined,
  },
  {
    words: 'types have',
    field: 'data.csv.types',
    formats: ['csv', 'json'],
    isIn: ({ types }) => types !== undefined,
  },
  ...(['binaryAsString', 'memoryLimitBytes'] as const).map((option) => ({
    words: `${option} has`,
    field: `data.read.${option}`,
    formats: ['parquet'],
    isIn: ({ read }: FileOptions) => read?.[option] !== undefined,
  })),
  {
    words: 'batchRows has',
    field: 'data.read.batchRows',
    formats: ['parquet', 'csv', 'json'],
    isIn: ({ read }) => read?.batchRows !== undefined,
  },
];

function optionsOf(
  { csv, json, read, types }: FileOptions,
  format: string,
): ReadCsvOptions & ReadParquetOptions {
  const own = format === 'csv' ? csv : format === 'json' ? json : {};
  return { ...read, ...own, ...(types !== undefined && { types }) };
}

/**
 * @param usual options of the training, which have an effect where they can; those that are `asked` come first.
 * @throws ConfigInvalidError when the ending is of no known format, or options that are asked have no effect on it.
 */
export function openSource(
  paths: readonly string[],
  asked: FileOptions = {},
  usual: FileOptions = {},
): Dataset {
  const { format } = asked;
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
  const idle = partial.find(({ formats: ones, isIn }) => isIn(asked) && !ones.includes(chosen.name));
  if (idle !== undefined) {
    throw new ConfigInvalidError(
      `${first} is read as ${chosen.name}, and ${idle.words} no effect on it; leave them out`,
      { file: first, field: idle.field },
    );
  }
  const options = { ...optionsOf(usual, chosen.name), ...optionsOf(asked, chosen.name) };
  const known = Object.keys(readerOptions[chosen.reader].shape);
  return chosen.read(
    paths,
    Object.fromEntries(Object.entries(options).filter(([option]) => known.includes(option))),
  );
}
