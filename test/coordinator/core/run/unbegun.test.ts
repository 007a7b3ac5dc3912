// Groups that do not begin: members that have all rows and links and are not ready, links that one member does not make, and
// honest ones that are slow.

import { describe, expect, it } from 'vitest';
import { wakeAtMs } from '../../../../coordinator/core/run/ticks.ts';
import { defaultTiming } from '../../../../coordinator/core/run/runPlan.ts';
import { Bench, makeShards, makeWorker } from './runBench.ts';

const { readyMs, loadIdleMs } = defaultTiming;

function groupOf(workerIds: readonly string[], min = 2): Bench {
  const bench = new Bench({ workers: { min, max: workerIds.length }, totalRounds: 1_000 });
  bench.workers(...workerIds.map((workerId) => makeWorker(workerId)));
  if (bench.state.phase === 'waiting') bench.tick();
  return bench;
}

function load(bench: Bench, workerId: string, part = 1): void {
  const rows = bench.state.members.find((member) => member.workerId === workerId)?.rows ?? 0;
  bench.message(workerId, { type: 'loading', rowsLoaded: Math.floor(part * rows), rowsTotal: rows });
}

function loadAll(bench: Bench): void {
  for (const workerId of bench.group) load(bench, workerId);
}

function halted(bench: Bench, workerId: string, ...missing: string[]): void {
  bench.message(workerId, { type: 'halted', committedRounds: 0, rounds: [], missing });
}

function noLink(bench: Bench, workerId: string, ...missing: string[]): void {
  bench.message(workerId, { type: 'stalled', missing, code: 'DEADLINE_EXCEEDED', message: 'no path' });
}

describe('a member that has all rows and links and is never ready', () => {
  it('is given fifteen seconds, then goes, and its tricks count', () => {
    const bench = groupOf(['m', 'a', 'b']);
    loadAll(bench);
    bench.atMs += 300;
    bench.ready('a', 'b');
    bench.tick();
    expect(bench.atMs).toBe(readyMs);
    expect(bench.sent('halt')).toHaveLength(3);
    for (const workerId of ['m', 'a', 'b']) halted(bench, workerId);
    expect(bench.group).toEqual(['a', 'b']);
    expect(bench.state.setAside.get('m')).toMatchObject({
      reason: `was not ready ${readyMs} ms after it got its place, and waited for nobody`,
      notBeforeMs: bench.atMs + 15_000,
    });
    expect(bench.state.cautiousUntilMs).toBe(bench.atMs + 4 * readyMs);
    expect(bench.state.delays.get('m')).toBe(2);
  });

  it('is given five times as long as the slowest of the others took', () => {
    const bench = groupOf(['slow', 'a', 'b']);
    bench.atMs = 1_000;
    loadAll(bench);
    bench.atMs += 6_000;
    bench.ready('a', 'b');
    expect(wakeAtMs(bench.plan, bench.state)).toBe(1_000 + 30_000);
    bench.atMs += 20_000;
    bench.ready('slow');
    expect(bench.state.phase).toBe('training');
  });

  it('can not put it off by saying that others are, or that it is, again and again', () => {
    const bench = groupOf(['m', 'a', 'b']);
    loadAll(bench);
    bench.ready('a', 'b');
    while (bench.state.phase === 'loading') {
      bench.atMs += 1_000;
      bench.ready('a');
      load(bench, 'm');
      bench.input({ type: 'tick', atMs: bench.atMs });
      expect(bench.atMs).toBeLessThanOrEqual(readyMs);
    }
    expect(bench.state.halt).toMatchObject({ isStandstill: true });
  });

  it('does not make those late who wait for it: two against two is waited out', () => {
    const bench = groupOf(['m', 'a', 'b', 'c']);
    loadAll(bench);
    bench.ready('m', 'a');
    expect(wakeAtMs(bench.plan, bench.state)).toBe(loadIdleMs);
  });

  it('is waited for where there are not enough others', () => {
    const bench = groupOf(['a', 'b', 'c'], 3);
    loadAll(bench);
    bench.ready('a', 'b');
    expect(wakeAtMs(bench.plan, bench.state)).toBe(loadIdleMs);
  });
});

