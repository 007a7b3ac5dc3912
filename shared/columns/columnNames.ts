// Columns by their names: those of a schema, and names told apart, because files may hold several columns of one name
// and rows can not.

import * as arrow from 'apache-arrow';
import { requireColumns } from './columnErrors.ts';

export function columnNames(schema: arrow.Schema): string[] {
  return schema.fields.map(({ name }) => name);
}

/** Where columns stand; of two with one name the first. */
export function columnIndexes(schema: arrow.Schema): Map<string, number> {
  const indexes = new Map<string, number>();
  for (const [index, { name }] of schema.fields.entries()) if (!indexes.has(name)) indexes.set(name, index);
  return indexes;
}

/** The named columns, in that order. @param where of the message. @throws UnknownColumnError */
export function selectFields(schema: arrow.Schema, names: readonly string[], where: string): arrow.Schema {
  requireColumns(names, columnNames(schema), where);
  const indexes = columnIndexes(schema);
  return new arrow.Schema(names.map((name) => schema.fields[indexes.get(name)!]!));
}

/** The names in order; the second `x` becomes `x_1`, or the next that is free, as DuckDB does. */
export function distinctNames(names: readonly string[]): string[] {
  const taken = new Set(names);
  if (taken.size === names.length) return [...names];
  const seen = new Set<string>();
  const nextSuffix = new Map<string, number>();
  return names.map((name) => {
    if (!seen.has(name)) {
      seen.add(name);
      return name;
    }
    let suffix = nextSuffix.get(name) ?? 1;
    while (taken.has(`${name}_${suffix}`)) suffix++;
    nextSuffix.set(name, suffix + 1);
    const distinct = `${name}_${suffix}`;
    taken.add(distinct);
    return distinct;
  });
}
