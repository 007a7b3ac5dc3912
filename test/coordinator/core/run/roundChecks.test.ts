// What the run machine does about rounds that are checked: when it asks, what it takes for an answer, and what follows from a
// verdict. The judging itself is tested in test/simulation/strangers.

import { beforeEach, describe, expect, it } from 'vitest';
import type { Fault } from '../../../../coordinator/core/trust/roundAudit.ts';
import type { RunCommand } from '../../../../coordinator/core/run/runState.ts';
import { Bench, makeWorker } from './runBench.ts';

let bench: Bench;

const stranger = (workerId: string) => makeWorker(workerId, { isOwners: false });

function begin(
  ids: readonly string[] = ['a', 'b', 'c'],
  plan: ConstructorParameters<typeof Bench>[0] = {},
): void {
  bench = new Bench({ workers: { min: 2, max: 3 }, checks: 'auto', ...plan });
  bench.workers(...ids.map(stranger));
  if (bench.state.phase === 'waiting') bench.tick();
  bench.ready(...bench.group);
}

const commands = <T extends RunCommand['type']>(type: T): Extract<RunCommand, { type: T }>[] =>
  bench.commands.filter((command): command is Extract<RunCommand, { type: T }> => command.type === type);

const told = (firstRound: number, rounds: number) =>
  Array.from({ length: rounds }, (_, i) => ({
    round: firstRound + i,
    steps: [],
    sent: [],
    received: [],
    refused: [],
  }));

function answer(workerId: string, firstRound: number, rounds: number): void {
  bench.message(workerId, { type: 'checked', firstRound, rounds: told(firstRound, rounds) });
}

function verdict(rightRounds: number, faults: readonly Fault[] = []): void {
  bench.input({
    type: 'audited',
    atMs: bench.atMs,
    generation: bench.state.generation,
    verdict: { rightRounds, metrics: [], faults },
  });
}

/** Eight rounds are made, asked about and answered. */
function auditEight(): void {
  for (let round = 0; round < 8; round += 1) bench.allCommitted(round);
  for (const workerId of bench.group) answer(workerId, 0, 8);
}

