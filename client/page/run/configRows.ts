// What a run was asked for as rows of a table, and where several runs differ.

export interface ConfigRow {
  /** Keys from the outside in, with dots between. */
  readonly path: string;
  readonly value: string;
}

/** What every run has of its own. */
const ownPaths: ReadonlySet<string> = new Set(['name', 'runId']);
const MAX_ROWS = 1_000;
const MAX_INLINE = 80;

/** In the order in which they stand. Short lists are one row. */
export function configRows(config: Readonly<Record<string, unknown>>): ConfigRow[] {
  const rows: ConfigRow[] = [];
  const walk = (value: unknown, path: string): void => {
    if (rows.length >= MAX_ROWS) return;
    if (typeof value !== 'object' || value === null) {
      rows.push({ path, value: typeof value === 'string' ? value : JSON.stringify(value) });
      return;
    }
    const isList = Array.isArray(value);
    const text = isList ? JSON.stringify(value) : '';
    const entries = Object.entries(value);
    if (entries.length === 0) rows.push({ path, value: isList ? '[]' : '{}' });
    else if (isList && text.length <= MAX_INLINE) rows.push({ path, value: text });
    else for (const [key, item] of entries) walk(item, path === '' ? key : `${path}.${key}`);
  };
  walk(config, '');
  return rows;
}

export interface ConfigDifference {
  readonly path: string;
  /** One a run; undefined where it has no such option. */
  readonly values: readonly (string | undefined)[];
  /** One a run: whether it has another value than most. */
  readonly stands: readonly boolean[];
}

/** The options in which runs differ, in the order of the first run that has them. */
export function configDifferences(configs: readonly Readonly<Record<string, unknown>>[]): ConfigDifference[] {
  const all = configs.map((config) => new Map(configRows(config).map(({ path, value }) => [path, value])));
  const paths = [...new Set(all.flatMap((rows) => [...rows.keys()]))];
  return paths.flatMap((path) => {
    if (ownPaths.has(path)) return [];
    const values = all.map((rows) => rows.get(path));
    if (new Set(values).size < 2) return [];
    const usual = mostFrequent(values);
    return [{ path, values, stands: values.map((value) => value !== usual) }];
  });
}

/** Of equally many the first. */
function mostFrequent(values: readonly (string | undefined)[]): string | undefined {
  const count = (value: string | undefined): number => values.filter((one) => one === value).length;
  return values.reduce((best, value) => (count(value) > count(best) ? value : best), values[0]);
}
