// Members that keep the others waiting, in each phase: how long they may, and how often.

import { describe, expect, it } from 'vitest';
import { wakeAtMs } from '../../../../coordinator/core/run/ticks.ts';
import { defaultTiming } from '../../../../coordinator/core/run/runPlan.ts';
import { Bench, makeShards, makeWorker } from './runBench.ts';

const MINUTE_MS = 60_000;

function groupOf(...workerIds: string[]): Bench {
  const bench = new Bench({ workers: { min: 2, max: workerIds.length }, totalRounds: 1_000 });
  bench.workers(...workerIds.map((workerId) => makeWorker(workerId)));
  if (bench.state.phase === 'waiting') bench.tick();
  return bench;
}

/** Time passes; a group that trains makes its rounds. */
function pass(bench: Bench, isOver: () => boolean): void {
  for (const untilMs = bench.atMs + 10 * MINUTE_MS; bench.atMs < untilMs && !isOver();) {
    if (bench.state.phase === 'training') bench.allCommitted(bench.state.record.length);
    bench.atMs += 1_000;
    bench.input({ type: 'tick', atMs: bench.atMs });
  }
}

/** What is said of loading: so many rows of those that the member was given. */
function loads(bench: Bench, workerId: string, rowsLoaded?: number): void {
  const rows = bench.state.members.find((member) => member.workerId === workerId)?.rows ?? 0;
  bench.message(workerId, { type: 'loading', rowsLoaded: rowsLoaded ?? rows, rowsTotal: rows });
}

describe('a member that loads a row now and then', () => {
  it('is set aside when it takes far longer for its rows than the others for theirs', () => {
    const bench = groupOf('a', 'b', 'slow');
    for (const workerId of ['a', 'b', 'slow']) loads(bench, workerId, 0);
    bench.atMs = 10_000;
    for (const workerId of ['a', 'b']) loads(bench, workerId);
    loads(bench, 'slow', 1);
    bench.tick();
    // The others took 10 s for the same number of rows.
    expect(bench.atMs).toBeGreaterThanOrEqual(50_000);
    expect(bench.atMs).toBeLessThan(MINUTE_MS);
    expect(bench.events('workerLost')).toMatchObject([{ workerId: 'slow' }]);
    expect(bench.events('workerLost')[0]?.reason).toMatch(/^loaded 1 of \d+ rows in \d+ ms, far behind/);
    bench.halted('a', 0);
    bench.halted('b', 0);
    expect(bench.group).toEqual(['a', 'b']);
  });

  it('may take half a minute, however quick the others are', () => {
    const bench = groupOf('a', 'b', 'slow');
    for (const workerId of ['a', 'b', 'slow']) loads(bench, workerId, 0);
    for (const workerId of ['a', 'b']) loads(bench, workerId);
    bench.tick();
    expect(bench.atMs).toBe(defaultTiming.slowLoadMs);
  });

  it('is waited for where there are not enough others, but not for ever', () => {
    const bench = groupOf('a', 'slow');
    loads(bench, 'a');
    for (let rows = 0; rows < 100 && bench.state.phase === 'loading'; rows += 1) {
      loads(bench, 'slow', rows);
      bench.atMs += 119_000;
      if (bench.atMs >= wakeAtMs(bench.plan, bench.state)) bench.input({ type: 'tick', atMs: bench.atMs });
    }
    expect(bench.state.phase).toBe('halting');
    expect(bench.atMs).toBeLessThan(5 * MINUTE_MS);
  });

  it('gets the more time the more bytes it has to load', () => {
    const shards = makeShards(8).map((shard) => ({ ...shard, sizeBytes: 64_000_000 }));
    const bench = new Bench({ shards });
    bench.workers(makeWorker('a'), makeWorker('slow'));
    loads(bench, 'a');
    for (let rows = 0; bench.state.phase === 'loading'; rows += 1) {
      loads(bench, 'slow', rows);
      bench.atMs += 100_000;
      if (bench.atMs >= wakeAtMs(bench.plan, bench.state)) bench.input({ type: 'tick', atMs: bench.atMs });
    }
    // 256 MB at 16 kB/s.
    expect(bench.atMs).toBeGreaterThan(4 * 60 * MINUTE_MS);
  });
});

