import { describe, expect, it } from 'vitest';
import { GrowingCategories, KnownCategories } from '../../../../coordinator/train/gbdt/categoryCodes.ts';
import { MISSING_BIN } from '../../../../kernels/gbdt/treeDevice.ts';

describe('categories of a dictionary that becomes longer between batches', () => {
  const batches = [
    { codes: [0, -1, 1], added: ['oslo', 'bonn'] },
    { codes: [1, 2], added: ['rome', 'unused'] },
    { codes: [4, 0, 2, 3], added: ['paris'] },
  ];

  function encoded(coder: GrowingCategories | KnownCategories): number[][] {
    const dictionary: string[] = [];
    return batches.map(({ codes, added }) => {
      dictionary.push(...added);
      const target = new Uint8Array(codes.length);
      const column = {
        kind: 'categorical',
        name: 'town',
        codes: Int32Array.from(codes),
        dictionary,
      } as const;
      coder.encode(column, 0, codes.length, target, 0);
      return [...target];
    });
  }

  it('are learned in order of appearance', () => {
    const categories = new GrowingCategories('town');
    expect(encoded(categories)).toEqual([
      [0, MISSING_BIN, 1],
      [1, 2],
      [3, 0, 2, 4],
    ]);
    expect(categories.finish().categories).toEqual(['bonn', 'oslo', 'paris', 'rome', 'unused']);
  });

  it('are found among known ones', () => {
    expect(encoded(new KnownCategories(['bonn', 'oslo', 'paris']))).toEqual([
      [1, MISSING_BIN, 0],
      [0, MISSING_BIN],
      [2, 1, MISSING_BIN, MISSING_BIN],
    ]);
  });
});
