// Members that make a group stand still and have others blamed for it.

import { expect, test, type TestContext } from 'vitest';
import { treeSpec } from '../setup/runSpecs.ts';
import { expectAtMost } from './figures.ts';
import { type Member, place, started, train } from './handmadeMember.ts';

const SAME = '1'.repeat(16);

/** Waits for a halt; each then says how many rounds it has, and for whom it was waiting. */
async function answerHalt(
  members: readonly Member[],
  committedRounds: number,
  waits: ReadonlyMap<Member, Member>,
): Promise<void> {
  await Promise.all(members.map((member) => member.hear('halt')));
  for (const member of members) {
    const missing = waits.has(member) ? [waits.get(member)!.workerId] : [];
    member.tell({ type: 'halted', committedRounds, rounds: [], missing });
  }
}

/** Who is given a place in the next group goes on; the one who is left out is told so. */
async function expectOnlyLost(context: TestContext, lost: Member, others: readonly Member[]): Promise<void> {
  await Promise.all([lost.hear('release'), ...others.map((member) => member.takePlace())]);
  const ids = (others[0]!.assignment['members'] as { workerId: string }[]).map(({ workerId }) => workerId);
  const missing = others.filter((member) => !ids.includes(member.workerId)).length;
  expectAtMost(context, { what: 'honest members set aside', value: missing, atMost: 0, unit: 'of 3' });
}

test('a member sends to all but one, for which all others wait: it goes, not that one', async (context) => {
  await using coordinator = await started();
  const members = (await train(coordinator, treeSpec(100), 4)) as [Member, Member, Member, Member];
  const [first, second, victim, evil] = members;
  for (const member of members) member.commit(0, SAME);
  const waits = new Map([
    [first, victim],
    [second, victim],
    [victim, evil],
    [evil, victim],
  ]);
  const sinceMs = Date.now();
  await answerHalt(members, 1, waits);
  const stoodStillMs = Date.now() - sinceMs;
  await expectOnlyLost(context, evil, [first, second, victim]);
  expectAtMost(context, { what: 'stood still', value: stoodStillMs, atMost: 20_000, unit: 'ms' });
});

test('a member makes links to all but one: the group goes on after seconds, and with that one', async (context) => {
  await using coordinator = await started();
  const members = (await place(coordinator, treeSpec(100), 4)) as [Member, Member, Member, Member];
  const [first, second, victim, evil] = members;
  for (const member of members) member.tell({ type: 'loading', rowsLoaded: 1, rowsTotal: 1 });
  for (const member of [first, second, evil]) member.tell({ type: 'ready', links: [] });
  const sinceMs = Date.now();
  await answerHalt(members, 0, new Map([[victim, evil]]));
  const stoodStillMs = Date.now() - sinceMs;
  await expectOnlyLost(context, evil, [first, second, victim]);
  expectAtMost(context, { what: 'stood still', value: stoodStillMs, atMost: 20_000, unit: 'ms' });
  expect(evil.socket.readyState).toBe(evil.socket.OPEN);
});
