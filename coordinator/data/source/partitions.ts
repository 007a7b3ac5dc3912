// Columns that stand in the names of folders, as Hive, Spark and DuckDB write them: year=2024/month=5/part-0.parquet.

import * as arrow from 'apache-arrow';
import type { FileLocation } from '../store/byteFile.ts';
import { inferTextType, textTypes } from '../text/inferTextType.ts';
import { textColumn } from '../text/textColumn.ts';
import { textFormat } from '../text/textFormat.ts';
import { columnNames } from '../../../shared/columns/columnNames.ts';

/** Hive's word for a missing value. */
const MISSING = '__HIVE_DEFAULT_PARTITION__';

/** The types of partition columns are inferred from the names of all folders. */
export class PartitionColumns {
  readonly #format = textFormat({ nullValues: [MISSING] });
  readonly #types = new Map<string, arrow.DataType>();

  constructor(locations: readonly FileLocation[]) {
    const values = new Map<string, (string | undefined)[]>();
    for (const { partitions } of locations)
      for (const [name, value] of partitions ?? []) {
        const held = values.get(name);
        if (held === undefined) values.set(name, [value]);
        else held.push(value);
      }
    for (const [name, texts] of values)
      this.#types.set(name, textTypes[inferTextType(texts, this.#format)]());
  }

  /** The schema of the files, with the columns of folders that no file has itself. */
  addTo(schema: arrow.Schema): arrow.Schema {
    const own = new Set(columnNames(schema));
    const added = [...this.#types].filter(([name]) => !own.has(name));
    if (added.length === 0) return schema;
    return new arrow.Schema([
      ...schema.fields,
      ...added.map(([name, type]) => new arrow.Field(name, type, true)),
    ]);
  }

  has(name: string): boolean {
    return this.#types.has(name);
  }

  /** The same value for each row of a file; missing where its folders do not have that name. */
  column({ name: file, partitions }: FileLocation, name: string, rows: number): arrow.Data {
    const fields = Array.from({ length: rows }, () => partitions?.get(name));
    const place = { column: name, file, lineOf: () => 0, isNamed: true };
    return textColumn(fields, this.#types.get(name)!, this.#format, place);
  }
}
