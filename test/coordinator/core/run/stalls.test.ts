// Members that hold the others up by what they do not send, and say that it was another: nobody honest goes for good, and whoever
// does it again and again has more and more against itself.

import { describe, expect, it } from 'vitest';
import { Bench, makeWorker } from './runBench.ts';

type Waits = Readonly<Record<string, readonly string[]>>;

const MINUTE_MS = 60_000;

/** A group in the middle of its work. */
function working(workerIds: readonly string[], min = 2): Bench {
  const bench = new Bench({ workers: { min, max: workerIds.length }, totalRounds: 100_000 }).training(
    ...workerIds,
  );
  for (let round = 0; round < 3; round += 1) oneRound(bench);
  return bench;
}

function oneRound(bench: Bench): void {
  bench.atMs += 200;
  bench.allCommitted(bench.state.record.length);
}

/** Nothing happens until the group is halted; then each says for whom it was waiting, or is gone. */
function standStill(bench: Bench, waits: Waits, gone: readonly string[] = []): void {
  while (bench.state.phase === 'training') bench.tick();
  answer(bench, waits, gone);
}

function answer(bench: Bench, waits: Waits, gone: readonly string[] = []): void {
  const committedRounds = bench.state.record.length;
  for (const [workerId, missing] of Object.entries(waits)) {
    if (gone.includes(workerId)) continue;
    bench.message(workerId, { type: 'halted', committedRounds, rounds: [], missing });
  }
}

/** The group works until a worker that was set aside is back in it. */
function untilBack(bench: Bench, workerId: string): void {
  bench.ready(...bench.group);
  for (const endMs = bench.atMs + 20 * MINUTE_MS; !bench.group.includes(workerId) && bench.atMs < endMs;) {
    if (bench.state.phase === 'training') oneRound(bench);
    bench.atMs += 1_000;
    bench.input({ type: 'tick', atMs: bench.atMs });
    if (bench.state.prepared.get(workerId)?.isDone === false) bench.prepared(workerId);
    if (bench.state.phase === 'halting') answer(bench, Object.fromEntries(bench.group.map((id) => [id, []])));
    if (bench.state.phase === 'loading') bench.ready(...bench.group);
  }
  expect(bench.group).toContain(workerId);
}

/** M sends its part of a sum to all but V: V waits for M, and all others for V. */
describe('a member that sends to all but one', () => {
  it('goes itself when it says that it waits for nobody', () => {
    const bench = working(['m', 'a', 'b', 'v']);
    standStill(bench, { a: ['v'], b: ['v'], v: ['m'], m: [] });
    expect(bench.group).toEqual(['a', 'b', 'v']);
    expect(bench.state.setAside.get('m')).toMatchObject({ until: 'heard', notBeforeMs: bench.atMs + 15_000 });
  });

  it('gets rid of one newer than itself for a while when it names that one, never for good', () => {
    const bench = working(['m', 'a', 'b', 'v']);
    const pauses: number[] = [];
    for (let time = 0; time < 5; time += 1) {
      standStill(bench, { a: ['v'], b: ['v'], v: ['m'], m: ['v'] });
      expect(bench.group).toEqual(['m', 'a', 'b']);
      pauses.push((bench.state.setAside.get('v')?.notBeforeMs ?? 0) - bench.atMs);
      untilBack(bench, 'v');
      for (let round = 0; round < 3; round += 1) oneRound(bench);
    }
    expect(pauses).toEqual([15_000, 60_000, 300_000, 300_000, 300_000]);
    // The newcomers that come meanwhile pay for it in time, nobody with its place.
    expect(bench.state.delays.get('v')).toBeUndefined();
  });

  it('goes at the second one that it turns against, and the first comes back at once', () => {
    const bench = working(['m', 'a', 'b', 'w', 'v']);
    standStill(bench, { a: ['v'], b: ['v'], w: ['v'], v: ['m'], m: ['v'] });
    expect(bench.group).toEqual(['m', 'a', 'b', 'w']);
    bench.ready(...bench.group);
    for (let round = 0; round < 3; round += 1) oneRound(bench);
    standStill(bench, { a: ['w'], b: ['w'], w: ['m'], m: ['w'] });
    expect(bench.group).toEqual(['a', 'b', 'w']);
    expect([...bench.state.setAside.keys()]).toEqual(['m']);
  });

  it('goes at once when it names others besides', () => {
    const bench = working(['m', 'a', 'b', 'v']);
    standStill(bench, { a: ['v'], b: ['v'], v: ['m'], m: ['v', 'a'] });
    expect(bench.group).toEqual(['a', 'b', 'v']);
  });

  it('goes at once when it is the newer one', () => {
    const bench = working(['v', 'a', 'b', 'm']);
    standStill(bench, { a: ['v'], b: ['v'], v: ['m'], m: ['v'] });
    expect(bench.group).toEqual(['v', 'a', 'b']);
  });

  it('proves nothing against the other when it disappears before it answers', () => {
    const bench = working(['m', 'a', 'b', 'v']);
    standStill(bench, { a: ['v'], b: ['v'], v: ['m'], m: [] }, ['m']);
    bench.workers(...['a', 'b', 'v'].map((workerId) => makeWorker(workerId)));
    expect(bench.group).toEqual(['a', 'b', 'v']);
    expect(bench.state.setAside.size).toBe(0);
  });

  it('can not keep the group from being asked by telling of rounds that nobody else has', () => {
    const bench = working(['m', 'a', 'b', 'v']);
    const round = bench.state.record.length;
    for (let ahead = 0; bench.state.phase === 'training'; ahead += 1) {
      bench.atMs += 2_000;
      bench.says('m', round + ahead);
      bench.input({ type: 'tick', atMs: bench.atMs });
      expect(ahead).toBeLessThan(10);
    }
    expect(bench.state.halt).toMatchObject({ isStandstill: true });
  });

  it('and new names, one after the other, do not get an old member out', () => {
    const bench = working(['v', 'a', 'b', 'c']);
    bench.workers(...['v', 'a', 'b'].map((workerId) => makeWorker(workerId)));
    for (const workerId of ['v', 'a', 'b']) bench.halted(workerId, 3);
    bench.ready('v', 'a', 'b');
    for (let round = 0; round < 50; round += 1) oneRound(bench);
    for (const name of ['m1', 'm2', 'm3', 'm4']) {
      const others = ['v', 'a', 'b'].map((workerId) => makeWorker(workerId));
      bench.workers(...others, makeWorker(name));
      untilBack(bench, name);
      standStill(bench, { a: ['v'], b: ['v'], v: [name], [name]: ['v'] });
      expect(bench.group).toEqual(['v', 'a', 'b']);
      expect(bench.state.setAside.has(name)).toBe(true);
      bench.ready(...bench.group);
    }
  });
});