describe('a member that makes links to all but one', () => {
  /** V has no link to M, which says that it is ready. */
  function withoutLink(bench: Bench, m: string, v: string): void {
    loadAll(bench);
    bench.ready(...bench.group.filter((workerId) => workerId !== v));
    bench.tick();
    for (const workerId of bench.group) halted(bench, workerId, ...(workerId === v ? [m] : []));
  }

  it('costs fifteen seconds, and the newer of the two goes for a while', () => {
    const newer = groupOf(['v', 'a', 'b', 'm']);
    withoutLink(newer, 'm', 'v');
    expect(newer.atMs).toBe(readyMs);
    expect(newer.group).toEqual(['v', 'a', 'b']);
    const older = groupOf(['m', 'a', 'b', 'v']);
    withoutLink(older, 'm', 'v');
    expect(older.group).toEqual(['m', 'a', 'b']);
    expect(older.state.setAside.get('v')).toMatchObject({ until: 'heard', accuser: 'm' });
    expect(older.state.cautiousUntilMs).toBe(older.atMs + 4 * readyMs);
  });

  it('goes at the second one, and the first comes back', () => {
    const bench = groupOf(['m', 'a', 'b', 'w', 'v']);
    withoutLink(bench, 'm', 'v');
    expect(bench.group).toEqual(['m', 'a', 'b', 'w']);
    withoutLink(bench, 'm', 'w');
    expect(bench.group).toEqual(['a', 'b', 'w']);
    expect([...bench.state.setAside.keys()]).toEqual(['m']);
  });

  it('goes at once where two of the others say so', () => {
    const bench = groupOf(['m', 'a', 'b', 'v', 'w']);
    loadAll(bench);
    bench.ready('m', 'a', 'b');
    bench.tick();
    for (const workerId of ['m', 'a', 'b']) halted(bench, workerId);
    for (const workerId of ['v', 'w']) halted(bench, workerId, 'm');
    expect(bench.group).toEqual(['a', 'b', 'v', 'w']);
  });

  it('goes first when it is new to a group that worked without it, also when another says it has no link', () => {
    const bench = groupOf(['a', 'b', 'c', 'm']);
    bench.workers(...['a', 'b', 'c'].map((workerId) => makeWorker(workerId)));
    for (const workerId of ['a', 'b', 'c']) bench.halted(workerId, 0);
    bench.ready('a', 'b', 'c');
    bench.allCommitted(0);
    bench.workers(...['a', 'b', 'c', 'm'].map((workerId) => makeWorker(workerId)));
    bench.prepared('m');
    bench.tick();
    for (const workerId of ['a', 'b', 'c']) bench.halted(workerId, 1);
    expect(bench.group).toEqual(['a', 'b', 'c', 'm']);
    loadAll(bench);
    noLink(bench, 'm', 'a');
    for (const workerId of ['a', 'b', 'c', 'm'])
      bench.message(workerId, { type: 'halted', committedRounds: 1, rounds: [] });
    expect(bench.group).toEqual(['a', 'b', 'c']);
  });
});

