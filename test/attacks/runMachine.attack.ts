// What members of a run can do to it, and to the coordinator, by what they say: floods of rounds that can not be, forged
// rounds and states, ends of the run.

import { netSpec, treeSpec } from '../setup/runSpecs.ts';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { PROTOCOL_VERSION } from '../../shared/protocol/control.ts';
import { contentOf, treeOf, treesSha256 } from '../simulation/simulatedTree.ts';
import type { EncodedTree } from '../../shared/gbdt/treeCodec.ts';
import {
  attackedCoordinator,
  slowestHealthCheckMs,
  type AttackedCoordinator,
} from './attackedCoordinator.ts';
import { expectAtMost } from './figures.ts';

const QUICK_MS = 1_000;
const WAIT_MS = 30_000;

interface Said extends Record<string, unknown> {
  readonly type: string;
  readonly runId: string;
  readonly generation: number;
  readonly rank: number;
}

/** A member made by hand: says what a test has it say. */
class Member {
  readonly socket: WebSocket;
  readonly #heard: Said[] = [];
  #wake: () => void = () => undefined;
  assignment!: Said;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => {
      this.#heard.push(JSON.parse(data.toString()) as Said);
      this.#wake();
    });
    socket.on('error', () => undefined);
  }

  static async join({ url }: AttackedCoordinator): Promise<Member> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/control`);
    const member = new Member(socket);
    await once(socket, 'open');
    const device = { kind: 'cpu', name: 'x' };
    member.say({
      type: 'hello',
      protocol: PROTOCOL_VERSION,
      token: 'JOIN',
      runtime: 'node',
      device,
      cores: 2,
    });
    const { workerId } = await member.hear('welcome');
    member.say({ type: 'available', peerId: workerId });
    return member;
  }

  say(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  /** Of this member's place in the run. */
  tell(message: object): void {
    const { runId, generation } = this.assignment;
    this.say({ runId, generation, ...message });
  }

  async hear(type: string): Promise<Said> {
    const deadline = AbortSignal.timeout(WAIT_MS);
    for (;;) {
      const at = this.#heard.findIndex((one) => one.type === type);
      if (at >= 0) return this.#heard.splice(0, at + 1).at(-1)!;
      deadline.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        deadline.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  /** Takes its place in the next generation, and waits until all are ready. */
  async begin(): Promise<void> {
    this.assignment = await this.hear('assign');
    this.tell({ type: 'ready', links: [] });
    await this.hear('begin');
  }

  commit(round: number, content: string, metrics = { loss: round }): void {
    const trees = [treeOf(content)];
    this.tell({
      type: 'committed',
      round,
      computeMs: 1,
      exchangeMs: 1,
      bytesSent: 0,
      treesSha256: treesSha256(trees),
      metrics,
      ...(this.assignment.rank === 0 && { trees }),
    });
  }
}

const headers = { authorization: 'Bearer ADMIN' };

async function put(
  { url }: AttackedCoordinator,
  text: string,
): Promise<{ sha256: string; sizeBytes: number }> {
  const sha256 = createHash('sha256').update(text).digest('hex');
  await fetch(`${url}/blobs/${sha256}`, { method: 'PUT', headers, body: text });
  return { sha256, sizeBytes: text.length };
}

/** Submits a run; resolves with its members by rank, at work. */
async function train(coordinator: AttackedCoordinator, spec: object, members: number): Promise<Member[]> {
  const joined: Member[] = [];
  for (let i = 0; i < members; i += 1) joined.push(await Member.join(coordinator));
  const blob = await put(coordinator, 'rows');
  const shards = joined.map((_, index) => ({ dataset: 'train', index, firstRow: index, rows: 1, ...blob }));
  const workers = { min: 1, max: members };
  const body = JSON.stringify({ runId: 'attacked', name: 'attacked', spec, shards, workers });
  const submitted = await fetch(`${coordinator.url}/api/v1/runs`, { method: 'POST', headers, body });
  expect(submitted.status).toBe(201);
  await Promise.all(joined.map((member) => member.begin()));
  return joined.sort((a, b) => a.assignment.rank - b.assignment.rank);
}

async function ask({ url }: AttackedCoordinator, path = ''): Promise<Record<string, unknown>> {
  return (await (await fetch(`${url}/api/v1/runs/attacked${path}`, { headers })).json()) as Said;
}

const started = (): Promise<AttackedCoordinator> =>
  attackedCoordinator(['--token', 'JOIN', '--admin-token', 'ADMIN']);

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
  const rounds = [{ round: 0, trees: [treeOf('1'.repeat(16))], metrics: { loss: 0 } }];
  for (const member of honest) member.tell({ type: 'halted', committedRounds: 1, rounds });
  forger.tell({ type: 'halted', committedRounds: 3, rounds: [] });
  await forger.hear('release');
  await Promise.all(honest.map((member) => member.begin()));
  for (const round of [1, 2]) for (const member of honest) member.commit(round, '1'.repeat(16));
  await Promise.all(honest.map((member) => member.hear('release')));
  const outcome = await ask(coordinator, '/outcome');
  const trees = (outcome['rounds'] as { trees: EncodedTree[] }[]).map((round) => contentOf(round.trees[0]!));
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
  await Promise.all([first.hear('halt'), third.hear('halt'), forger.hear('release')]);
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
  await Promise.all([first.hear('release'), third.hear('release')]);
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
