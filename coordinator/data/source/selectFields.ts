// The part of a table's schema that is asked for.

import * as arrow from 'apache-arrow';
import { columnIndexes } from '../../../shared/columns/concatBatches.ts';
import { requireColumns } from '../../../shared/columns/columnErrors.ts';

/** @throws UnknownColumnError */
export function selectFields(schema: arrow.Schema, names: readonly string[], where: string): arrow.Schema {
  requireColumns(
    names,
    schema.fields.map(({ name }) => name),
    where,
  );
  const indexes = columnIndexes(schema);
  return new arrow.Schema(names.map((name) => schema.fields[indexes.get(name)!]!));
}
