// Members that stop the group again and again by what they do themselves.

import { describe, expect, it } from 'vitest';
import { Bench, makeWorker } from './runBench.ts';

const MINUTE_MS = 60_000;

function answer(bench: Bench): void {
  for (const { workerId, halted } of bench.state.members)
    if (!halted) bench.halted(workerId, bench.state.record.length);
}

function loadingGroup(): Bench {
  const bench = new Bench({ workers: { min: 2, max: 3 }, totalRounds: 1_000 });
  bench.workers(makeWorker('a'), makeWorker('b'), makeWorker('m'));
  return bench;
}

describe('a member that comes over a new socket while the group loads', () => {
  /** @returns whether it is still a member. */
  function reconnects(bench: Bench, session: number, afterMs: number): boolean {
    bench.atMs += afterMs;
    bench.workers(makeWorker('a'), makeWorker('b'), makeWorker('m', { session }));
    if (bench.state.phase === 'halting') answer(bench);
    return bench.group.includes('m');
  }

  it('once a second is left alone after the third time, and the group begins', () => {
    const bench = loadingGroup();
    expect([2, 3, 4].map((session) => reconnects(bench, session, 1_000))).toEqual([true, true, false]);
    const { generation } = bench.state;
    for (let session = 5; session < 20; session += 1) reconnects(bench, session, 500);
    bench.ready('a', 'b');
    expect([bench.state.phase, bench.state.generation]).toEqual(['training', generation]);
    expect(bench.state.setAside.get('m')?.notBeforeMs).toBe(3_000 + 15_000);
  });

  it('once in a minute stays: lines break', () => {
    const bench = loadingGroup();
    for (let session = 2; session < 10; session += 1)
      expect(reconnects(bench, session, MINUTE_MS)).toBe(true);
  });

  it('is kept where there are not enough others', () => {
    const bench = new Bench();
    bench.workers(makeWorker('a'), makeWorker('m'));
    for (let session = 2; session < 10; session += 1) {
      bench.workers(makeWorker('a'), makeWorker('m', { session }));
      answer(bench);
      expect(bench.group).toEqual(['a', 'm']);
    }
  });
});

describe('a member that leaves while the group loads and is there again', () => {
  it('is left alone after the third time', () => {
    const bench = loadingGroup();
    const others = [makeWorker('a'), makeWorker('b')];
    const leaves = (): void => {
      bench.workers(...others, makeWorker('m', { leaving: true }));
      answer(bench);
      expect(bench.group).toEqual(['a', 'b']);
      bench.ready('a', 'b');
      bench.workers(...others, makeWorker('m'));
    };
    const joins = (): void => {
      bench.prepared('m');
      while (bench.state.phase === 'training') {
        bench.atMs += 1_000;
        bench.input({ type: 'tick', atMs: bench.atMs });
        if (bench.state.phase === 'training') bench.allCommitted(bench.state.record.length);
      }
      answer(bench);
      expect(bench.group).toEqual(['a', 'b', 'm']);
    };
    leaves();
    joins();
    leaves();
    joins();
    leaves();
    expect(bench.state.setAside.get('m')).toMatchObject({ notBeforeMs: bench.atMs + 15_000 });
    expect(bench.state.joinAtMs).toBeUndefined();
  });
});

describe('what is remembered of workers', () => {
  it('is bounded, whoever comes and goes; of those who are there all is kept', () => {
    const bench = new Bench({ workers: { min: 1, max: 3 }, totalRounds: 10_000 }).training('a', 'b');
    const entries = Array.from({ length: 5_000 }, (_, i) => `gone${i}`);
    const counts = new Map<string, number>([['b', 2], ...entries.map((id) => [id, 1] as const)]);
    const aside = { reason: 'late', until: 'heard', notBeforeMs: Infinity } as const;
    bench.state = {
      ...bench.state,
      delays: counts,
      doubts: counts,
      worked: counts,
      setAside: new Map(entries.map((id) => [id, aside])),
      suspects: new Map([...counts.keys()].map((id) => [id, new Set(['a'])])),
      withholders: new Set(entries),
    };
    bench.workers(makeWorker('a'), makeWorker('b'));
    const { delays, doubts, worked, setAside, suspects, withholders } = bench.state;
    expect([delays.size, doubts.size, worked.size, suspects.size]).toEqual([1_025, 1_025, 1_025, 1_025]);
    expect([setAside.size, withholders.size]).toEqual([1_024, 1_024]);
    expect([delays.get('b'), delays.has('gone0'), delays.has('gone4999')]).toEqual([2, false, true]);
  });

  it('is not told to an owner who waits, of those who are gone', () => {
    const bench = new Bench({ workers: { min: 2, max: 2 } });
    bench.state = {
      ...bench.state,
      setAside: new Map([
        ['gone', { reason: 'late', until: 'never' }],
        ['b', { reason: 'it lied', until: 'never' }],
      ]),
    };
    bench.workers(makeWorker('a'), makeWorker('b'));
    expect(bench.state.waitingReason).toBe(
      'Waiting for 1 more worker (1 of 2 here); besides: b set aside: it lied.',
    );
  });
});
