import { describe, expect, it } from 'vitest';
import { exampleRow } from '../../../../coordinator/core/serving/exampleRow.ts';
import type { DatasetSummary } from '../../../../shared/api/datasetAnswers.ts';
import { servingReportOf } from './servingReportOf.ts';

const model = servingReportOf().model!;

function summary(examples: Readonly<Record<string, number | string | null>>): DatasetSummary {
  const columns = Object.entries(examples).map(([name, example]) => ({
    name,
    role: 'feature' as const,
    type: 'number',
    looked: 1,
    missing: 0,
    example,
  }));
  return { name: 'train', rows: 1, columnCount: columns.length, columns };
}

describe('A row to try a model with', () => {
  it('is that of the first dataset with all of its fields', () => {
    const row = { carrier: 'UA', hour: null };
    expect(
      exampleRow(model, [
        summary({ hour: 3 }),
        summary({ ...row, more: 1 }),
        summary({ hour: 1, carrier: 'AA' }),
      ]),
    ).toEqual(row);
  });

  it('is none where no dataset has all, or not all fields are known', () => {
    expect(exampleRow(model, [summary({ hour: 3 })])).toBeUndefined();
    expect(exampleRow({ ...model, fieldCount: 3 }, [summary({ hour: 3, carrier: 'AA' })])).toBeUndefined();
  });
});