describe('an honest member for whom the others wait', () => {
  it('and that says nothing of any other is left alone for 15 s, then comes back', () => {
    const bench = working(['a', 'b', 'slow']);
    standStill(bench, { a: ['slow'], b: ['slow'], slow: [] });
    expect(bench.group).toEqual(['a', 'b']);
    bench.ready('a', 'b');
    bench.message('slow', { type: 'loading', generation: 1, rowsLoaded: 0, rowsTotal: 1 });
    untilBack(bench, 'slow');
    expect(bench.group).toEqual(['a', 'b', 'slow']);
  });
});

describe('a member that stops the group after each round', () => {
  /** The group works for `workMs` and is stopped then. @returns whether the member is still in it. */
  function stopped(bench: Bench, workMs: number, missing: readonly string[]): boolean {
    const untilMs = bench.atMs + workMs;
    while (bench.atMs < untilMs) oneRound(bench);
    bench.message('m', { type: 'stalled', missing, code: 'DEADLINE_EXCEEDED', message: 'no answer' });
    answer(bench, Object.fromEntries(bench.group.map((id) => [id, []])));
    bench.ready(...bench.group);
    return bench.group.includes('m');
  }

  it('and names nobody is left alone after the third time within a minute, for longer each time', () => {
    const bench = working(['m', 'a', 'b']);
    expect([0, 1, 2].map(() => stopped(bench, 200, []))).toEqual([true, true, false]);
    const first = bench.state.setAside.get('m')!;
    expect(first.reason).toMatch(/^stopped the group again and again/);
    expect(first).toMatchObject({ until: 'heard', notBeforeMs: bench.atMs + 15_000 });
    untilBack(bench, 'm');
    expect(stopped(bench, 200, [])).toBe(false);
    expect(bench.state.setAside.get('m')?.notBeforeMs).toBe(bench.atMs + MINUTE_MS);
  });

  it('may do so once in a minute: devices are lost now and then', () => {
    const bench = working(['m', 'a', 'b']);
    for (let time = 0; time < 10; time += 1) expect(stopped(bench, MINUTE_MS, [])).toBe(true);
  });

  it('and names another has a quarrel with it, and goes at the second one that it names', () => {
    const bench = working(['m', 'a', 'b', 'c', 'v']);
    for (let time = 0; time < 3; time += 1) stopped(bench, 10_000, ['v']);
    expect(bench.group).toEqual(['m', 'a', 'b', 'c']);
    for (let time = 0; time < 3; time += 1) stopped(bench, 10_000, ['c']);
    expect(bench.group).toEqual(['a', 'b', 'c']);
    expect(bench.state.setAside.has('v')).toBe(false);
  });
});
