// The `derive` and `columns` sections of a config, applied to a dataset.

import { DictionaryStrings } from '../../shared/columns/dictionaryStrings.ts';
import type { Dataset } from '../data/dataset.ts';
import { nearestWord } from '../../shared/text/nearestWord.ts';
import { ConfigInvalidError } from './expression/configErrors.ts';
import type { Config } from './configSchema.ts';
import { deriveBatch, type DerivedColumn } from './deriveBatch.ts';
import { parseExpression } from './expression/parseExpression.ts';
import { columnsRead } from './expression/syntaxTree.ts';

interface Features {
  /** A list, or one an input of a net. */
  readonly featureColumns?: readonly string[] | Readonly<Record<string, readonly string[]>> | undefined;
}

type ColumnSections = Pick<Config, 'derive' | 'columns'>;

/** The dataset with its derived columns, and with no others than were asked for. */
export function deriveColumns(dataset: Dataset, { derive, columns }: ColumnSections): Dataset {
  const derived = parseDerived(derive);
  if (derived.length === 0) return columns === undefined ? dataset : dataset.selectColumns(columns);
  // Only what is used is read from the files.
  const source = columns === undefined ? dataset : dataset.selectColumns(neededColumns(derived, columns));
  const strings = new DictionaryStrings();
  return source.mapBatches((batch) => deriveBatch(batch, derived, columns, strings), {
    batchFormat: 'arrow',
  });
}

function parseDerived(derive: Config['derive']): DerivedColumn[] {
  return Object.entries(derive).map(([name, text]) => ({ name, expression: parseExpression(text) }));
}

/** Source columns that the kept ones depend on. */
export function neededColumns(derived: readonly DerivedColumn[], keep: readonly string[]): string[] {
  return [...whatIsNeeded(derived, keep).columns];
}

/** The derived columns among `keep`, and those that they are derived from. */
export function neededDerived(derive: Config['derive'], keep: readonly string[]): Config['derive'] {
  const { derived } = whatIsNeeded(parseDerived(derive), keep);
  return Object.fromEntries(Object.entries(derive).filter(([name]) => derived.has(name)));
}

/** Later expressions may read earlier ones, so this goes backwards. */
function whatIsNeeded(all: readonly DerivedColumn[], keep: readonly string[]) {
  const columns = new Set(keep);
  const derived = new Set<string>();
  for (const { name, expression } of [...all].reverse()) {
    if (!columns.delete(name)) continue;
    derived.add(name);
    for (const column of columnsRead(expression)) columns.add(column);
  }
  return { columns, derived };
}

/**
 * Checks every column that a config names against the columns of the data, before any row is read.
 * @throws ConfigInvalidError naming the file, the key and the nearest column.
 */
export function checkColumns(
  config: ColumnSections & Pick<Config, 'labelColumn' | 'weightColumn'> & Features,
  available: readonly string[],
  file: string,
): void {
  const known = new Set(available);
  const require = (column: string, field: string): void => {
    if (known.has(column)) return;
    const nearest = nearestWord(column, [...known]);
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
    throw new ConfigInvalidError(
      `${file}: ${field} names column "${column}", which the data does not have${hint} (columns: ${[...known].join(', ')})`,
      { file, field, column },
    );
  };
  for (const { name, expression } of parseDerived(config.derive)) {
    for (const column of columnsRead(expression)) require(column, `derive.${name}`);
    known.add(name);
  }
  for (const [index, column] of (config.columns ?? []).entries()) require(column, `columns[${index}]`);
  if (config.columns !== undefined) {
    known.clear();
    for (const column of config.columns) known.add(column);
  }
  require(config.labelColumn, 'labelColumn');
  const { featureColumns = [] } = config;
  const lists = Array.isArray(featureColumns) ? { '': featureColumns } : featureColumns;
  for (const [input, columns] of Object.entries(lists)) {
    const key = input === '' ? 'featureColumns' : `featureColumns.${input}`;
    for (const [index, column] of columns.entries()) require(column, `${key}[${index}]`);
  }
  if (config.weightColumn !== undefined) require(config.weightColumn, 'weightColumn');
}
