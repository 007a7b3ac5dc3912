// Runs whose members hold the state: what of it is kept, and when the run is over, is for most of them to say.

import { describe, expect, it } from 'vitest';
import { neuralRun } from '../../../../coordinator/core/run/neuralRun.ts';
import { loopRun } from '../../../../coordinator/core/run/loopRun.ts';
import { defaultTiming } from '../../../../coordinator/core/run/runPlan.ts';
import type { RunPlan } from '../../../../coordinator/core/run/runPlan.ts';
import type { BlobCheck } from '../../../../coordinator/core/run/blobCheck.ts';
import { Bench, makeWorker } from './runBench.ts';

const state = (digit: string) => ({ sha256: digit.repeat(64), sizeBytes: 100 });

function neural(plan: Partial<RunPlan> = {}, ...workerIds: string[]): Bench {
  const ids = workerIds.length > 0 ? workerIds : ['a', 'b', 'c'];
  return new Bench({
    kind: neuralRun,
    readPayload: (payload) => neuralRun.readPayload({} as never, payload),
    usefulWorkers: 8,
    movesShards: false,
    workers: { min: 1, max: ids.length },
    ...plan,
  }).training(...ids);
}

function report(bench: Bench, workerId: string, round: number, other: object = {}): void {
  const isFirst = bench.state.members.find((member) => member.workerId === workerId)?.rank === 0;
  bench.message(workerId, {
    type: 'committed',
    round,
    computeMs: 5,
    exchangeMs: 1,
    bytesSent: 1,
    metrics: { loss: round },
    ...(isFirst && { measured: { examplesPerSecond: 100 } }),
    ...other,
  });
}

const checks = (bench: Bench): BlobCheck[] =>
  bench.commands.flatMap((command) => (command.type === 'checkBlob' ? [command.check] : []));

function answer(bench: Bench, found: 'there' | 'missing' | 'unknown'): void {
  const [check] = checks(bench);
  bench.input({ type: 'blob', atMs: bench.atMs, check: check!, found });
}

function allReport(bench: Bench, round: number): void {
  for (const workerId of bench.group) report(bench, workerId, round);
}

describe('a state of a neural run', () => {
  it('is kept once most members say that it is theirs, and it is in the blob store', () => {
    const bench = neural();
    bench.message('a', { type: 'saved', rounds: 4, ...state('1') });
    expect(checks(bench)).toEqual([]);
    bench.message('b', { type: 'state', rounds: 4, ...state('1') });
    expect(checks(bench)).toEqual([{ what: 'state', workerId: 'a', rounds: 4, ...state('1') }]);
    expect(bench.state.savedState).toBeUndefined();
    answer(bench, 'there');
    expect(bench.events('checkpoint')).toEqual([{ type: 'checkpoint', rounds: 4, ...state('1') }]);
    bench.message('c', { type: 'state', rounds: 4, ...state('1') });
    expect(bench.state.phase).toBe('training');
  });

  it('of one member alone is not kept, whatever its rank', () => {
    const bench = neural();
    bench.message('c', { type: 'saved', rounds: 10, ...state('f') });
    bench.message('a', { type: 'saved', rounds: 10, ...state('1') });
    expect(bench.state.halt).toMatchObject({ when: 'commit' });
    bench.message('b', { type: 'state', rounds: 10, ...state('1') });
    expect(checks(bench)).toEqual([{ what: 'state', workerId: 'a', rounds: 10, ...state('1') }]);
    answer(bench, 'there');
    expect(bench.state.savedState).toEqual({ rounds: 10, ...state('1') });
    for (const workerId of ['a', 'b', 'c']) bench.halted(workerId, 10);
    expect(bench.events('workerLost')).toMatchObject([
      { workerId: 'c', reason: 'its state after 10 rounds differs from that of most members' },
    ]);
  });

  it('that is not stored as was said is the lie of who said it', () => {
    const bench = neural();
    for (const workerId of ['a', 'b', 'c'])
      bench.message(workerId, { type: workerId === 'a' ? 'saved' : 'state', rounds: 4, ...state('1') });
    bench.input({
      type: 'blob',
      atMs: 0,
      check: { what: 'state', workerId: 'a', rounds: 4, ...state('1') },
      found: 'missing',
    });
    expect(bench.malformed()).toMatchObject([{ workerId: 'a' }]);
    expect(bench.state.setAside.get('a')).toMatchObject({ until: 'never' });
    expect(bench.state.savedState).toBeUndefined();
  });

  it('on which two members differ twice ends the run', () => {
    const bench = neural({}, 'a', 'b');
    for (let i = 0; i < 2; i += 1) {
      bench.message('a', { type: 'saved', rounds: 4, ...state('1') });
      bench.message('b', { type: 'state', rounds: 4, ...state('2') });
      bench.halted('a', 4);
      bench.halted('b', 4);
      if (i === 0) bench.ready('a', 'b');
    }
    expect(bench.result()).toMatchObject({
      code: 'MEMBERS_DISAGREE',
      message:
        'Workers a and b have different states after 4 rounds, and nobody can tell who is right, 2 times',
    });
  });

  it('after more rounds than there are, or told twice, is malformed', () => {
    const bench = neural();
    bench.message('a', { type: 'saved', rounds: 11, ...state('1') });
    expect(bench.malformed()).toMatchObject([{ workerId: 'a', what: 'a state after 11 rounds' }]);
    bench.message('a', { type: 'saved', rounds: 5, ...state('1') });
    bench.message('a', { type: 'saved', rounds: 5, ...state('2') });
    expect(bench.malformed()).toMatchObject([{ what: 'a state after 5 rounds after one of 5' }]);
  });

  it('is one of few that are kept, however many one member tells of', () => {
    const bench = neural({ totalRounds: 10_000 });
    let malformed = 0;
    for (let rounds = 1; rounds <= 1_000; rounds += 1) {
      bench.message('b', { type: 'state', rounds, ...state('1') });
      malformed += bench.malformed().length;
    }
    expect(bench.state.states.openStates).toBe(64);
    expect(malformed).toBe(1_000 - 64);
    expect(bench.state.halt?.reason).toBe('worker b tells of states that most members do not');
  });
});