describe('a worker that is silent after each of its places', () => {
  /** It loads for a place, is given one, says nothing, and is heard of then. @returns how long the others waited. */
  function oneMore(bench: Bench): number {
    bench.prepared('zombie');
    pass(bench, () => bench.state.phase === 'halting');
    const rounds = bench.state.record.length;
    bench.halted('a', rounds);
    bench.halted('b', rounds);
    expect(bench.group).toEqual(['a', 'b', 'zombie']);
    const formedAtMs = bench.atMs;
    loads(bench, 'a', 0);
    loads(bench, 'b', 0);
    bench.tick();
    expect(bench.events('workerLost')).toMatchObject([{ workerId: 'zombie' }]);
    bench.halted('a', rounds);
    bench.halted('b', rounds);
    bench.ready('a', 'b');
    bench.message('zombie', { type: 'loading', rowsLoaded: 0, rowsTotal: 1, generation: 1 });
    return bench.atMs - formedAtMs;
  }

  it('costs little each time, comes back ever later, and not after the third', () => {
    const bench = groupOf('a', 'b', 'zombie');
    bench.workers(makeWorker('a'), makeWorker('b'));
    bench.halted('a', 0);
    bench.halted('b', 0);
    bench.ready('a', 'b');
    bench.workers(makeWorker('a'), makeWorker('b'), makeWorker('zombie'));
    const asked = (): boolean => bench.commands.some((command) => command.type === 'prepare');
    expect(asked()).toBe(true);
    const pauses: number[] = [];
    for (let time = 0; time < 2; time += 1) {
      expect(oneMore(bench)).toBeLessThanOrEqual(3 * 1_000);
      const sinceMs = bench.atMs;
      expect(asked()).toBe(false);
      pass(bench, asked);
      pauses.push(bench.atMs - sinceMs);
    }
    expect(pauses).toEqual([15_000, 60_000]);
    oneMore(bench);
    // Nothing that it says brings it back.
    bench.message('zombie', { type: 'loading', rowsLoaded: 0, rowsTotal: 1, generation: 1 });
    bench.workers(makeWorker('a'), makeWorker('b'), makeWorker('zombie', { session: 2 }));
    expect(bench.state.setAside.get('zombie')?.notBeforeMs).toBe(Infinity);
    expect(bench.state.joinAtMs).toBeUndefined();
  });

  it('comes back for a run that could not go on without it', () => {
    const bench = groupOf('a', 'b', 'zombie');
    loads(bench, 'a', 0);
    loads(bench, 'b', 0);
    bench.tick();
    const entry = { ...bench.state.setAside.get('zombie')!, notBeforeMs: Infinity };
    bench.state = { ...bench.state, setAside: new Map([['zombie', entry]]) };
    bench.workers(makeWorker('a'), makeWorker('zombie'));
    bench.halted('a', 0);
    expect(bench.state.phase).toBe('waiting');
    bench.message('zombie', { type: 'loading', rowsLoaded: 0, rowsTotal: 1, generation: 1 });
    bench.workers(makeWorker('a'), makeWorker('zombie'));
    expect(bench.group).toEqual(['a', 'zombie']);
  });

  it('keeps others of its kind out until the group has worked off what it cost', () => {
    const bench = groupOf('a', 'b', 'zombie');
    loads(bench, 'a', 0);
    loads(bench, 'b', 0);
    bench.tick();
    const lostMs = bench.atMs;
    expect(lostMs).toBe(defaultTiming.silenceMs);
    bench.halted('a', 0);
    bench.halted('b', 0);
    bench.ready('a', 'b');
    bench.workers(makeWorker('a'), makeWorker('b'), makeWorker('another'));
    bench.prepared('another');
    expect(bench.state.joinAtMs).toBe(lostMs + 4 * lostMs);
  });
});

describe('a newcomer that can not load for a place', () => {
  const failed = { code: 'BLOB_UNAVAILABLE', message: 'shard 3 is not there' };

  it('gives its turn to the next at once, and is asked again after a pause', () => {
    const bench = new Bench({ workers: { min: 2, max: 3 }, totalRounds: 1_000 }).training();
    bench.workers(makeWorker('a'), makeWorker('b'), makeWorker('c'));
    bench.workers(makeWorker('a'), makeWorker('b'), makeWorker('c'), makeWorker('d'));
    const asked = (): string[] =>
      bench.commands.flatMap((command) => (command.type === 'prepare' ? [command.workerId] : []));
    bench.message('c', { type: 'prepared', error: failed });
    expect(bench.state.setAside.get('c')?.reason).toBe(
      'could not load for a place: BLOB_UNAVAILABLE: shard 3 is not there',
    );
    expect(bench.state.prepared.has('d')).toBe(true);
    const pauses: number[] = [];
    for (let time = 0; time < 4; time += 1) {
      const sinceMs = bench.atMs;
      pass(bench, () => asked().includes('c'));
      pauses.push(bench.atMs - sinceMs);
      bench.message('c', { type: 'prepared', error: failed });
    }
    expect(pauses).toEqual([15_000, 60_000, 300_000, 300_000]);
  });

  it('has loaded nothing any more when it was let go by a full group', () => {
    const bench = new Bench({ workers: { min: 2, max: 3 }, totalRounds: 1_000 }).training();
    const both = [makeWorker('a'), makeWorker('b')];
    bench.workers(...both, makeWorker('c'));
    bench.workers(...both, makeWorker('c'), makeWorker('d'));
    bench.prepared('d');
    bench.prepared('c');
    while (bench.group.length < 3) {
      pass(bench, () => bench.state.phase === 'halting');
      for (const workerId of bench.group) bench.halted(workerId, bench.state.record.length);
    }
    const spare = ['c', 'd'].find((workerId) => !bench.group.includes(workerId))!;
    bench.ready(...bench.group);
    bench.workers(...both, makeWorker('c'), makeWorker('d'));
    expect(bench.sent('release').map(({ workerId }) => workerId)).toEqual([spare]);
    expect(bench.state.prepared.has(spare)).toBe(false);
  });

  it('gives it up also when it says nothing', () => {
    const bench = new Bench({ workers: { min: 2, max: 3 }, totalRounds: 1_000 }).training();
    bench.workers(makeWorker('a'), makeWorker('b'), makeWorker('silent'));
    expect(wakeAtMs(bench.plan, bench.state)).toBeLessThan(2.1 * MINUTE_MS);
    pass(bench, () => bench.state.setAside.has('silent'));
    expect(bench.state.setAside.get('silent')?.reason).toBe('did not load for a place in time');
    // What it says at last is that it has loaded.
    bench.prepared('silent');
    expect(bench.state.setAside.get('silent')).toMatchObject({ isHeard: true });
  });
});

