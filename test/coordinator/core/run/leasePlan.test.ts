import { describe, expect, it } from 'vitest';
import { planLeases, usefulWorkers } from '../../../../coordinator/core/run/leasePlan.ts';
import type { PlanWorker } from '../../../../coordinator/core/run/leasePlan.ts';
import type { Lease } from '../../../../shared/protocol/control.ts';
import { seededRandom } from '../../../setup/seededRandom.ts';

function shards(count: number, dataset = 'train'): Lease[] {
  return Array.from({ length: count }, (_, index) => ({
    dataset,
    index,
    firstRow: index * 10,
    rows: 10,
    sha256: index.toString(16).padStart(64, '0'),
    sizeBytes: 10,
  }));
}

function worker(workerId: string, holds: readonly Lease[] = [], weight = 1): PlanWorker {
  return { workerId, weight, holds };
}

function indices(plan: readonly (readonly Lease[])[]): number[][] {
  return plan.map((leases) => leases.map((lease) => lease.index));
}

describe('planLeases', () => {
  it('gives newcomers contiguous shares', () => {
    expect(indices(planLeases(shards(10), [worker('a'), worker('b'), worker('c')]))).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ]);
  });

  it('gives every worker a training shard when there are as many as workers', () => {
    const plan = planLeases(shards(3), [worker('a', [], 100), worker('b', [], 1), worker('c', [], 1)]);
    expect(indices(plan)).toEqual([[0], [1], [2]]);
  });

  it('shares out in proportion to weight', () => {
    expect(indices(planLeases(shards(8), [worker('a', [], 3), worker('b', [], 1)]))).toEqual([
      [0, 1, 2, 3, 4, 5],
      [6, 7],
    ]);
  });

  it('spreads the shards of a lost worker and moves no others', () => {
    const all = shards(12);
    const plan = planLeases(all, [
      worker('a', all.slice(0, 3)),
      worker('c', all.slice(6, 9)),
      worker('d', all.slice(9)),
    ]);
    expect(indices(plan)).toEqual([
      [0, 1, 2, 3],
      [4, 6, 7, 8],
      [5, 9, 10, 11],
    ]);
  });

  it('moves no more than its share to a newcomer', () => {
    const all = shards(9);
    const plan = planLeases(all, [worker('a', all.slice(0, 5)), worker('b', all.slice(5)), worker('c')]);
    expect(indices(plan)).toEqual([
      [0, 1, 2],
      [5, 6, 7],
      [3, 4, 8],
    ]);
  });

  it('changes nothing when nothing has changed, whatever the remainders', () => {
    for (let count = 1; count <= 25; count += 1) {
      const first = planLeases(
        shards(count),
        ['a', 'b', 'c', 'd'].slice(0, count).map((id) => worker(id)),
      );
      const ids = ['a', 'b', 'c', 'd'];
      const again = planLeases(
        shards(count),
        first.map((leases, i) => worker(ids[i] ?? '', leases)),
      );
      expect(indices(again)).toEqual(indices(first));
    }
  });

  it('leaves a shard that two workers hold to the first', () => {
    const all = shards(4);
    const plan = planLeases(all, [worker('a', all.slice(0, 2)), worker('b', all)]);
    expect(indices(plan)).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  it('ignores held shards of other data', () => {
    const other = shards(4).map((lease) => ({ ...lease, sha256: 'f'.repeat(64) }));
    expect(indices(planLeases(shards(2), [worker('a'), worker('b', other)]))).toEqual([[0], [1]]);
  });

  it('leases every shard once, balanced to one shard, in random situations', () => {
    const random = seededRandom(7);
    for (let trial = 0; trial < 500; trial += 1) {
      const count = 1 + Math.floor(random() * 64);
      const all = [...shards(count), ...shards(Math.floor(random() * 9), 'valid')];
      const workers = Array.from({ length: 1 + Math.floor(random() * Math.min(8, count)) }, (_, i) =>
        worker(
          `w${i}`,
          all.filter(() => random() < 0.3),
        ),
      );
      const plan = planLeases(all, workers);
      const key = (lease: Lease): string => `${lease.dataset}/${lease.index}`;
      expect(plan.flat().map(key).sort()).toEqual(all.map(key).sort());
      const loads = plan.map((leases) => leases.filter((lease) => lease.dataset === 'train').length);
      expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
      expect(Math.min(...loads)).toBeGreaterThanOrEqual(1);
    }
  });

  describe('with a limit for unproven workers', () => {
    const unproven = (workerId: string, holds: readonly Lease[] = [], weight = 1): PlanWorker => ({
      ...worker(workerId, holds, weight),
      isUnproven: true,
    });
    const loads = (plan: readonly (readonly Lease[])[]): number[] => plan.map((leases) => leases.length);

    it('gives them no more than their share together, and others the rest in proportion', () => {
      const workers = [unproven('a', [], 3), worker('b'), unproven('c'), worker('d', [], 3)];
      expect(loads(planLeases(shards(16), workers, 1))).toEqual([6, 2, 2, 6]);
      expect(loads(planLeases(shards(16), workers, 0.5))).toEqual([6, 2, 2, 6]);
      expect(loads(planLeases(shards(16), workers, 0.49))).toEqual([5, 2, 2, 7]);
      expect(loads(planLeases(shards(16), workers, 0.25))).toEqual([3, 3, 1, 9]);
    });

    it('leaves each its least shard, of evaluation sets none, and all where there are no others', () => {
      expect(loads(planLeases(shards(16), [worker('a'), unproven('b'), unproven('c')], 0))).toEqual([
        14, 1, 1,
      ]);
      const both = [...shards(4), ...shards(4, 'valid')];
      expect(planLeases(both, [worker('a'), unproven('b')], 0.25).map((leases) => leases.length)).toEqual([
        6, 2,
      ]);
      expect(loads(planLeases(both, [worker('a'), unproven('b')], 0))).toEqual([7, 1]);
      expect(loads(planLeases(shards(6), [unproven('a'), unproven('b')], 0.1))).toEqual([3, 3]);
    });

    it('takes from one that holds more, and changes nothing the next time', () => {
      const all = shards(10);
      const first = planLeases(all, [unproven('a', all), worker('b')], 0.3);
      expect(indices(first)).toEqual([
        [0, 1, 2],
        [3, 4, 5, 6, 7, 8, 9],
      ]);
      expect(planLeases(all, [unproven('a', first[0]), worker('b', first[1])], 0.3)).toEqual(first);
    });

    it('leases every shard once, within the limit, in random situations', () => {
      const random = seededRandom(11);
      for (let trial = 0; trial < 500; trial += 1) {
        const count = 2 + Math.floor(random() * 40);
        const all = shards(count);
        const share = Math.floor(random() * 101) / 100;
        const members = 2 + Math.floor(random() * Math.min(6, count - 1));
        const workers = Array.from({ length: members }, (_, i) => {
          const weight = 0.1 + random();
          return i > 0 && random() < 0.5 ? unproven(`w${i}`, [], weight) : worker(`w${i}`, [], weight);
        });
        const plan = planLeases(all, workers, share);
        expect(
          plan
            .flat()
            .map((lease) => lease.index)
            .sort((a, b) => a - b),
        ).toEqual(all.map((_, i) => i));
        const held = plan.flatMap((leases, i) => (workers[i]!.isUnproven === true ? leases : [])).length;
        const least = workers.filter(({ isUnproven }) => isUnproven === true).length;
        expect(held).toBeLessThanOrEqual(
          Math.max(least, Math.floor((count * Math.round(share * 100)) / 100)),
        );
        expect(Math.min(...loads(plan))).toBeGreaterThanOrEqual(1);
      }
    });
  });

  it('counts as useful only who can have a training shard', () => {
    expect(usefulWorkers([...shards(3), ...shards(9, 'valid')])).toBe(3);
  });
});
