// What members of a run can do to it, and to the coordinator, by what they say: floods of rounds that can not be, forged
// rounds and states, ends of the run.

import { netSpec, treeSpec } from '../setup/runSpecs.ts';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { contentOf, treeOf } from '../simulation/simulatedTree.ts';
import type { EncodedTree } from '../../shared/gbdt/treeCodec.ts';
import { slowestHealthCheckMs } from './attackedCoordinator.ts';
import { expectAtMost } from './figures.ts';
import { ask, headers, type Member, put, started, train } from './handmadeMember.ts';

const QUICK_MS = 1_000;

const floods: readonly (readonly [string, object, (at: number) => object])[] = [
  [
    'rounds of boosting',
    treeSpec(10_000_000),
    (round) => ({ type: 'committed', round, treesSha256: 'a'.repeat(64) }),
  ],
  ['steps of a net', netSpec(10_000_000), (round) => ({ type: 'committed', round: 3 * round })],
  [
    'states of a net',
    netSpec(10_000_000),
    (rounds) => ({ type: 'saved', rounds: rounds + 1, sha256: 'b'.repeat(64), sizeBytes: 9 }),
  ],
];

for (const [what, spec, message] of floods) {
  test(`a member tells of ${what}, thousands at a time: others are answered as quickly as ever`, async (context) => {
    await using coordinator = await started();
    const [first, evil] = (await train(coordinator, spec, 2)) as [Member, Member];
    const flood = async (): Promise<void> => {
      for (let at = 0; at < 32_000; at += 1) {
        if (evil.socket.readyState !== WebSocket.OPEN) return;
        evil.tell({ computeMs: 1, exchangeMs: 1, bytesSent: 0, metrics: {}, ...message(at) });
        // In bursts, as fast as the coordinator reads.
        if (at % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const slowestMs = await slowestHealthCheckMs(coordinator, flood());
    expectAtMost(context, {
      what: 'computed before an answer',
      value: slowestMs,
      atMost: QUICK_MS,
      unit: 'ms',
    });
    expect(first.socket.readyState).toBe(WebSocket.OPEN);
  });
}

test('the first rank forges its rounds: none of them is recorded, the others finish', async (context) => {
  await using coordinator = await started();
  const [forger, ...honest] = (await train(coordinator, treeSpec(3), 3)) as [Member, ...Member[]];
  for (let round = 0; round < 3; round += 1) forger.commit(round, 'f'.repeat(16), { loss: 0 });
  for (const member of honest) member.commit(0, '1'.repeat(16));
  await Promise.all(honest.map((member) => member.hear('halt')));
  const rounds = [{ round: 0, payload: [treeOf('1'.repeat(16))], metrics: { loss: 0 } }];
  for (const member of honest) member.tell({ type: 'halted', committedRounds: 1, rounds });
  forger.tell({ type: 'halted', committedRounds: 3, rounds: [] });
  await forger.hear('release');
  await Promise.all(honest.map((member) => member.begin()));
  for (const round of [1, 2]) for (const member of honest) member.commit(round, '1'.repeat(16));
  await Promise.all(honest.map((member) => member.hear('release')));
  const outcome = await ask(coordinator, '/outcome');
  const trees = (outcome['rounds'] as { payload: EncodedTree[] }[]).map((round) =>
    contentOf(round.payload[0]!),
  );
  expect(outcome['status']).toBe('finished');
  expect(trees).toHaveLength(3);
  const forged = trees.filter((content) => content !== '1'.repeat(16)).length;
  expectAtMost(context, { what: 'forged rounds', value: forged, atMost: 0, unit: 'of 3' });
});

test('a member puts its own state in place of the net: it is not taken', async (context) => {
  await using coordinator = await started();
  const [first, forger, third] = (await train(coordinator, netSpec(10), 3)) as [Member, Member, Member];
  const [forged, right] = [
    await put(coordinator, 'of the attacker'),
    await put(coordinator, 'of all others'),
  ];
  forger.tell({ type: 'saved', rounds: 10, ...forged });
  first.tell({ type: 'saved', rounds: 10, ...right });
  third.tell({ type: 'state', rounds: 10, ...right });
  await Promise.all([first.hear('halt'), third.hear('halt'), forger.hear('halt')]);
  // Whether it was sent something else than the others is known when all have answered.
  forger.tell({ type: 'halted', committedRounds: 10, rounds: [] });
  for (const member of [first, third]) {
    member.tell({
      type: 'committed',
      round: 9,
      computeMs: 1,
      exchangeMs: 1,
      bytesSent: 0,
      metrics: { loss: 1 },
    });
    member.tell({ type: 'halted', committedRounds: 10, rounds: [] });
  }
  await Promise.all([first.hear('release'), third.hear('release'), forger.hear('release')]);
  const events = await (await fetch(`${coordinator.url}/api/v1/runs/attacked/events`, { headers })).text();
  expect(events).toContain(right.sha256);
  const taken = events.split(forged.sha256).length - 1;
  expectAtMost(context, { what: 'forged states taken', value: taken, atMost: 0, unit: 'of 1' });
});

test('a member says that the run is impossible: the others go on', async (context) => {
  await using coordinator = await started();
  const [first, evil, third] = (await train(coordinator, treeSpec(1), 3)) as [Member, Member, Member];
  evil.tell({ type: 'failed', code: 'X', message: 'because I say so' });
  await Promise.all([first.hear('halt'), third.hear('halt')]);
  for (const member of [first, third]) member.tell({ type: 'halted', committedRounds: 0, rounds: [] });
  await Promise.all([first.begin(), third.begin()]);
  for (const member of [first, third]) member.commit(0, '1'.repeat(16));
  await Promise.all([first.hear('release'), third.hear('release')]);
  const { status } = await ask(coordinator);
  expectAtMost(context, {
    what: 'failed runs',
    value: status === 'finished' ? 0 : 1,
    atMost: 0,
    unit: 'of 1',
  });
});
