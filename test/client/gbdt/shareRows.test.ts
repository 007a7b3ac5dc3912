import { describe, expect, it } from 'vitest';
import { shareRows } from '../../../client/gbdt/shareRows.ts';
import type { RunData } from '../../../client/gbdt/runData.ts';
import type { Lease } from '../../../shared/protocol/control.ts';

const leaseOf = (index: number, dataset = 'train'): Lease => ({
  dataset,
  index,
  firstRow: 10 * index,
  rows: 10,
  sha256: 'ab'.repeat(32),
  sizeBytes: 100,
});
const valid = leaseOf(0, 'valid');

/** A member of a run of twenty rows to train on. @returns what it decides, and what it loaded. */
async function sharing(groupLeases: readonly (readonly Lease[])[]): Promise<readonly [boolean, unknown]> {
  const held: Lease[] = [];
  const data = {
    spec: { trainRows: 20, features: [{}], sharesRows: true },
    holdShared(leases: readonly Lease[]) {
      held.push(...leases);
      return Promise.resolve();
    },
  } as unknown as RunData;
  return [await shareRows(data, groupLeases, new AbortController().signal), held];
}

describe('Sharing rows', () => {
  it('loads what the coordinator says that all lease, evaluation sets too', async () => {
    const all = [[leaseOf(0), valid], [leaseOf(1)]];
    expect(await sharing(all)).toEqual([true, all.flat()]);
  });

  it('loads nothing alone, nor where the coordinator does not say what others lease', async () => {
    expect(await sharing([[leaseOf(0), leaseOf(1)]])).toEqual([false, []]);
    expect(await sharing([])).toEqual([false, []]);
  });

  it.each([
    [
      'a shard twice',
      [
        [leaseOf(0), valid],
        [leaseOf(1), valid],
      ],
      /name a shard twice/,
    ],
    ['too few rows', [[leaseOf(0)], [valid]], /have 10 rows of the training set, which has 20/],
    ['a gap', [[leaseOf(0)], [leaseOf(2)]], /have row 20 of the training set after row 9/],
  ])('refuses an assignment with %s', async (_, groupLeases, what) => {
    await expect(sharing(groupLeases)).rejects.toThrow(what);
  });
});
