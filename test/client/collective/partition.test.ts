import { describe, expect, it } from 'vitest';
import { chainPlace, chunksOf, evenBounds, starPlace } from '../../../client/collective/partition.ts';

describe('planning of collectives', () => {
  it('cuts any length into parts that cover it and differ by at most one element', () => {
    for (const length of [0, 1, 63, 64, 65, 257, 1_000_000, 2 ** 31]) {
      for (const parts of [1, 2, 3, 4, 5, 17]) {
        const bounds = evenBounds(length, parts);
        const widths = bounds.slice(1).map((bound, part) => bound - (bounds[part] as number));
        expect(bounds).toHaveLength(parts + 1);
        expect(widths.reduce((sum, width) => sum + width, 0)).toBe(length);
        expect(Math.max(...widths) - Math.min(...widths)).toBeLessThanOrEqual(1);
      }
    }
  });

  it('covers a part with chunks, the last of which may be short', () => {
    expect([...chunksOf(5, 12, 3)]).toEqual([
      [5, 8],
      [8, 11],
      [11, 12],
    ]);
    expect([...chunksOf(4, 4, 3)]).toEqual([]);
  });

  it.each([
    ['star', starPlace],
    ['chain', chainPlace],
  ] as const)('reaches every member once in a %s, from any root', (_, placeOf) => {
    for (const size of [1, 2, 3, 5, 8]) {
      for (let root = 0; root < size; root += 1) {
        const places = Array.from({ length: size }, (__, rank) => placeOf(size, root, rank));
        const reached = new Set([root]);
        const queue = [root];
        for (let rank = queue.shift(); rank !== undefined; rank = queue.shift()) {
          for (const child of places[rank]?.children ?? []) {
            expect(places[child]?.parent).toBe(rank);
            expect(reached.has(child)).toBe(false);
            reached.add(child);
            queue.push(child);
          }
        }
        expect(reached.size).toBe(size);
        expect(places[root]?.parent).toBeUndefined();
      }
    }
  });
});
