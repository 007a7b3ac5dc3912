import { describe, expect, it } from 'vitest';
import { wakeAtMs } from '../../../../coordinator/core/run/ticks.ts';
import { defaultTiming } from '../../../../coordinator/core/run/runPlan.ts';
import { Bench, makeShards, makeWorker } from './runBench.ts';

describe('losing a worker', () => {
  it('goes on without who is out of reach, whether the round in flight is made or not', () => {
    const bench = new Bench({ workers: { min: 1, max: 2 } }).training();
    bench.atMs = 400;
    bench.allCommitted(0);
    bench.atMs = 500;
    bench.workers(makeWorker('a', { present: false }), makeWorker('b'));
    expect(bench.sent('halt')).toEqual([]);
    bench.atMs = 520;
    bench.committed('b', 1);
    bench.tick();
    expect(bench.atMs).toBe(500 + defaultTiming.aloneAwayMs);
    expect(bench.sent('halt').map((sent) => sent.workerId)).toEqual(['b']);
    expect(bench.events('workerLost')).toMatchObject([{ workerId: 'a', reason: 'its socket is lost' }]);
  });

  it('leaves its shards to who was told to keep them ready', () => {
    const bench = new Bench({ workers: { min: 1, max: 3 }, shards: makeShards(6) }).training('a', 'b', 'c');
    const spares = new Map(bench.state.members.map((member) => [member.workerId, member.spares]));
    expect(
      [...spares.values()]
        .flat()
        .map(({ index }) => index)
        .sort((one, other) => one - other),
    ).toEqual([0, 1, 2, 3, 4, 5]);
    bench.allCommitted(0);
    bench.workers(makeWorker('a'), makeWorker('b', { present: false }), makeWorker('c'));
    bench.tick();
    for (const workerId of ['a', 'c']) bench.halted(workerId, 1);
    expect(bench.group).toEqual(['a', 'c']);
    const [a, c] = bench.state.members;
    expect(a!.leases).toEqual(
      expect.arrayContaining(spares.get('a')!.filter(({ index }) => [2, 3].includes(index))),
    );
    expect(c!.leases).toEqual(
      expect.arrayContaining(spares.get('c')!.filter(({ index }) => [2, 3].includes(index))),
    );
    expect([...a!.leases, ...c!.leases].map(({ index }) => index).sort((one, other) => one - other)).toEqual([
      0, 1, 2, 3, 4, 5,
    ]);
  });

  it('waits longer where the sockets of most workers are lost at once: they come back', () => {
    const bench = new Bench({ workers: { min: 1, max: 3 } }).training('a', 'b', 'c');
    bench.allCommitted(0);
    bench.workers(makeWorker('a', { present: false }), makeWorker('b', { present: false }), makeWorker('c'));
    expect(wakeAtMs(bench.plan, bench.state)).toBe(defaultTiming.awayMs);
  });

  it('waits for who is out of reach while the group works on', () => {
    const bench = new Bench({ totalRounds: 1000 }).training();
    bench.workers(makeWorker('a'), makeWorker('b', { present: false }));
    for (let round = 0; round < 30; round += 1) {
      bench.atMs += 1_000;
      bench.committed('a', round);
      expect(wakeAtMs(bench.plan, bench.state)).toBeGreaterThan(bench.atMs + 1_000);
    }
    bench.workers(makeWorker('a'), makeWorker('b', { session: 1 }));
    expect(bench.state).toMatchObject({ phase: 'training', awaySinceMs: undefined });
  });

  it('takes over what a survivor committed and gives the shards to those who are left', () => {
    const bench = new Bench({ workers: { min: 1, max: 2 } }).training();
    bench.allCommitted(0);
    bench.input({
      type: 'workers',
      atMs: 1,
      workers: [makeWorker('b')],
      busy: 0,
      lost: new Map([['a', 'its tab was closed']]),
    });
    expect(bench.events('workerLost')).toEqual([
      { type: 'workerLost', workerId: 'a', reason: 'its tab was closed', shards: 4 },
    ]);
    expect(bench.sent('halt').map((sent) => sent.workerId)).toEqual(['b']);
    bench.halted('b', 3, 1);
    expect(bench.recorded().map((round) => round.round)).toEqual([1, 2]);
    expect(bench.state).toMatchObject({ phase: 'loading', generation: 2 });
    expect(bench.state.members[0]).toMatchObject({ workerId: 'b', committedRounds: 3, agreedRounds: 3 });
    expect(bench.state.members[0]?.leases).toHaveLength(8);
  });

  it('asks again for what did not fit into one answer', () => {
    const bench = new Bench({
      totalRounds: 500,
      workers: { min: 1, max: 2 },
    }).training();
    bench.workers(makeWorker('b'));
    const answer = (from: number, to: number): void =>
      bench.message('b', {
        type: 'halted',
        committedRounds: 130,
        rounds: Array.from({ length: to - from }, (_, i) => ({ round: from + i, payload: [], metrics: {} })),
      });
    answer(0, 64);
    expect(bench.sent('halt')).toMatchObject([{ workerId: 'b', message: { knownRounds: 64 } }]);
    answer(64, 128);
    expect(bench.sent('halt')).toMatchObject([{ workerId: 'b', message: { knownRounds: 128 } }]);
    answer(128, 130);
    expect(bench.state.record).toHaveLength(130);
    expect(bench.state.members[0]).toMatchObject({ workerId: 'b', committedRounds: 130 });
  });

  it('does again what nobody has', () => {
    const bench = new Bench({ workers: { min: 1, max: 2 } }).training();
    bench.committed('a', 0);
    bench.committed('b', 0);
    bench.workers(makeWorker('b'));
    bench.halted('b', 1);
    expect(bench.state.members[0]?.committedRounds).toBe(1);
  });

  it('waits below the minimum and goes on with who comes', () => {
    const bench = new Bench().training();
    bench.workers(makeWorker('b'));
    bench.halted('b', 0);
    expect(bench.events('waiting')[0]?.reason).toBe('Waiting for 1 more worker (1 of 2 here).');
    bench.workers(makeWorker('b'), makeWorker('c'));
    expect(bench.state.members.map((member) => member.workerId)).toEqual(['b', 'c']);
    expect(bench.state.members[0]?.leases.map((lease) => lease.index)).toEqual([4, 5, 6, 7]);
  });

  it('sets aside who does not answer a halt, until it is heard of again', () => {
    const bench = new Bench({ workers: { min: 1, max: 2 } }).training();
    bench.message('a', { type: 'stalled', missing: ['b'], code: 'DEADLINE_EXCEEDED', message: 'no answer' });
    bench.halted('a', 0);
    bench.tick();
    expect(bench.events('workerLost')[0]?.reason).toBe('did not answer a halt within 4000 ms');
    expect(bench.state.members.map((member) => member.workerId)).toEqual(['a']);
    bench.ready('a');
    bench.message('b', { type: 'halted', generation: 1, committedRounds: 0, rounds: [] });
    bench.workers(makeWorker('a'), makeWorker('b'));
    bench.prepared('b');
    // The others work off what it cost before it interrupts them.
    expect(bench.state.joinAtMs).toBe(bench.atMs + 4 * defaultTiming.silenceMs);
  });

  it('waits as long for the answer to a halt as the rounds of the group ask for', () => {
    const bench = new Bench({ workers: { min: 1, max: 2 } }).training();
    bench.atMs += 3_000;
    bench.allCommitted(0);
    bench.message('a', { type: 'stalled', missing: ['b'], code: 'DEADLINE_EXCEEDED', message: 'no answer' });
    bench.halted('a', 1);
    bench.tick();
    expect(bench.events('workerLost')[0]?.reason).toBe('did not answer a halt within 9000 ms');
  });

  it('does not condemn a peer that is blamed but answers', () => {
    const bench = new Bench().training();
    bench.message('a', { type: 'stalled', missing: ['b'], code: 'DEADLINE_EXCEEDED', message: 'no answer' });
    bench.halted('a', 0);
    bench.halted('b', 0);
    expect(bench.state.members.map((member) => member.workerId)).toEqual(['a', 'b']);
    expect(bench.state.generation).toBe(2);
  });
});

