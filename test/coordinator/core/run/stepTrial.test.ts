// Checks of steps of a net, as its members tell of them.

import { describe, expect, it } from 'vitest';
import { neuralRun } from '../../../../coordinator/core/run/neuralRun.ts';
import type { RunPlan } from '../../../../coordinator/core/run/runPlan.ts';
import type { RunCommand } from '../../../../coordinator/core/run/runState.ts';
import { Bench, makeWorker } from './runBench.ts';

const state = (digit: string) => ({ sha256: digit.repeat(64), sizeBytes: 100 });
const digest = (letter: string): string => letter.repeat(32);
const ids = ['a', 'b', 'c', 'd'];

function neural(plan: Partial<RunPlan> = {}): Bench {
  return new Bench({
    kind: neuralRun,
    readPayload: (payload) => neuralRun.readPayload({} as never, payload),
    usefulWorkers: 8,
    movesShards: false,
    checks: 'auto',
    workers: { min: 1, max: 4 },
    totalRounds: 100,
    ...plan,
  });
}

const stranger = (workerId: string) => makeWorker(workerId, { isOwners: false });

/** A group of strangers at work. */
function group(...workerIds: string[]): Bench {
  const bench = neural();
  bench.workers(...workerIds.map(stranger));
  if (bench.state.phase === 'waiting') bench.tick();
  bench.ready(...workerIds);
  return bench;
}

function report(bench: Bench, workerId: string, round: number): void {
  const told = { round, computeMs: 5, exchangeMs: 1, bytesSent: 1, metrics: { loss: round } };
  bench.message(workerId, { type: 'committed', ...told });
}

/** All tell of a round, and of a state after it. */
function committed(bench: Bench, round: number, letter: string): void {
  const rounds = round + 1;
  for (const [at, workerId] of bench.group.entries())
    bench.message(workerId, { type: at === 0 ? 'saved' : 'state', rounds, ...state(letter) });
  const check = { what: 'state', workerId: bench.group[0]!, rounds, ...state(letter) } as const;
  bench.input({ type: 'blob', atMs: bench.atMs, check, found: 'there' });
  for (const workerId of bench.group) report(bench, workerId, round);
}

function dispute(bench: Bench, workerId: string, found: string, change: object = {}): void {
  const rank = bench.state.places.indexOf('b');
  const by = bench.state.places.indexOf('c');
  const what = { what: 'gradient', rank, by, claimed: digest('1'), again: digest('2'), found: digest(found) };
  bench.message(workerId, { type: 'checkedSteps', round: 50, passed: 0, dispute: { ...what, ...change } });
}

const commands = <T extends RunCommand['type']>(bench: Bench, type: T): Extract<RunCommand, { type: T }>[] =>
  bench.commands.flatMap((command) =>
    command.type === type ? [command as Extract<RunCommand, { type: T }>] : [],
  );

describe('checks of steps', () => {
  it('are asked for where a stranger takes part, and not of the owner’s own or of one alone', () => {
    const isChecked = (bench: Bench): unknown => commands(bench, 'assign').map((one) => one.isChecked);
    const own = (workerId: string) => makeWorker(workerId, { isOwners: true });
    for (const [workers, plan, expected] of [
      [[stranger('a'), stranger('b')], {}, [true]],
      [[own('a'), stranger('b')], {}, [true]],
      [[own('a'), own('b')], {}, [false]],
      [[own('a'), own('b')], { checks: 'always' }, [true]],
      [[stranger('a'), stranger('b')], { checks: 'never' }, [false]],
      [[stranger('a')], {}, [false]],
    ] as const) {
      const bench = neural({ workers: { min: workers.length, max: workers.length }, ...plan });
      bench.workers(...workers);
      expect(isChecked(bench)).toEqual(expected);
    }
  });

  it('have the owner’s worker as the first rank, whoever came first', () => {
    const bench = neural({ workers: { min: 3, max: 3 } });
    bench.workers(stranger('a'), stranger('b'), makeWorker('c', { isOwners: true }));
    expect(bench.group).toEqual(['c', 'a', 'b']);
  });

  it('that were right count for all, as more than half tell of them', () => {
    const bench = group(...ids);
    const passed = (workerId: string, count: number): unknown => {
      bench.message(workerId, { type: 'checkedSteps', round: 9, passed: count });
      return commands(bench, 'passCheck').map(({ workerIds, rounds }) => [[...workerIds].sort(), rounds]);
    };
    expect(passed('a', 1000)).toEqual([]);
    expect(passed('b', 3)).toEqual([]);
    expect(passed('c', 2)).toEqual([[ids, 2]]);
    expect(passed('d', 3)).toEqual([[ids, 1]]);
    // Fewer than before can not be.
    passed('d', 2);
    expect(bench.malformed()).toMatchObject([{ workerId: 'd' }]);
  });
});

