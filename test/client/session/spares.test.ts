// Shards of others that a member keeps ready: what a lost member held is taken over without fetching it, at the round at which
// the group is, and the trees are those of an undisturbed run.

import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventTurn } from '../../../kernels/eventTurn.ts';
import type { Lease } from '../../../shared/protocol/control.ts';
import type { SmallRun } from './sessionWorld.ts';
import { RUN, SessionWorld, linkKeysOf, smallRun } from './sessionWorld.ts';

const ROUNDS = 12;
const SHARDS = 6;

interface Holding {
  readonly leases: readonly number[];
  readonly spares?: readonly number[];
}

let world: SessionWorld;
let run: SmallRun;

beforeEach(() => {
  world = new SessionWorld();
  run = smallRun(world, SHARDS, ROUNDS);
});
afterEach(() => world.close());

/** Shards by their place in the run: the last one is that of the evaluation set. */
const shardsAt = (places: readonly number[] = []): Lease[] => places.map((place) => run.leases[place]!);
const isShard = (sha256: string): boolean => run.leases.some((lease) => lease.sha256 === sha256);

async function form(
  generation: number,
  holdings: Readonly<Record<string, Holding>>,
  rounds: readonly (readonly unknown[])[] = [],
): Promise<void> {
  const members = Object.keys(holdings);
  for (const [rank, workerId] of members.entries()) {
    const { leases, spares } = holdings[workerId]!;
    world.say(workerId, {
      type: 'assign',
      runId: RUN,
      generation,
      rank,
      members: members.map((id, at) => ({ rank: at, workerId: id, peerId: id })),
      linkKeys: linkKeysOf(members),
      stateHolders: members.map((_, at) => at),
      leases: shardsAt(leases),
      ...(spares && { spares: shardsAt(spares) }),
      spec: run.specHash,
      committedRounds: rounds.length,
      agreedRounds: rounds.length,
      payloads: rounds.length === 0 ? null : world.putJson(rounds),
    });
  }
  for (const workerId of members)
    await world.hear(workerId, 'ready', (ready) => ready.generation === generation);
  world.sayAll(members, { type: 'begin', runId: RUN, generation });
}

async function committed(workerId: string, round: number): Promise<unknown> {
  const message = await world.hear(workerId, 'committed', (told) => told.round === round);
  return [message.payload, message.metrics];
}

/** @returns trees of the rounds that are committed at one of them at least. */
async function haltNow(generation: number, members: readonly string[]): Promise<unknown[][]> {
  world.sayAll(members, {
    type: 'halt',
    runId: RUN,
    generation,
    when: 'now',
    knownRounds: 0,
    reason: 'test',
  });
  const answers = await Promise.all(members.map((workerId) => world.hear(workerId, 'halted')));
  const [most] = answers.sort((a, b) => b.rounds.length - a.rounds.length);
  return most!.rounds.map(({ payload }) => payload);
}

async function undisturbed(): Promise<unknown> {
  world.addWorker('alone');
  await form(1, { alone: { leases: [0, 1, 2, 3, 4, 5, 6] } });
  const last = await committed('alone', ROUNDS - 1);
  world.kill('alone');
  world.fetched.length = 0;
  return last;
}

it('become the rows of who kept them, without a byte, when their member is lost', async () => {
  const expected = await undisturbed();
  for (const workerId of ['w0', 'w1', 'w2']) world.addWorker(workerId);
  await form(1, {
    w0: { leases: [0, 1, 6], spares: [4] },
    w1: { leases: [2, 3], spares: [5] },
    w2: { leases: [4, 5], spares: [0, 1, 2, 3] },
  });
  await committed('w0', 3);
  world.kill('w2');
  const rounds = await haltNow(1, ['w0', 'w1']);
  expect(rounds.length).toBeGreaterThan(3);
  expect(rounds.length).toBeLessThan(ROUNDS);
  world.fetched.length = 0;
  await form(2, { w0: { leases: [0, 1, 4, 6] }, w1: { leases: [2, 3, 5] } }, rounds);
  expect(world.fetched.filter(isShard)).toEqual([]);
  expect(await committed('w0', ROUNDS - 1)).toEqual(expected);
});

it('are what a member gave to a newcomer, and come back when that is lost', async () => {
  const expected = await undisturbed();
  for (const workerId of ['w0', 'w1', 'w2']) world.addWorker(workerId);
  await form(1, {
    w0: { leases: [0, 1, 2, 6], spares: [3, 4, 5] },
    w1: { leases: [3, 4, 5], spares: [0, 1, 2] },
  });
  await committed('w0', 1);
  const first = await haltNow(1, ['w0', 'w1']);
  await form(
    2,
    {
      w0: { leases: [0, 1, 6], spares: [2, 4] },
      w1: { leases: [3, 4], spares: [5] },
      w2: { leases: [2, 5], spares: [] },
    },
    first,
  );
  await committed('w0', first.length + 1);
  world.kill('w2');
  const second = await haltNow(2, ['w0', 'w1']);
  world.fetched.length = 0;
  await form(3, { w0: { leases: [0, 1, 2, 6] }, w1: { leases: [3, 4, 5] } }, second);
  expect(world.fetched.filter(isShard)).toEqual([]);
  expect(await committed('w0', ROUNDS - 1)).toEqual(expected);
});

it('hold up neither the work nor the next group where they can not be fetched', async () => {
  const expected = await undisturbed();
  for (const workerId of ['w0', 'w1']) world.addWorker(workerId);
  // The other member's own copy comes first; then it never arrives.
  await form(1, { w0: { leases: [0, 1, 2, 6] }, w1: { leases: [3, 4, 5] } });
  world.held.set(run.leases[3]!.sha256, new Promise<never>(() => undefined));
  const first = await haltNow(1, ['w0', 'w1']);
  await form(2, { w0: { leases: [0, 1, 2, 6], spares: [3] }, w1: { leases: [3, 4, 5] } }, first);
  while (!world.fetched.includes(run.leases[3]!.sha256)) await eventTurn();
  const second = await haltNow(2, ['w0', 'w1']);
  await form(3, { w0: { leases: [0, 1, 2, 6] }, w1: { leases: [3, 4, 5] } }, second);
  expect(await committed('w0', ROUNDS - 1)).toEqual(expected);
});