describe('a group that gets nothing done', () => {
  function stallThreeTimes(bench: Bench, ...workerIds: string[]): void {
    for (let i = 0; i < 3; i += 1) {
      bench.ready(...workerIds);
      bench.message('a', {
        type: 'stalled',
        missing: ['c'],
        code: 'DEADLINE_EXCEEDED',
        message: 'c is mute',
      });
      for (const workerId of workerIds) bench.halted(workerId, 0);
    }
  }

  it('goes on without the one who is blamed, when the others are enough', () => {
    const bench = new Bench({ workers: { min: 2, max: 3 } });
    bench.workers(makeWorker('a'), makeWorker('b'), makeWorker('c'));
    stallThreeTimes(bench, 'a', 'b', 'c');
    expect(bench.state.members.map((member) => member.workerId)).toEqual(['a', 'b']);
    expect(bench.sent('release').map((sent) => sent.workerId)).toEqual(['c']);
  });

  it('fails naming the workers and the cause, when they are not', () => {
    const bench = new Bench();
    bench.workers(makeWorker('a'), makeWorker('c'));
    stallThreeTimes(bench, 'a', 'c');
    expect(bench.result()).toMatchObject({ code: 'RUN_STUCK', place: { peer: 'c' } });
    expect((bench.result() as Error).message).toBe(
      'The group of worker a, worker c is stuck: 3 generations in a row ended without a round; ' +
        'the last message was: DEADLINE_EXCEEDED: c is mute',
    );
  });
});

describe('a socket that was replaced', () => {
  it('halts the group when messages of the first rank may be lost', () => {
    const bench = new Bench().training();
    bench.workers(makeWorker('a', { session: 2 }), makeWorker('b'));
    expect(bench.sent('halt').map((sent) => sent.workerId)).toEqual(['a', 'b']);
  });

  it('disturbs nobody when another member is at work', () => {
    const bench = new Bench().training();
    bench.committed('b', 0);
    bench.workers(makeWorker('a'), makeWorker('b', { session: 2 }));
    expect(bench.state.phase).toBe('training');
  });

  it('gets the halt again', () => {
    const bench = new Bench().training();
    bench.message('a', { type: 'stalled', missing: ['b'], code: 'X', message: 'x' });
    bench.workers(makeWorker('a'), makeWorker('b', { session: 2 }));
    expect(bench.sent('halt').map((sent) => sent.workerId)).toEqual(['b']);
  });
});