describe('a worker that lied in a step of a net', () => {
  it('is convicted by what most find, and the run goes back to before it came', () => {
    const bench = group(...ids);
    committed(bench, 9, '7');
    committed(bench, 19, '8');
    for (const workerId of ['a', 'c']) dispute(bench, workerId, '2');
    expect(bench.state.phase).toBe('training');
    dispute(bench, 'd', '2');
    const evidence = { round: 50, claimed: digest('1'), found: digest('2') };
    expect(commands(bench, 'convict')).toMatchObject([{ workerId: 'b', evidence }]);
    expect(bench.events('workerLost')).toMatchObject([{ workerId: 'b' }]);
    expect(bench.sent('halt').map(({ workerId }) => workerId)).toEqual(['a', 'c', 'd']);
    for (const workerId of ['a', 'c', 'd']) bench.halted(workerId, 40);
    // It was there from the first step on.
    expect(bench.events('undone')).toMatchObject([{ rounds: 0, reason: 'worker b lied' }]);
    expect(bench.state.record).toEqual([]);
    expect(bench.state.savedState).toBeUndefined();
    const [assigned] = commands(bench, 'assign');
    expect(assigned).toMatchObject({ committedRounds: 0, savedState: undefined, rounds: [] });
    expect(assigned!.members.map(({ workerId, holdsState }) => [workerId, holdsState])).toEqual([
      ['a', false],
      ['c', false],
      ['d', false],
    ]);
  });

  it('that came later costs what came after the last state before it', () => {
    const bench = group('a', 'c', 'd');
    committed(bench, 9, '7');
    committed(bench, 19, '8');
    bench.workers(...ids.map(stranger));
    bench.prepared('b');
    bench.tick();
    for (const workerId of ['a', 'c', 'd']) bench.halted(workerId, 25);
    expect(bench.group).toContain('b');
    bench.ready(...ids);
    committed(bench, 29, '9');
    expect(bench.state.savedState?.rounds).toBe(30);
    for (const workerId of ['a', 'c', 'd']) dispute(bench, workerId, '2');
    for (const workerId of ['a', 'c', 'd']) bench.halted(workerId, 40);
    expect(bench.events('undone')).toMatchObject([{ rounds: 20, savedState: { rounds: 20, ...state('8') } }]);
    expect(bench.state.record.map(({ round }) => round)).toEqual([9, 19]);
    expect(commands(bench, 'assign')).toMatchObject([
      { committedRounds: 20, savedState: { rounds: 20, ...state('8') } },
    ]);
    // Rounds after it are recorded anew.
    bench.ready('a', 'c', 'd');
    for (const workerId of ['a', 'c', 'd']) report(bench, workerId, 29);
    expect(bench.state.record.map(({ round }) => round)).toEqual([9, 19, 29]);
  });

  it('by a false accusation is convicted itself', () => {
    const bench = group(...ids);
    for (const workerId of ['a', 'b', 'd']) dispute(bench, workerId, '1');
    expect(commands(bench, 'convict').map(({ workerId }) => workerId)).toEqual(['c']);
  });

  it('is judged by the worker of the owner alone, where there is one', () => {
    const bench = neural({ workers: { min: 4, max: 4 } });
    bench.workers(...ids.map((workerId) => makeWorker(workerId, { isOwners: workerId === 'a' })));
    bench.ready(...ids);
    for (const workerId of ['b', 'c', 'd']) dispute(bench, workerId, '1');
    expect(commands(bench, 'convict')).toEqual([]);
    dispute(bench, 'a', '2');
    expect(commands(bench, 'convict').map(({ workerId }) => workerId)).toEqual(['b']);
  });

  it('is not convicted where no side has a majority', () => {
    const bench = group(...ids);
    for (const [workerId, found] of Object.entries({ a: '2', b: '1', c: '2', d: '3' }))
      dispute(bench, workerId, found);
    expect(commands(bench, 'convict')).toEqual([]);
    expect(bench.state.phase).toBe('halting');
    for (const workerId of ids) bench.halted(workerId, 40);
    expect(bench.events('undone')).toEqual([]);
    expect(bench.group).toEqual(ids);
  });
});

describe('a dispute', () => {
  it('of which one member alone tells stops nobody', () => {
    const bench = group(...ids);
    dispute(bench, 'a', '2');
    bench.atMs = bench.state.stepChecks.trial!.deadlineMs;
    bench.input({ type: 'tick', atMs: bench.atMs });
    expect(bench.malformed()).toMatchObject([{ workerId: 'a' }]);
    expect(bench.state.phase).toBe('training');
    expect(commands(bench, 'convict')).toEqual([]);
  });

  it.each([
    ['a rank that is not there', { rank: 9 }],
    ['one member with itself', { rank: 2, by: 2 }],
  ])('of %s is malformed', (_what, change) => {
    const bench = group(...ids);
    dispute(bench, 'a', '2', change);
    expect(bench.malformed()).toMatchObject([{ workerId: 'a' }]);
  });

  it('of an earlier generation is nothing', () => {
    const bench = group(...ids);
    for (const workerId of ['a', 'c', 'd']) dispute(bench, workerId, '2', {});
    const before = bench.state;
    bench.message('a', { type: 'checkedSteps', generation: 0, round: 1, passed: 0 });
    expect(bench.state).toBe(before);
  });

  it('over what was sent parts two strangers, and convicts one whom an owner’s worker names', () => {
    const stalled = {
      type: 'stalled',
      missing: ['b'],
      code: 'PEER_CONTRADICTS',
      message: 'not as it says',
    } as const;
    const strangers = group(...ids);
    strangers.message('a', stalled);
    expect(commands(strangers, 'convict')).toEqual([]);
    expect([...strangers.state.setAside]).toMatchObject([['b', { until: 'forgiven', accuser: 'a' }]]);
    const own = neural({ workers: { min: 4, max: 4 } });
    own.workers(...ids.map((workerId) => makeWorker(workerId, { isOwners: workerId === 'a' })));
    own.ready(...ids);
    own.message('a', stalled);
    expect(commands(own, 'convict').map(({ workerId }) => workerId)).toEqual(['b']);
  });

  it('is none where an owner’s worker can not read a message: a third member may have led it astray', () => {
    const bench = neural({ workers: { min: 4, max: 4 } });
    bench.workers(...ids.map((workerId) => makeWorker(workerId, { isOwners: workerId === 'a' })));
    bench.ready(...ids);
    bench.message('a', {
      type: 'stalled',
      missing: ['b'],
      code: 'PEER_MESSAGE_INVALID',
      message: '17 bytes',
    });
    expect(commands(bench, 'convict')).toEqual([]);
  });
});
