// Columns of plain arrays as training data, in batches of any size: what a Dataset gives, without one.

import type { BatchColumn, ColumnBatch } from '../../../shared/columns/columnBatch.ts';
import { requireColumns } from '../../../shared/columns/columnErrors.ts';
import type { TrainingData } from '../../../coordinator/train/gbdt/trainingData.ts';

export type TableColumn = readonly (number | null)[] | readonly (string | null)[];

export interface TableOptions {
  readonly batchRows?: number;
  /** Columns whose numbers are instants. */
  readonly times?: readonly string[];
  /** Order in which each batch lists its strings. */
  readonly reverseDictionaries?: boolean;
}

export function tableData(
  table: Readonly<Record<string, TableColumn>>,
  options: TableOptions = {},
): TrainingData {
  const { batchRows = 1000 } = options;
  const rows = Object.values(table)[0]?.length ?? 0;
  return {
    columns: () => Promise.resolve(Object.keys(table)),
    async *streamColumns(names): AsyncGenerator<ColumnBatch> {
      await Promise.resolve();
      requireColumns(names, Object.keys(table), 'the table');
      for (let firstRow = 0; firstRow < rows; firstRow += batchRows) {
        const columns = names.map((name) =>
          columnOf(name, table[name]!.slice(firstRow, firstRow + batchRows), table[name]!, options),
        );
        yield { rows: Math.min(batchRows, rows - firstRow), firstRow, columns };
      }
    },
  };
}

function columnOf(
  name: string,
  values: readonly (number | string | null)[],
  whole: TableColumn,
  { times = [], reverseDictionaries = false }: TableOptions,
): BatchColumn {
  if (whole.some((value) => typeof value === 'string')) {
    const dictionary = [...new Set(values.filter((value) => typeof value === 'string'))];
    if (reverseDictionaries) dictionary.reverse();
    const codes = Int32Array.from(values, (value) =>
      value === null ? -1 : dictionary.indexOf(value as string),
    );
    return { kind: 'categorical', name, codes, dictionary };
  }
  const missing = values.includes(null);
  return {
    kind: 'numeric',
    name,
    meaning: times.includes(name) ? 'time' : 'number',
    values: Float64Array.from(values, (value) => Number(value ?? 0)),
    valid: missing ? Uint8Array.from(values, (value) => (value === null ? 0 : 1)) : undefined,
  };
}
