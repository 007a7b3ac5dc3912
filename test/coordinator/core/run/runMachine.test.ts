import { describe, expect, it } from 'vitest';
import { wakeAtMs } from '../../../../coordinator/core/run/ticks.ts';
import { defaultTiming } from '../../../../coordinator/core/run/runPlan.ts';
import { Bench, makeShards, makeWorker } from './runBench.ts';

describe('forming a group', () => {
  it('says what it waits for, and what is wrong with the workers that are there', () => {
    const bench = new Bench({ workers: { min: 2, max: 3, runtimes: ['browser'], device: 'webgpu' } });
    bench.workers(makeWorker('a'), makeWorker('b', { runtime: 'browser', device: 'webgpu', present: false }));
    expect(bench.events('waiting')[0]?.reason).toBe(
      'Waiting for 2 more browser webgpu workers (0 of 2 here); besides: 1 of another kind, 1 out of reach, perhaps for a moment.',
    );
    expect(wakeAtMs(bench.plan, bench.state)).toBe(Infinity);
  });

  it('says that others have the workers', () => {
    const bench = new Bench();
    bench.input({ type: 'workers', atMs: 1, workers: [], busy: 2, lost: new Map() });
    expect(bench.events('waiting').map(({ reason }) => reason)).toEqual([
      'Waiting for 2 more workers (0 of 2 here); besides: 2 at work for other runs or programs.',
    ]);
  });

  it('takes workers of every kind that was named, and of any kind where none was', () => {
    const runtimes = ['browser', 'deno', 'node'] as const;
    const workers = runtimes.map((runtime) => makeWorker(runtime, { runtime }));
    const two = new Bench({ workers: { min: 2, max: 3, runtimes: ['browser', 'deno'] } });
    two.workers(...workers);
    two.tick();
    expect(two.state.members.map(({ workerId }) => workerId)).toEqual(['browser', 'deno']);
    const any = new Bench({ workers: { min: 3, max: 3 } });
    any.workers(...workers);
    expect(any.state.members.map(({ workerId }) => workerId)).toEqual(runtimes);
  });

  it('says a reason once', () => {
    const bench = new Bench();
    bench.workers(makeWorker('a'));
    bench.workers(makeWorker('a', { session: 2 }));
    expect(bench.events('waiting')).toEqual([]);
  });

  it('begins at once when all that can take part are here', () => {
    const bench = new Bench();
    bench.workers(makeWorker('a'), makeWorker('b'));
    expect(bench.state.phase).toBe('loading');
    expect(bench.state.members.map((member) => [member.workerId, member.rank, member.leases.length])).toEqual(
      [
        ['a', 0, 4],
        ['b', 1, 4],
      ],
    );
  });

  it('waits a moment for more when there could be more', () => {
    const bench = new Bench({ workers: { min: 1, max: 3 } });
    bench.workers(makeWorker('a'));
    expect(bench.state.phase).toBe('waiting');
    bench.tick();
    expect(bench.atMs).toBe(defaultTiming.settleMs);
    expect(bench.state.members).toHaveLength(1);
  });

  it('takes no more members than there are training shards, and says so', () => {
    const bench = new Bench({ shards: makeShards(2), workers: { min: 3, max: 4 } });
    bench.workers(makeWorker('a'), makeWorker('b'), makeWorker('c'));
    expect(bench.state.members).toHaveLength(2);
    expect(bench.events('group')[0]?.note).toBe(
      'The training set has 2 shards, so no more than 2 of up to 4 workers take part.',
    );
  });

  it('begins when the last member is ready', () => {
    const bench = new Bench();
    bench.workers(makeWorker('a'), makeWorker('b'));
    bench.ready('a');
    expect(bench.sent('begin')).toEqual([]);
    bench.ready('b');
    expect(bench.sent('begin').map((sent) => sent.workerId)).toEqual(['a', 'b']);
  });

  it('does not begin on the word of an earlier generation or of a stranger', () => {
    const bench = new Bench();
    bench.workers(makeWorker('a'), makeWorker('b'));
    bench.ready('a', 'c');
    bench.message('b', { type: 'ready', links: [], generation: 0 });
    expect(bench.state.phase).toBe('loading');
  });

  it('names who does not get on with loading', () => {
    const bench = new Bench();
    bench.workers(makeWorker('a'), makeWorker('b'));
    bench.ready('a');
    bench.message('b', { type: 'loading', rowsLoaded: 0, rowsTotal: 4000 });
    bench.tick();
    expect(bench.atMs).toBe(defaultTiming.loadIdleMs);
    const [halt] = bench.sent('halt');
    expect(halt?.message).toMatchObject({
      when: 'now',
      reason: 'b made no progress in loading for 120000 ms',
    });
  });

  it.each([
    ['quick', 100, defaultTiming.silenceMs],
    ['slow', 3_000, 15_000],
  ])('goes on without a member that says nothing: in a %s group soon', (_, firstWordMs, silenceMs) => {
    const bench = new Bench({ workers: { min: 2, max: 3 } });
    bench.workers(makeWorker('a'), makeWorker('b'), makeWorker('c'));
    bench.atMs += firstWordMs;
    for (const workerId of ['a', 'c'])
      bench.message(workerId, { type: 'loading', rowsLoaded: 0, rowsTotal: 3000 });
    const formedAtMs = bench.atMs - firstWordMs;
    bench.tick();
    expect(bench.atMs - formedAtMs).toBe(silenceMs);
    expect(bench.events('workerLost')).toMatchObject([
      { workerId: 'b', reason: `said nothing for ${silenceMs} ms after it got its place` },
    ]);
    bench.halted('a', 0);
    bench.halted('c', 0);
    expect(bench.group).toEqual(['a', 'c']);
    // Set aside until it is heard of.
    bench.message('b', { type: 'loading', rowsLoaded: 0, rowsTotal: 3000, generation: 1 });
    bench.ready('a', 'c');
    bench.prepared('b');
    expect(bench.state.joinAtMs).toBeDefined();
  });

  it('blames nobody while most say nothing', () => {
    const bench = new Bench({ workers: { min: 3, max: 3 } });
    bench.workers(makeWorker('a'), makeWorker('b'), makeWorker('c'));
    bench.message('a', { type: 'loading', rowsLoaded: 0, rowsTotal: 3000 });
    bench.tick();
    expect(bench.atMs).toBe(defaultTiming.loadIdleMs);
  });
});

