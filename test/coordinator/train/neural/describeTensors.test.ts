import { describe, expect, it } from 'vitest';
import { fromItems } from '../../../../coordinator/data/fromMemory.ts';
import { prepareColumns } from '../../../../coordinator/train/neural/prepareColumns.ts';
import { datasetSummaries, type DatasetSummary } from '../../../../shared/api/datasetAnswers.ts';
import { memoryBlobs } from '../memoryBlobs.ts';

describe('What is told of tensors', () => {
  it('has their shapes and types, the distribution of values, and counts of labels', async () => {
    const summaries: DatasetSummary[] = [];
    const sink = {
      blobs: memoryBlobs(),
      onSummary: (summary: DatasetSummary) => void summaries.push(summary),
    };
    const pixels = Uint8Array.from({ length: 50 * 6 }, (_, i) => i % 200);
    const digits = Int32Array.from({ length: 50 }, (_, row) => row % 3);
    const columns = { image: { values: pixels, shape: [2, 3] }, digit: { values: digits, shape: [] } };
    await prepareColumns('train', columns, sink);
    await prepareColumns(
      'table',
      fromItems([
        { x: 0.5, y: 1.5 },
        { x: -1, y: 2 },
      ]),
      sink,
    );
    expect(summaries).toMatchObject([
      {
        name: 'train',
        rows: 50,
        columnCount: 2,
        columns: [
          {
            name: 'image',
            role: 'feature',
            type: 'uint8',
            shape: [2, 3],
            looked: 300,
            numbers: { min: 0, max: 199 },
          },
          {
            name: 'digit',
            role: 'label',
            type: 'int32',
            looked: 50,
            categories: {
              distinct: 3,
              top: [
                { name: '0', count: 17 },
                { name: '1', count: 17 },
                { name: '2', count: 16 },
              ],
            },
          },
        ],
      },
      {
        name: 'table',
        rows: 2,
        columns: [{ type: 'float32', numbers: { min: -1, max: 0.5 } }, { numbers: { mean: 1.75 } }],
      },
    ]);
    expect(summaries[0]!.columns[1]).not.toHaveProperty('shape');
    expect(datasetSummaries.parse(summaries)).toEqual(summaries);
  });
});
