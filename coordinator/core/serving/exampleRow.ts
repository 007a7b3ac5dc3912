// A row to try a model with, from what owners told of their datasets.

import type { DatasetSummary } from '../../../shared/api/datasetAnswers.ts';
import type { ServingReport } from '../../../shared/api/servingAnswers.ts';

/** The first row of the first dataset that has all fields of the model; undefined where there is none. */
export function exampleRow(
  { fields, fieldCount }: NonNullable<ServingReport['model']>,
  summaries: readonly DatasetSummary[],
): Record<string, number | string | null> | undefined {
  if (fields.length < fieldCount) return undefined;
  for (const { columns } of summaries) {
    const known = new Map(columns.map((column) => [column.name, column.example]));
    const row = fields.map(({ name }) => [name, known.get(name)] as const);
    if (row.every(([, value]) => value !== undefined)) {
      return Object.fromEntries(row) as Record<string, number | string | null>;
    }
  }
  return undefined;
}