describe('a member that stops each group that a newcomer comes to', () => {
  it('is left alone after the third, and the newcomers that it named come back', () => {
    const bench = new Bench({ workers: { min: 2, max: 4 }, totalRounds: 100_000 }).training('m', 'a', 'b');
    const old = ['m', 'a', 'b'];
    const kept: string[] = [];
    for (const name of ['v1', 'v2', 'v3']) {
      bench.allCommitted(bench.state.record.length);
      bench.workers(...[...old, ...kept, name].map((workerId) => makeWorker(workerId)));
      bench.prepared(name);
      bench.tick();
      for (const workerId of old) bench.halted(workerId, bench.state.record.length);
      expect(bench.group).toEqual([...old, name]);
      loadAll(bench);
      noLink(bench, 'm', name);
      for (const workerId of [...old, name]) bench.halted(workerId, bench.state.record.length);
      bench.ready(...bench.group);
      kept.push(name);
    }
    expect([...bench.state.setAside.keys()]).toEqual(['m']);
    expect(bench.group).toContain('v3');
  });

  it('does not get one out for good that is in the middle of its work, by ending the wait early', () => {
    const bench = new Bench({ workers: { min: 2, max: 3 }, totalRounds: 1_000 }).training('m', 'a', 'v');
    for (let round = 0; round < 3; round += 1) {
      bench.atMs += 3_000;
      bench.allCommitted(round);
    }
    const answers = (missing: Readonly<Record<string, string[]>>): void => {
      for (const workerId of bench.group) {
        const message = { committedRounds: 3, rounds: [], missing: missing[workerId] ?? [] };
        bench.message(workerId, { type: 'halted', ...message });
      }
    };
    bench.atMs += 14_000;
    noLink(bench, 'm', 'v');
    answers({ m: ['v'], a: ['v'] });
    expect(bench.group).toEqual(['m', 'a', 'v']);
    bench.ready('m', 'a', 'v');
    bench.atMs += 20_000;
    noLink(bench, 'm', 'v');
    answers({ m: ['v'], a: ['v'] });
    // Far below the minute that the group has for a round.
    expect(bench.state.setAside.get('v')).toMatchObject({ notBeforeMs: bench.atMs + 15_000 });
    expect(bench.state.delays.get('v')).toBeUndefined();
  });
});

describe('two honest workers of which one loads far longer than the other', () => {
  it('just wait: who gives up in the meantime meets the other once that has its rows', () => {
    const shards = makeShards(8).map((shard) => ({ ...shard, sizeBytes: 1_000_000 }));
    const bench = new Bench({ shards });
    bench.workers(makeWorker('quick'), makeWorker('slow'));
    load(bench, 'quick');
    for (let part = 1; part <= 3; part += 1) {
      bench.atMs += 60_000;
      load(bench, 'slow', part / 4);
      // As a worker does that reaches another by no path for 30 s.
      noLink(bench, 'quick', 'slow');
      expect([bench.state.phase, bench.state.generation]).toEqual(['loading', 1]);
    }
    bench.atMs += 60_000;
    load(bench, 'slow');
    expect(bench.sent('halt').map(({ workerId }) => workerId)).toEqual(['quick', 'slow']);
    halted(bench, 'quick', 'slow');
    halted(bench, 'slow');
    expect([bench.state.generation, bench.state.fruitless.generations]).toEqual([2, 0]);
    loadAll(bench);
    bench.ready('quick', 'slow');
    expect(bench.state.phase).toBe('training');
  });

  it('have time for each shard, however large', () => {
    const shards = makeShards(2).map((shard) => ({ ...shard, sizeBytes: 64_000_000 }));
    const bench = new Bench({ shards });
    bench.workers(makeWorker('quick'), makeWorker('slow'));
    load(bench, 'quick');
    load(bench, 'slow', 0);
    // 64 MB at 16 kB/s.
    expect(wakeAtMs(bench.plan, bench.state)).toBe(4_000_000);
  });

  it('have three times two minutes where one catches up with the others, which nobody can see', () => {
    const bench = new Bench();
    bench.workers(makeWorker('quick'), makeWorker('slow'));
    loadAll(bench);
    bench.atMs += 30_000;
    noLink(bench, 'quick', 'slow');
    expect(bench.state.phase).toBe('loading');
    bench.atMs += 60_000;
    noLink(bench, 'slow', 'quick');
    expect(bench.state.phase).toBe('halting');
    halted(bench, 'quick', 'slow');
    halted(bench, 'slow', 'quick');
    expect(bench.state.generation).toBe(2);
    bench.ready('quick', 'slow');
    expect(bench.state.phase).toBe('training');
  });

  it('end a run that nobody else can go on with only when the third group has not begun', () => {
    const bench = new Bench();
    bench.workers(makeWorker('a'), makeWorker('m'));
    for (let time = 0; time < 3; time += 1) {
      expect(bench.result()).toBeUndefined();
      loadAll(bench);
      bench.tick();
      expect(bench.atMs).toBe((time + 1) * loadIdleMs);
      halted(bench, 'a', 'm');
      halted(bench, 'm');
    }
    expect(bench.result()).toMatchObject({ code: 'RUN_STUCK' });
  });
});
