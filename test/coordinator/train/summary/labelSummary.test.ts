import { describe, expect, it } from 'vitest';
import { LabelSummary } from '../../../../coordinator/train/summary/labelSummary.ts';

function described(...pieces: readonly (readonly number[])[]) {
  const labels = new LabelSummary();
  for (const piece of pieces) labels.add(piece);
  return labels.describe('y');
}

describe('A summary of labels', () => {
  it('counts classes, the most frequent first', () => {
    expect(described([0, 2, 2], [2, 0, 1])).toEqual({
      name: 'y',
      role: 'label',
      type: 'class',
      looked: 6,
      missing: 0,
      categories: {
        distinct: 3,
        top: [
          { name: '2', count: 3 },
          { name: '0', count: 2 },
          { name: '1', count: 1 },
        ],
      },
    });
  });

  it('is a distribution where one label is no class, or where there are many', () => {
    expect(described([0, 1, 0.5])).toMatchObject({ type: 'number', numbers: { min: 0, max: 1, mean: 0.5 } });
    expect(described([0, -1])).toMatchObject({ type: 'number', numbers: { min: -1, max: 0 } });
    const ages = Array.from({ length: 90 }, (_, age) => age);
    expect(described(ages)).toMatchObject({ type: 'number', numbers: { min: 0, max: 89, mean: 44.5 } });
  });
});
