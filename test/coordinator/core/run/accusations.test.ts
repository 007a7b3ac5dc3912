// Members that end or stop a run by what they say of themselves and of others: one alone does not get far.

import { describe, expect, it } from 'vitest';
import { Bench, makeWorker } from './runBench.ts';

const failure = { type: 'failed', code: 'INTERNAL', message: 'because I say so' } as const;

function group(...workerIds: string[]): Bench {
  return new Bench({ workers: { min: 1, max: workerIds.length } }).training(...workerIds);
}

describe('a member that says it can not do the run', () => {
  it('is set aside, named, and the others go on', () => {
    const bench = group('a', 'b', 'c');
    bench.message('b', failure);
    expect(bench.result()).toBeUndefined();
    expect(bench.events('workerLost')).toMatchObject([
      { workerId: 'b', reason: "can't do the run: INTERNAL: because I say so" },
    ]);
    bench.halted('a', 0);
    bench.halted('c', 0);
    expect(bench.group).toEqual(['a', 'c']);
    // Nor does a new socket bring it back.
    bench.workers(makeWorker('a'), makeWorker('b', { session: 2 }), makeWorker('c'));
    expect(bench.state.joinAtMs).toBeUndefined();
  });

  it('ends the run when most of them say so, with the words of the first', () => {
    const bench = group('a', 'b', 'c');
    bench.message('b', { ...failure, code: 'NEURAL_LOSS_NOT_FINITE', message: 'step 3' });
    bench.halted('a', 0);
    bench.halted('c', 0);
    bench.ready('a', 'c');
    bench.message('c', { ...failure, message: 'something that follows from it' });
    expect(bench.result()).toMatchObject({
      code: 'WORKER_FAILED',
      message: "Worker b can't do the run: NEURAL_LOSS_NOT_FINITE: step 3 (worker c can't either)",
      place: { peer: 'b' },
    });
  });

  it('ends it at once when most say so at the same time', () => {
    const bench = group('a', 'b', 'c');
    bench.message('c', failure);
    bench.message('a', failure);
    expect(bench.result()).toMatchObject({ code: 'WORKER_FAILED' });
  });

  it('ends it when it is the last', () => {
    const bench = group('a', 'b');
    bench.message('a', failure);
    bench.halted('b', 0);
    bench.ready('b');
    expect(bench.result()).toBeUndefined();
    bench.message('b', failure);
    expect(bench.result()).toMatchObject({ code: 'WORKER_FAILED' });
  });

  it('does not count against others after a round that went well', () => {
    const bench = group('a', 'b', 'c');
    bench.message('c', failure);
    bench.halted('a', 0);
    bench.halted('b', 0);
    bench.ready('a', 'b');
    bench.allCommitted(0);
    bench.message('b', failure);
    expect(bench.result()).toBeUndefined();
    bench.halted('a', 1);
    expect(bench.group).toEqual(['a']);
  });
});

describe('a member that blames another again and again', () => {
  function accuse(bench: Bench, accuser: string, accused: string): void {
    for (let i = 0; i < 3; i += 1) {
      bench.ready(...bench.group);
      bench.message(accuser, {
        type: 'stalled',
        missing: [accused],
        code: 'DEADLINE_EXCEEDED',
        message: `${accused} is mute`,
      });
      for (const { workerId, halted } of bench.state.members) if (!halted) bench.halted(workerId, 0);
    }
  }

  it('is the one to go when it joined later', () => {
    const bench = new Bench({ workers: { min: 2, max: 3 } }).training('a', 'b', 'c');
    accuse(bench, 'c', 'a');
    expect(bench.group).toEqual(['a', 'b']);
  });

  it('gets rid of one, and not for good; with the second it goes itself, and the first comes back', () => {
    const bench = new Bench({ workers: { min: 2, max: 4 } }).training('a', 'b', 'c', 'd');
    accuse(bench, 'b', 'd');
    expect(bench.group).toEqual(['a', 'b', 'c']);
    expect(bench.state.setAside.get('d')).toMatchObject({
      until: 'heard',
      notBeforeMs: bench.atMs + 15_000,
      accuser: 'b',
    });
    accuse(bench, 'b', 'c');
    expect(bench.state.setAside.get('b')).toMatchObject({ accuser: 'c' });
    expect(bench.group).toEqual(['a', 'c']);
    bench.ready('a', 'c');
    bench.prepared('d');
    bench.tick();
    bench.halted('a', 0);
    bench.halted('c', 0);
    expect(bench.group).toEqual(['a', 'c', 'd']);
  });

  it('does not keep the other out when it has left', () => {
    const bench = new Bench({ workers: { min: 2, max: 3 } }).training('a', 'b', 'c');
    accuse(bench, 'a', 'c');
    expect(bench.group).toEqual(['a', 'b']);
    bench.workers(makeWorker('b'), makeWorker('c'));
    bench.halted('b', 0);
    expect(bench.group).toEqual(['b', 'c']);
  });

  it('is believed when another says the same, whoever joined first', () => {
    const bench = new Bench({ workers: { min: 2, max: 3 } }).training('a', 'b', 'c');
    for (let i = 0; i < 3; i += 1) {
      bench.ready(...bench.group);
      for (const accuser of ['b', 'c']) {
        const message = { type: 'stalled', missing: ['a'], code: 'PEER_LOST', message: 'a is away' } as const;
        if (bench.state.phase !== 'halting' || accuser === 'b') bench.message(accuser, message);
      }
      for (const workerId of bench.group) bench.halted(workerId, 0);
    }
    // In each generation the first to say it ends that; they take turns.
    expect(bench.state.generation).toBe(4);
    const other = new Bench({ workers: { min: 2, max: 3 } }).training('a', 'b', 'c');
    for (const accuser of ['b', 'c', 'b']) {
      other.ready(...other.group);
      other.message(accuser, { type: 'stalled', missing: ['a'], code: 'PEER_LOST', message: 'a is away' });
      for (const workerId of other.group) other.halted(workerId, 0);
    }
    expect(other.group).toEqual(['b', 'c']);
    expect(other.state.setAside.get('a')?.accuser).toBeUndefined();
  });

  it('is believed about itself', () => {
    const bench = new Bench({ workers: { min: 2, max: 3 } }).training('a', 'b', 'c');
    for (let i = 0; i < 3; i += 1) {
      bench.ready(...bench.group);
      bench.message('a', { type: 'stalled', missing: ['a'], code: 'DEVICE_LOST', message: 'no device' });
      for (const workerId of bench.group) bench.halted(workerId, 0);
    }
    expect(bench.group).toEqual(['b', 'c']);
  });
});

describe('loading', () => {
  it('is no progress when the same is said again', () => {
    const bench = new Bench();
    bench.workers(makeWorker('a'), makeWorker('b'));
    const say = (rowsLoaded: number): void =>
      bench.message('a', { type: 'loading', rowsLoaded, rowsTotal: 4_000 });
    say(0);
    bench.atMs = 50_000;
    say(0);
    expect(bench.state.members[0]).toMatchObject({ progressAtMs: 0 });
    say(1_000);
    expect(bench.state.members[0]).toMatchObject({ progressAtMs: 50_000 });
    say(1e15);
    expect(bench.events('loading')).toEqual([{ type: 'loading', rowsLoaded: 4_000, rowsTotal: 8_000 }]);
  });
});
