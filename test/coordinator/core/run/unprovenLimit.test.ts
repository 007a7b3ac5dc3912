// A limit for what newcomers hold of a run: who takes part, when the run waits, and what its owner is told.

import { describe, expect, it } from 'vitest';
import { meetsLimit, withinLimit } from '../../../../coordinator/core/run/unprovenLimit.ts';
import type { RunPlan } from '../../../../coordinator/core/run/runPlan.ts';
import type { RunWorker } from '../../../../coordinator/core/run/runState.ts';
import { Bench, makeShards, makeWorker } from './runBench.ts';

const unproven = (workerId: string): RunWorker => makeWorker(workerId, { isUnproven: true });
const trusted = (workerId: string): RunWorker => makeWorker(workerId, { isUnproven: false });

function limited(maxUnprovenShare: number, plan: Partial<RunPlan> = {}): Bench {
  return new Bench({ workers: { min: 1, max: 8 }, totalRounds: 1_000, maxUnprovenShare, ...plan });
}

function formed(bench: Bench, ...workers: RunWorker[]): Bench {
  bench.workers(...workers);
  if (bench.state.phase === 'waiting') bench.tick();
  return bench;
}

const heldBy = (bench: Bench): Record<string, number> =>
  Object.fromEntries(bench.state.members.map(({ workerId, leases }) => [workerId, leases.length]));

describe('a limit for unproven workers', () => {
  it('lets all take part, with less of the rows', () => {
    const bench = formed(limited(0.5), unproven('u'), unproven('v'), unproven('w'), trusted('t'));
    expect(heldBy(bench)).toEqual({ u: 2, v: 1, w: 1, t: 4 });
    expect(bench.events('group')[0]).not.toHaveProperty('note');
  });

  it('leaves out those for whom there is not even the least, and says so', () => {
    const bench = formed(limited(0.25), unproven('u'), unproven('v'), unproven('w'), trusted('t'));
    expect(heldBy(bench)).toEqual({ u: 1, v: 1, t: 6 });
    expect(bench.events('group')[0]?.note).toBe(
      'Left out: 1 unproven beyond the 25 % of the rows that those may hold.',
    );
  });

  it('keeps a place for who holds the rest', () => {
    const bench = formed(
      limited(0.9, { workers: { min: 1, max: 2 } }),
      unproven('u'),
      unproven('v'),
      trusted('t'),
    );
    expect(bench.group).toEqual(['u', 't']);
  });

  it('has the run wait while none is there for the rest, and says for whom', () => {
    const bench = limited(0.5);
    bench.workers(unproven('u'), unproven('v'));
    expect(bench.state.phase).toBe('waiting');
    expect(bench.events('waiting')).toEqual([
      {
        type: 'waiting',
        reason:
          'Waiting for 1 more worker (0 of 1 here); besides: 2 unproven, which may hold 50 % of the rows, and none of ' +
          "the owner's or proven for the rest: start a worker of your own, or raise the share.",
      },
    ]);
    formed(bench, unproven('u'), unproven('v'), trusted('t'));
    expect(bench.group).toEqual(['u', 'v', 't']);
  });

  it('of nothing keeps them out', () => {
    const bench = limited(0);
    bench.workers(unproven('u'));
    expect(bench.events('waiting')[0]?.reason).toContain(
      '1 unproven beyond the 0 % of the rows that those may hold',
    );
    formed(bench, unproven('u'), trusted('t'));
    expect(bench.group).toEqual(['t']);
  });

  it('has the run wait when the last one that is trusted goes, and go on when another comes', () => {
    const bench = formed(limited(0.5), trusted('t'), unproven('u'));
    bench.ready('t', 'u');
    bench.allCommitted(0);
    bench.input({
      type: 'workers',
      atMs: bench.atMs,
      workers: [unproven('u')],
      busy: 0,
      lost: new Map([['t', 'gone']]),
    });
    bench.halted('u', 1);
    expect(bench.state.phase).toBe('waiting');
    formed(bench, unproven('u'), trusted('s'));
    expect(bench.group).toEqual(['u', 's']);
    expect(bench.state.record).toHaveLength(1);
  });

  it('does not interrupt a group for one that would have no place', () => {
    const bench = formed(limited(0.25), trusted('t'), unproven('u'), unproven('v'));
    bench.ready('t', 'u', 'v');
    bench.workers(trusted('t'), unproven('u'), unproven('v'), unproven('w'));
    expect(bench.state.prepared.size).toBe(0);
    bench.workers(trusted('t'), trusted('u'), unproven('v'), unproven('w'));
    expect([...bench.state.prepared.keys()]).toEqual(['w']);
  });

  it('is not taken for a difference in speed', () => {
    const bench = formed(limited(0.25, { workers: { min: 2, max: 2 } }), trusted('t'), unproven('u'));
    bench.ready('t', 'u');
    expect(heldBy(bench)).toEqual({ t: 6, u: 2 });
    for (let round = 0; round < 30; round += 1) {
      // As fast a row: the member with more rows takes longer, and a plan without a limit would be better.
      bench.committed('t', round, 60_000);
      bench.committed('u', round, 20_000);
      expect(bench.state.phase).toBe('training');
    }
    expect(bench.state.generation).toBe(1);
  });
});

describe('where each member has as many rows as another', () => {
  const kind = {
    leasesShards: false,
    recordsEveryRound: false,
    storesAfterwards: false,
    checksRounds: false,
  };
  const plan = (maxUnprovenShare: number, max = 8): Parameters<typeof withinLimit>[0] => ({
    workers: { min: 1, max },
    usefulWorkers: 16,
    kind,
    maxUnprovenShare,
  });
  const many = (count: number, make: (workerId: string) => RunWorker, name: string): RunWorker[] =>
    Array.from({ length: count }, (_, i) => make(`${name}${i}`));
  const admitted = (share: number, newcomers: number, others: number, max = 8): number =>
    withinLimit(plan(share, max), [...many(newcomers, unproven, 'u'), ...many(others, trusted, 't')]).filter(
      ({ isUnproven }) => isUnproven === true,
    ).length;

  it('so many unproven ones take part as make up their share', () => {
    expect([admitted(0.5, 9, 1), admitted(0.5, 9, 3), admitted(0.5, 9, 9)]).toEqual([1, 3, 4]);
    expect([admitted(0.75, 9, 1), admitted(0.75, 9, 2), admitted(0.25, 9, 3)]).toEqual([3, 6, 1]);
    expect([admitted(0.5, 9, 0), admitted(0, 9, 9), admitted(1, 9, 0), admitted(0.5, 9, 9, 1)]).toEqual([
      0, 0, 9, 0,
    ]);
  });

  it('groups are judged by the same measure', () => {
    const group = [...many(3, unproven, 'u'), ...many(3, trusted, 't')];
    expect([meetsLimit(plan(0.5), group), meetsLimit(plan(0.49), group)]).toEqual([true, false]);
  });

  it('shards of the plan are not what counts', () => {
    const bench = formed(
      limited(0.5, { kind, shards: makeShards(1), usefulWorkers: 8 }),
      unproven('u'),
      trusted('t'),
    );
    expect(bench.group).toEqual(['u', 't']);
  });
});