describe('the end of a neural run', () => {
  const last = 9;

  function finish(bench: Bench): void {
    for (const workerId of bench.group) {
      bench.message(workerId, {
        type: workerId === bench.group[0] ? 'saved' : 'state',
        rounds: 10,
        ...state('1'),
      });
    }
  }

  it('waits for the last state, without another halt', () => {
    const bench = neural();
    for (const workerId of ['b', 'c', 'a'])
      bench.message(workerId, { type: workerId === 'a' ? 'saved' : 'state', rounds: 10, ...state('1') });
    const check = checks(bench)[0]!;
    for (const workerId of ['a', 'b', 'c']) report(bench, workerId, last);
    expect(bench.state.phase).toBe('training');
    bench.input({ type: 'blob', atMs: 0, check, found: 'there' });
    expect(bench.result()).toMatchObject({ status: 'finished', rounds: [{ round: last }] });
  });

  it('is not for one member to tell: a far round of it is not recorded', () => {
    const bench = neural({ totalRounds: 1_000 });
    report(bench, 'a', 999);
    report(bench, 'a', 1e15);
    expect(bench.malformed()).toMatchObject([{ what: 'committed: round 1000000000000000 of 1000' }]);
    for (const round of [3, 7]) for (const workerId of ['b', 'c']) report(bench, workerId, round);
    // The first rank has gone past these rounds without a word, so nobody waits for what it alone measures.
    expect(bench.state.record).toEqual(
      [3, 7].map((round) => ({ round, payload: [], metrics: { loss: round } })),
    );
  });

  it('is reached with another first rank when the first does not store the state', () => {
    const bench = neural();
    for (const workerId of ['b', 'c']) bench.message(workerId, { type: 'state', rounds: 10, ...state('1') });
    for (const workerId of ['b', 'c', 'a']) report(bench, workerId, last);
    expect(bench.sent('halt').map(({ message }) => message)).toMatchObject(
      ['a', 'b', 'c'].map(() => ({ when: 'commit', keepsState: true })),
    );
    for (const workerId of ['a', 'b', 'c']) bench.halted(workerId, 10);
    expect(bench.result()).toBeUndefined();
    expect(bench.group).toEqual(['b', 'c', 'a']);
    bench.ready('b', 'c', 'a');
    expect(bench.sent('begin')).toHaveLength(3);
    expect(bench.sent('halt')).toHaveLength(3);
    finish(bench);
    for (const workerId of ['b', 'c', 'a']) bench.halted(workerId, 10);
    expect(bench.result()).toBeUndefined();
    bench.input({
      type: 'blob',
      atMs: 0,
      check: { what: 'state', workerId: 'b', rounds: 10, ...state('1') },
      found: 'there',
    });
    expect(bench.result()).toMatchObject({ status: 'finished' });
  });

  it('comes without its state in the end, when nobody stores it', () => {
    const bench = neural();
    allReport(bench, last);
    for (let groups = 0; groups < 3; groups += 1) {
      for (const { workerId, halted } of bench.state.members) if (!halted) bench.halted(workerId, 10);
      if (groups < 2) bench.ready(...bench.group);
    }
    expect(bench.result()).toMatchObject({ status: 'finished' });
  });

  it('does not wait for a blob store that does not answer', () => {
    const bench = neural();
    finish(bench);
    allReport(bench, last);
    bench.input({ type: 'stop', atMs: 1, reason: 'enough' });
    for (const workerId of bench.group) bench.halted(workerId, 10);
    expect(bench.result()).toBeUndefined();
    bench.atMs = bench.state.halt!.deadlineMs;
    expect(bench.atMs).toBeLessThanOrEqual(defaultTiming.roundIdleMs + 1);
    bench.tick();
    expect(bench.result() ?? bench.state.phase).not.toBe('halting');
  });
});