describe('recording rounds', () => {
  it('records what most members say of a round, once, and announces it with all timings', () => {
    const bench = new Bench({ workers: { min: 3, max: 3 } });
    bench.workers(makeWorker('a'), makeWorker('b'), makeWorker('c'));
    bench.ready('a', 'b', 'c');
    bench.committed('a', 0);
    expect(bench.recorded()).toEqual([]);
    bench.committed('b', 0);
    expect(bench.recorded()).toEqual([{ round: 0, payload: ['tree 0'], metrics: { loss: 0 } }]);
    expect(bench.events('round')).toEqual([]);
    bench.committed('c', 0);
    expect(bench.recorded()).toEqual([]);
    expect(bench.events('round')[0]?.timings.map((timing) => timing.workerId)).toEqual(['a', 'b', 'c']);
    bench.committed('a', 0);
    expect(bench.recorded()).toEqual([]);
  });

  it('waits for the trees, which the first rank sends', () => {
    const bench = new Bench().training();
    bench.committed('b', 0);
    expect(bench.recorded()).toEqual([]);
    bench.committed('a', 0);
    expect(bench.recorded()).toHaveLength(1);
  });

  it('finishes with the last round and lets everybody go', () => {
    const bench = new Bench({ totalRounds: 1 }).training();
    bench.allCommitted(0);
    expect(bench.result()).toMatchObject({ status: 'finished', rounds: [{ round: 0 }] });
    expect(bench.sent('release').map((sent) => sent.workerId)).toEqual(['a', 'b']);
    expect(bench.events('round')).toHaveLength(1);
  });

  it('ends with the round that is enough, also when survivors committed more', () => {
    const bench = new Bench({ isEnough: ({ round }) => round === 1 }).training();
    bench.workers(makeWorker('b'));
    bench.halted('b', 4, 0);
    expect(bench.result()).toMatchObject({ status: 'finished', rounds: [{ round: 0 }, { round: 1 }] });
    expect(bench.events('round').map((event) => event.committed.round)).toEqual([0, 1]);
  });

  it('halts when a round did not arrive', () => {
    const bench = new Bench().training();
    bench.committed('a', 1);
    expect(bench.recorded()).toEqual([]);
    expect(bench.sent('halt')[0]?.message).toMatchObject({ when: 'now', knownRounds: 0 });
  });
});

