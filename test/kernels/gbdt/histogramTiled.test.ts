import { describe, expect, it } from 'vitest';
import { rowsPerGroup, tileJobs, tilingPays } from '../../../kernels/gbdt/ops/histogramTiled.ts';

const slots256 = (features: number) => Int32Array.from({ length: features + 1 }, (_, i) => 256 * i);

describe('tileJobs', () => {
  it('gives each word of four full features a tile a node', () => {
    expect([...tileJobs(slots256(5), 2)]).toEqual([0, 0, 1, 1024, 0, 1, 1, 1024, 1, 0, 2, 256]);
  });

  it('covers every word and node exactly once, within the tile', () => {
    const firstSlot = Int32Array.of(0, 3, 4, 260, 277, 300);
    const seen = new Set<string>();
    const jobs = tileJobs(firstSlot, 37);
    for (let at = 0; at < jobs.length; at += 4) {
      const [word = 0, first = 0, nodes = 0, slots = 0] = jobs.subarray(at, at + 4);
      expect(nodes * slots).toBeLessThanOrEqual(1024);
      for (let node = first; node < first + nodes; node += 1) {
        expect(seen.has(`${word} ${node}`)).toBe(false);
        seen.add(`${word} ${node}`);
      }
    }
    expect(seen.size).toBe(2 * 37);
  });
});

describe('rowsPerGroup', () => {
  const tiling = { leastGroups: 100, rowsPerGroup: [512, 4096] } as const;

  it('gives every thread of a workgroup as many rows, within the bounds', () => {
    expect([0, 1000, 100_000, 1_000_000].map((rows) => rowsPerGroup(tiling, rows, 1))).toEqual([
      512, 512, 1024, 4096,
    ]);
    // Three jobs over the same rows are three times as many workgroups.
    expect(rowsPerGroup(tiling, 100_000, 3)).toBe(3072);
  });
});

describe('tilingPays', () => {
  it('while a word needs at most four tiles', () => {
    expect(tilingPays(slots256(8), 4)).toBe(true);
    expect(tilingPays(slots256(8), 5)).toBe(false);
  });

  it('while a word needs at most sixteen, where a feature has few cells', () => {
    const narrow = Int32Array.of(0, 8, 264, 520, 776);
    expect(tilingPays(narrow, 16)).toBe(true);
    expect(tilingPays(narrow, 17)).toBe(false);
    // Four narrow features of many nodes fit few tiles.
    expect(tilingPays(Int32Array.of(0, 8, 16, 24, 32), 120)).toBe(true);
  });
});