describe('a member that goes quiet after a round', () => {
  function quiet(...workerIds: string[]): Bench {
    const bench = groupOf(...workerIds);
    bench.ready(...workerIds);
    bench.atMs += 200;
    bench.allCommitted(0);
    bench.tick();
    return bench;
  }

  it('costs fifteen seconds where rounds are short, and most others name it: it is set aside at once', () => {
    const bench = quiet('a', 'b', 'q');
    expect(bench.atMs).toBe(200 + defaultTiming.quietMs);
    bench.message('a', { type: 'halted', committedRounds: 1, rounds: [], missing: ['q'] });
    bench.message('b', { type: 'halted', committedRounds: 1, rounds: [], missing: ['q'] });
    bench.message('q', { type: 'halted', committedRounds: 1, rounds: [], missing: ['a', 'b'] });
    expect(bench.group).toEqual(['a', 'b']);
    // It named both others: it has a quarrel with more of them than anybody else.
    expect(bench.state.setAside.get('q')).toMatchObject({ until: 'heard', notBeforeMs: bench.atMs + 15_000 });
  });

  it('is not taken for one whom a single member names', () => {
    const bench = quiet('a', 'b', 'q');
    bench.message('a', { type: 'halted', committedRounds: 1, rounds: [] });
    bench.message('b', { type: 'halted', committedRounds: 1, rounds: [] });
    bench.message('q', { type: 'halted', committedRounds: 1, rounds: [], missing: ['a'] });
    expect(bench.group).toEqual(['a', 'b', 'q']);
  });

  it('goes as the newer one where one stands against one, and comes back', () => {
    const bench = new Bench({ workers: { min: 1, max: 2 }, totalRounds: 1_000 }).training('a', 'q');
    const pauses: number[] = [];
    for (let time = 0; time < 4; time += 1) {
      bench.atMs += 200;
      const round = bench.state.record.length;
      bench.allCommitted(round);
      bench.tick();
      bench.message('a', { type: 'halted', committedRounds: round + 1, rounds: [], missing: ['q'] });
      bench.message('q', { type: 'halted', committedRounds: round + 1, rounds: [], missing: ['a'] });
      expect(bench.group).toEqual(['a']);
      pauses.push((bench.state.setAside.get('q')?.notBeforeMs ?? 0) - bench.atMs);
      bench.ready('a');
      pass(bench, () => bench.state.prepared.has('q'));
      bench.prepared('q');
      pass(bench, () => bench.state.phase === 'halting');
      bench.halted('a', bench.state.record.length);
      expect(bench.group).toEqual(['a', 'q']);
      bench.ready('a', 'q');
    }
    expect(pauses).toEqual([15_000, 60_000, 300_000, 300_000]);
  });

  it('is given ever more time where nobody waits for anybody: an owner may do much between rounds', () => {
    const bench = groupOf('a', 'b', 'c');
    const waits: number[] = [];
    for (let time = 0; time < 3; time += 1) {
      bench.ready('a', 'b', 'c');
      bench.atMs += 200;
      const round = bench.state.record.length;
      bench.allCommitted(round);
      const sinceMs = bench.atMs;
      if (time < 2) {
        bench.tick();
        waits.push(bench.atMs - sinceMs);
        for (const workerId of ['a', 'b', 'c']) bench.halted(workerId, round + 1);
      } else {
        waits.push(wakeAtMs(bench.plan, bench.state) - sinceMs);
      }
    }
    expect(waits).toEqual([15_000, 60_000, 240_000]);
    expect(bench.group).toEqual(['a', 'b', 'c']);
  });
});