describe('rounds in which strangers took part', () => {
  beforeEach(() => begin());

  it('are asked about eight at a time, and recorded once they are right', () => {
    for (let round = 0; round < 7; round += 1) bench.allCommitted(round);
    expect(commands('check')).toEqual([]);
    bench.allCommitted(7);
    expect(commands('check')).toMatchObject([{ firstRound: 0, endRound: 8, workerIds: ['a', 'b', 'c'] }]);
    expect(bench.state.record).toEqual([]);
    answer('a', 0, 8);
    answer('b', 0, 8);
    expect(commands('audit')).toEqual([]);
    answer('c', 0, 8);
    const [audit] = commands('audit');
    expect(audit!.rounds).toEqual(Array.from({ length: 8 }, (_, round) => [`tree ${round}`]));
    expect(audit!.members.map(({ workerId, isOwners }) => [workerId, isOwners])).toEqual([
      ['a', false],
      ['b', false],
      ['c', false],
    ]);
    verdict(8);
    expect(bench.recorded().map(({ round }) => round)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(commands('passCheck')).toEqual([{ type: 'passCheck', workerIds: ['a', 'b', 'c'], rounds: 8 }]);
  });

  it('are asked about sooner where they take long, and at the end', () => {
    bench.allCommitted(0);
    bench.tick();
    expect(commands('check')).toMatchObject([{ firstRound: 0, endRound: 1 }]);
    for (let round = 1; round < 10; round += 1) bench.allCommitted(round);
    for (const workerId of bench.group) answer(workerId, 0, 1);
    verdict(1);
    expect(commands('check')).toMatchObject([{ firstRound: 1, endRound: 10 }]);
    for (const workerId of bench.group) answer(workerId, 1, 9);
    verdict(9);
    expect(bench.result()).toMatchObject({ status: 'finished' });
  });

  it('wait for the word of all members that have not made them', () => {
    for (let round = 0; round < 8; round += 1) for (const id of ['a', 'b']) bench.committed(id, round);
    expect(commands('check')).toEqual([]);
  });

  it('have the metrics of the rows', () => {
    auditEight();
    bench.input({
      type: 'audited',
      atMs: 0,
      generation: bench.state.generation,
      verdict: { rightRounds: 8, metrics: [{ loss: 0 }, { loss: 77 }], faults: [] },
    });
    expect(bench.state.record.map(({ metrics }) => metrics['loss'])).toEqual([0, 77, 2, 3, 4, 5, 6, 7]);
  });

  it('are done again without who lied, from the last right one', () => {
    auditEight();
    const evidence = { what: 'its sums are not those of its rows', round: 5 };
    verdict(5, [{ kind: 'lie', workerId: 'b', evidence }]);
    expect(commands('convict')).toEqual([{ type: 'convict', workerId: 'b', evidence }]);
    expect(bench.state.record).toHaveLength(5);
    expect(bench.state.setAside.get('b')?.until).toBe('never');
    bench.halted('a', 8, 5);
    bench.halted('c', 8, 5);
    // What was made after the wrong round is asked about no more, and forgotten.
    expect(commands('check')).toEqual([]);
    expect(bench.state.record).toHaveLength(5);
    expect(commands('assign')).toMatchObject([{ committedRounds: 5, isChecked: true }]);
    expect(bench.group).toEqual(['a', 'c']);
  });

  it('end the run when they are wrong for ever and nobody can be named', () => {
    for (let time = 0; time < 5; time += 1) {
      auditEight();
      verdict(0, [{ kind: 'unexplained', round: 0, what: 'sums of all members can not be' }]);
      for (const id of ['a', 'b', 'c']) if (bench.state.phase === 'halting') bench.halted(id, 8, 0);
      if (bench.state.phase === 'loading') bench.ready(...bench.group);
    }
    expect(bench.result()).toMatchObject({ code: 'CHECK_FAILED' });
  });

  it('part two who contradict each other, without proof', () => {
    auditEight();
    verdict(2, [{ kind: 'quarrel', workerIds: ['a', 'c'], round: 2, what: 'they differ' }]);
    expect(commands('convict')).toEqual([]);
    const [suspect] = [...bench.state.setAside.keys()];
    expect(['a', 'c']).toContain(suspect);
    expect(bench.state.setAside.get(suspect!)?.until).toBe('forgiven');
  });
});

describe('an answer to a check', () => {
  beforeEach(() => {
    begin();
    for (let round = 0; round < 8; round += 1) bench.allCommitted(round);
  });

  it.each([
    ['of rounds that were not asked about', { firstRound: 8, rounds: [] }],
    ['of another generation', { firstRound: 0, rounds: [], generation: 7 }],
  ])('%s is not taken', (_, message) => {
    bench.message('a', { type: 'checked', ...message });
    answer('b', 0, 8);
    answer('c', 0, 8);
    expect(commands('audit')).toEqual([]);
  });

  it('is taken once', () => {
    answer('a', 0, 8);
    answer('a', 0, 8);
    expect(bench.malformed()).toMatchObject([{ workerId: 'a' }]);
  });

  it('of other rounds than it names sets its member aside for good', () => {
    bench.message('a', { type: 'checked', firstRound: 0, rounds: told(1, 7) });
    expect(bench.state.setAside.get('a')?.until).toBe('never');
  });

  it('may be of no rounds: the member is judged by what the others got', () => {
    answer('a', 0, 0);
    answer('b', 0, 8);
    answer('c', 0, 8);
    expect(commands('audit')[0]!.members.map(({ told: rounds }) => rounds?.length)).toEqual([
      undefined,
      8,
      8,
    ]);
  });

  it('of a part of the rounds is none; where the round is wrong, its member is set aside', () => {
    answer('a', 0, 3);
    answer('b', 0, 8);
    answer('c', 0, 8);
    expect(commands('audit')[0]!.members.map(({ told: rounds }) => rounds?.length)).toEqual([
      undefined,
      8,
      8,
    ]);
    verdict(0, [{ kind: 'unexplained', round: 0, what: 'a value does not follow from the rows' }]);
    expect([...bench.state.setAside.keys()]).toEqual(['a']);
    expect(bench.state.unexplained.times).toBe(0);
  });

  it.each([
    ['nodes', { steps: [{ output: 0, limb: 'high', nodes: Array<number>(2000).fill(0), sum: [0] }] }],
    [
      'steps',
      { steps: Array.from({ length: 2000 }, () => ({ output: 0, limb: 'high', nodes: [], sum: [0] })) },
    ],
    ['members', { received: Array.from({ length: 4 }, () => [0]) }],
    ['roots', { roots: [{ output: 0, told: Array<string>(4).fill('1/1') }] }],
  ])('of more %s than there can be is none: it is not kept while others are awaited', (_, more) => {
    bench.message('a', {
      type: 'checked',
      firstRound: 0,
      rounds: [{ ...told(0, 1)[0], ...more }, ...told(1, 7)],
    });
    expect(bench.malformed()).toMatchObject([{ workerId: 'a' }]);
    expect(bench.state.checks.asked?.answers.get('a')).toEqual([]);
    answer('b', 0, 8);
    answer('c', 0, 8);
    expect(commands('audit')[0]!.members.map(({ told: rounds }) => rounds?.length)).toEqual([
      undefined,
      8,
      8,
    ]);
  });

  it('that does not come sets its member aside, and the rounds are judged without it', () => {
    answer('a', 0, 8);
    answer('b', 0, 8);
    bench.atMs = bench.plan.timing.haltMs;
    bench.input({ type: 'tick', atMs: bench.atMs });
    expect(bench.group).toEqual(['a', 'b']);
    expect(commands('audit')[0]!.members.map(({ told: rounds }) => rounds?.length)).toEqual([
      8,
      8,
      undefined,
    ]);
  });

  it('is asked for again where the socket was replaced', () => {
    answer('a', 0, 8);
    bench.workers(stranger('a'), { ...stranger('b'), session: 2 }, stranger('c'));
    expect(commands('check')).toMatchObject([
      { firstRound: 0, endRound: 8, workerIds: ['b'], isAgain: true },
    ]);
    bench.workers({ ...stranger('a'), session: 2 }, { ...stranger('b'), session: 2 }, stranger('c'));
    expect(commands('check')).toEqual([]);
  });

  it('of a member that is gone is not waited for', () => {
    answer('a', 0, 8);
    answer('b', 0, 8);
    bench.input({
      type: 'workers',
      atMs: bench.atMs,
      workers: ['a', 'b'].map(stranger),
      busy: 0,
      lost: new Map([['c', 'closed']]),
    });
    expect(commands('audit')).toHaveLength(1);
    bench.halted('a', 8, 0);
    bench.halted('b', 8, 0);
    expect(commands('assign')).toEqual([]);
    verdict(8);
    expect(bench.state.record).toHaveLength(8);
    expect(commands('assign')).toMatchObject([{ committedRounds: 8 }]);
  });
});

describe('members that each hold all rows', () => {
  beforeEach(() => begin(['a', 'b', 'c'], { sharesRows: true, totalRounds: 200 }));

  it('are asked nothing, and go on while what they agree on is judged, as far as it takes', () => {
    for (let round = 0; round < 8; round += 1) bench.allCommitted(round);
    expect(commands('check')).toMatchObject([{ workerIds: [] }]);
    expect(commands('audit')).toMatchObject([{ firstRound: 0 }]);
    for (let round = 8; round < 160; round += 1) bench.allCommitted(round);
    expect(bench.state.phase).toBe('training');
    expect(bench.state.record).toEqual([]);
    verdict(8);
    expect(bench.state.record).toHaveLength(8);
    expect(commands('audit')[0]!.rounds).toHaveLength(64);
  });

  it('lied, all who name a tree that does not follow from the rows', () => {
    for (let round = 0; round < 8; round += 1) {
      const tree = round === 5 ? 'forged' : `tree ${round}`;
      for (const id of ['a', 'b']) bench.says(id, round, { tree });
      bench.committed('c', round);
    }
    for (const id of ['a', 'b', 'c']) if (bench.state.phase === 'halting') bench.halted(id, 8, 0);
    expect(bench.state.phase).toBe('halting');
    verdict(5, [
      { kind: 'unexplained', round: 5, what: 'the value of node 0 does not follow from the rows' },
    ]);
    expect(commands('convict').map(({ workerId }) => workerId)).toEqual(['a', 'b']);
    expect(bench.state.record).toHaveLength(5);
  });
});

describe('a group', () => {
  it('of the owner alone is not checked, unless that is asked for', () => {
    bench = new Bench({ checks: 'auto' }).training();
    bench.allCommitted(0);
    expect(bench.state.record).toHaveLength(1);
    bench = new Bench({ checks: 'always' }).training();
    bench.allCommitted(0);
    expect(bench.state.record).toHaveLength(0);
  });

  it('of strangers is not checked where nobody wants it', () => {
    begin(['a', 'b'], { checks: 'never' });
    bench.allCommitted(0);
    expect(bench.state.record).toHaveLength(1);
  });

  it('records what the owner’s worker says, whatever most say', () => {
    bench = new Bench({ workers: { min: 3, max: 3 }, checks: 'never' });
    bench.workers(makeWorker('mine'), stranger('a'), stranger('b'));
    if (bench.state.phase === 'waiting') bench.tick();
    bench.ready(...bench.group);
    bench.says('a', 0, { tree: 'forged' });
    bench.says('b', 0, { tree: 'forged' });
    expect(bench.state.record).toEqual([]);
    bench.committed('mine', 0);
    expect(bench.state.record.map(({ payload }) => payload)).toEqual([['tree 0']]);
  });
});