describe('failures', () => {
  it('end the run by default, with the words of the worker', () => {
    const bench = new Bench().training();
    bench.message('b', { type: 'failed', code: 'BAD_ASSIGNMENT', message: 'shard 3 is damaged' });
    expect(bench.result()).toMatchObject({
      code: 'WORKER_FAILED',
      message: "Worker b can't do the run: BAD_ASSIGNMENT: shard 3 is damaged",
    });
  });

  it('are forgiven as often as asked, after a pause', () => {
    const bench = new Bench({ maxFailures: 1 }).training();
    bench.message('b', { type: 'failed', code: 'INTERNAL', message: 'x' });
    bench.halted('a', 0);
    bench.halted('b', 0);
    expect(bench.state.phase).toBe('waiting');
    bench.tick();
    expect(bench.atMs).toBe(1_000);
    expect(bench.state.generation).toBe(2);
    bench.message('b', { type: 'failed', code: 'INTERNAL', message: 'x' });
    expect(bench.result()).toMatchObject({ code: 'WORKER_FAILED' });
  });
});

describe('planned changes', () => {
  it('let a newcomer in after the round in flight', () => {
    const bench = new Bench({ workers: { min: 2, max: 3 } });
    bench.workers(makeWorker('a'), makeWorker('b'));
    bench.tick();
    bench.ready('a', 'b');
    bench.allCommitted(0);
    bench.workers(makeWorker('a'), makeWorker('b'), makeWorker('c'));
    const loaded = bench.commands.flatMap((one) => (one.type === 'prepare' ? [one] : []));
    expect(loaded).toMatchObject([{ workerId: 'c', generation: 1, leases: { length: 2 } }]);
    // It is told whom to connect to, and what to catch up to.
    const members = [
      { workerId: 'a', peerId: 'peer-a' },
      { workerId: 'b', peerId: 'peer-b' },
    ];
    expect(loaded).toMatchObject([
      { peerId: 'peer-c', members, rounds: [{ round: 0, payload: ['tree 0'] }] },
    ]);
    bench.prepared('c');
    bench.tick();
    expect(bench.sent('halt').map((sent) => sent.message)).toMatchObject([
      { when: 'commit', atRounds: 2, knownRounds: 1 },
      { when: 'commit', atRounds: 2, knownRounds: 1 },
    ]);
    bench.allCommitted(1);
    bench.halted('a', 2);
    bench.halted('b', 2);
    expect(bench.events('workerJoined')).toEqual([{ type: 'workerJoined', workerId: 'c' }]);
    expect(bench.state.members.map((member) => member.committedRounds)).toEqual([2, 2, 2]);
    // Its place is what it has loaded.
    expect(bench.state.members[2]?.leases).toEqual(loaded[0]?.leases);
  });

  it('ask a newcomer that waits again for what it would hold when the group has changed', () => {
    const bench = new Bench({ workers: { min: 1, max: 4 }, shards: makeShards(12) }).training('a', 'b', 'c');
    const all = ['a', 'b', 'c', 'd'].map((workerId) => makeWorker(workerId));
    bench.atMs = 500;
    bench.allCommitted(0);
    bench.workers(...all);
    bench.prepared('d');
    expect(bench.state.holds.get('d')).toHaveLength(3);
    bench.workers(...all.filter(({ workerId }) => workerId !== 'b'));
    for (const workerId of ['a', 'c']) bench.halted(workerId, 1);
    expect(bench.group).toEqual(['a', 'c']);
    bench.ready('a', 'c');
    const asked = bench.commands.flatMap((one) => (one.type === 'prepare' ? [one] : []));
    expect(asked).toMatchObject([
      { workerId: 'd', generation: 2, leases: { length: 4 }, rounds: { length: 1 } },
    ]);
    expect(asked[0]?.members.map(({ workerId }) => workerId)).toEqual(['a', 'c']);
    // Until it says so it has what it had before, and may be let in with that.
    expect(bench.state.holds.get('d')).toHaveLength(3);
    expect(bench.state.joinAtMs).toBeDefined();
    bench.prepared('d');
    expect(bench.state.holds.get('d')).toEqual(asked[0]?.leases);
  });

  it('are not for a newcomer that does not load what it is told to, nor for what nobody asked', () => {
    const bench = new Bench({ workers: { min: 2, max: 3 } }).training();
    bench.prepared('c');
    bench.workers(makeWorker('a'), makeWorker('b'), makeWorker('c'));
    const asked = (): number => bench.commands.filter(({ type }) => type === 'prepare').length;
    expect([asked(), bench.state.joinAtMs]).toEqual([1, undefined]);
    bench.workers(makeWorker('a'), makeWorker('b'), makeWorker('c'));
    expect([asked(), bench.state.joinAtMs]).toEqual([0, undefined]);
    // Over a new socket it is asked again: the question or its answer may be lost.
    bench.workers(makeWorker('a'), makeWorker('b'), makeWorker('c', { session: 2 }));
    expect([asked(), bench.state.joinAtMs]).toEqual([1, undefined]);
    bench.prepared('c');
    expect(bench.state.joinAtMs).toBe(bench.atMs + defaultTiming.workBeforeJoinMs);
  });

  it('are for the next newcomer when the first says nothing, and it gets the place', () => {
    const bench = new Bench({ workers: { min: 2, max: 3 } }).training();
    bench.workers(makeWorker('a'), makeWorker('b'), makeWorker('silent'));
    bench.workers(makeWorker('a'), makeWorker('b'), makeWorker('silent'), makeWorker('c'));
    expect(bench.commands).toMatchObject([{ type: 'prepare', workerId: 'c' }]);
    bench.prepared('c');
    bench.tick();
    bench.halted('a', 0);
    bench.halted('b', 0);
    expect(bench.group).toEqual(['a', 'b', 'c']);
  });

  it('let those go who have loaded for a place when the run is over', () => {
    const bench = new Bench({ workers: { min: 2, max: 3 } }).training();
    bench.workers(makeWorker('a'), makeWorker('b'), makeWorker('c'));
    bench.prepared('c');
    bench.input({ type: 'fail', atMs: bench.atMs, error: new Error('enough') });
    expect(bench.sent('release').map(({ workerId }) => workerId)).toContain('c');
    expect(bench.sent('release')[0]?.message).toMatchObject({ outcome: 'failed' });
  });

  it('let a leaving worker go at once where the others are too few to go on', () => {
    const bench = new Bench().training();
    bench.workers(makeWorker('a', { leaving: true }), makeWorker('b'));
    bench.halted('a', 1, 0);
    bench.halted('b', 1, 0);
    expect(bench.state.phase).toBe('waiting');
    expect(bench.sent('release').map(({ workerId }) => workerId)).toEqual(['a']);
    expect(bench.sent('release')[0]?.message).not.toHaveProperty('outcome');
  });

  it('hand over what a leaving worker holds and let it go', () => {
    const bench = new Bench({ workers: { min: 1, max: 2 } }).training();
    bench.workers(makeWorker('a', { leaving: true }), makeWorker('b'));
    expect(bench.sent('halt')[0]?.message).toMatchObject({ when: 'commit', atRounds: 1 });
    bench.halted('a', 1, 0);
    bench.halted('b', 1, 0);
    expect(bench.recorded()).toHaveLength(1);
    expect(bench.sent('release').map((sent) => sent.workerId)).toEqual(['a']);
    expect(bench.state.members.map((member) => member.workerId)).toEqual(['b']);
  });

  it('stop the run after the round in flight', () => {
    const bench = new Bench().training();
    bench.input({ type: 'stop', atMs: 5, reason: 'enough' });
    expect(bench.sent('halt')[0]?.message).toMatchObject({ when: 'commit', atRounds: 1 });
    bench.allCommitted(0);
    bench.halted('a', 1);
    bench.halted('b', 1);
    expect(bench.result()).toMatchObject({ status: 'stopped', rounds: [{ round: 0 }] });
  });

  it('become urgent when somebody is lost meanwhile', () => {
    const bench = new Bench().training();
    bench.input({ type: 'stop', atMs: 5, reason: 'enough' });
    bench.workers(makeWorker('b'));
    expect(bench.sent('halt')).toMatchObject([{ workerId: 'b', message: { when: 'now' } }]);
    bench.halted('b', 0);
    expect(bench.result()).toMatchObject({ status: 'stopped', rounds: [] });
  });

  it('move shards to the faster worker once it clearly pays', () => {
    const bench = new Bench({ totalRounds: 1000 }).training();
    for (let round = 0; round < 10; round += 1) {
      bench.committed('a', round, 3000);
      bench.committed('b', round, 1000);
    }
    expect(bench.sent('halt')[0]?.message).toMatchObject({ when: 'commit' });
    bench.halted('a', 11, 10);
    bench.halted('b', 11, 10);
    expect(bench.state.members.map((member) => member.leases.length)).toEqual([2, 6]);
  });

  it('move nothing for a small difference', () => {
    const bench = new Bench({ totalRounds: 1000 }).training();
    for (let round = 0; round < 30; round += 1) {
      bench.committed('a', round, 1150);
      bench.committed('b', round, 1000);
    }
    expect(bench.state.phase).toBe('training');
  });
});