describe('reports of a neural run', () => {
  it('are recorded with what the first rank measured, once most members say the same', () => {
    const bench = neural();
    report(bench, 'b', 3);
    report(bench, 'c', 3);
    expect(bench.state.record).toEqual([]);
    report(bench, 'a', 3);
    expect(bench.state.record).toEqual([
      { round: 3, payload: [], metrics: { loss: 3, examplesPerSecond: 100 } },
    ]);
  });

  it('have no metrics of the first rank alone, by whatever name', () => {
    const bench = neural();
    report(bench, 'a', 3, { measured: { examplesPerSecond: 5, loss: -1 } });
    report(bench, 'b', 3);
    expect(bench.state.record).toMatchObject([{ metrics: { loss: 3, examplesPerSecond: 5 } }]);
  });

  it('have the confusion matrix that most members tell', () => {
    const bench = neural({ totalRounds: 4 });
    const matrix = (wrong: number) => ({ payload: [{ classes: 2, counts: [5, wrong, 0, 4] }] });
    report(bench, 'a', 3, matrix(9));
    report(bench, 'b', 3, matrix(1));
    expect(bench.state.record).toEqual([]);
    report(bench, 'c', 3, matrix(1));
    for (const workerId of bench.group) bench.halted(workerId, 4);
    expect(bench.state.record).toMatchObject([{ round: 3, ...matrix(1) }]);
  });

  it.each([
    [[{ classes: 2, counts: [1, 2, 3] }]],
    [[{ classes: 1000, counts: [] }]],
    [[{ classes: 2, counts: [1, 2, 3, -4] }]],
    [[{ classes: 2, counts: [1, 2, 3, 4] }, 'more']],
  ])('with %j are malformed', (payload) => {
    const bench = neural({ totalRounds: 4 });
    report(bench, 'b', 3, { payload });
    expect(bench.commands).toContainEqual(expect.objectContaining({ type: 'malformed', workerId: 'b' }));
  });

  it('have no confusion matrix before the last step: the record would grow with each', () => {
    const bench = neural({ totalRounds: 5 });
    report(bench, 'b', 3, { payload: [{ classes: 2, counts: [1, 2, 3, 4] }] });
    expect(bench.commands).toContainEqual(expect.objectContaining({ type: 'malformed', workerId: 'b' }));
    expect(bench.state.record).toEqual([]);
  });

  it('go on without the first rank when that is away', () => {
    const bench = neural();
    for (const workerId of ['b', 'c']) report(bench, workerId, 3);
    bench.tick();
    expect(bench.atMs).toBe(defaultTiming.roundIdleMs);
    for (const workerId of ['a', 'b', 'c']) bench.halted(workerId, 5);
    expect(bench.state.record).toEqual([{ round: 3, payload: [], metrics: { loss: 3 } }]);
  });
});

describe("an owner's loop that has returned", () => {
  const loop = { kind: loopRun, totalRounds: 100 } as const;

  function store(bench: Bench, rounds: number): void {
    for (const workerId of bench.group) {
      bench.message(workerId, {
        type: workerId === bench.group[0] ? 'saved' : 'state',
        rounds,
        ...state('1'),
      });
      if (checks(bench).length > 0) answer(bench, 'there');
    }
  }

  it('ends the run when most members say so', () => {
    const bench = neural(loop);
    allReport(bench, 0);
    store(bench, 1);
    bench.message('a', { type: 'finished', rounds: 1 });
    expect(bench.result()).toBeUndefined();
    bench.message('c', { type: 'finished', rounds: 1 });
    expect(bench.result()).toMatchObject({ status: 'finished', rounds: [{ round: 0 }] });
  });

  it('does not end it by the first rank alone, nor after other rounds than are recorded', () => {
    const bench = neural(loop);
    allReport(bench, 0);
    store(bench, 1);
    bench.message('a', { type: 'finished', rounds: 1 });
    bench.message('b', { type: 'finished', rounds: 2 });
    expect(bench.result()).toBeUndefined();
  });

  it('counts among those who are left', () => {
    const bench = neural(loop);
    allReport(bench, 0);
    store(bench, 1);
    bench.message('b', { type: 'finished', rounds: 1 });
    bench.workers(makeWorker('b'), makeWorker('c', { present: false }));
    bench.halted('b', 1);
    expect(bench.result()).toMatchObject({ status: 'finished' });
  });
});

describe('a profile', () => {
  it('is told by the first rank, once, where it was asked for and is there', () => {
    const bench = neural({ isProfiled: true });
    bench.message('b', { type: 'profiled', ...state('1') });
    expect(bench.malformed()).toHaveLength(1);
    bench.message('a', { type: 'profiled', ...state('1') });
    expect(bench.events('profiled')).toEqual([]);
    answer(bench, 'there');
    expect(bench.events('profiled')).toEqual([{ type: 'profiled', ...state('1') }]);
    bench.message('a', { type: 'profiled', ...state('2') });
    expect(bench.malformed()).toHaveLength(1);
  });

  it('is malformed where nobody asked', () => {
    const bench = neural();
    bench.message('a', { type: 'profiled', ...state('1') });
    expect(bench.malformed()).toHaveLength(1);
    expect(checks(bench)).toEqual([]);
  });
});
