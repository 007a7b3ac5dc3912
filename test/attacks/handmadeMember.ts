// Members of a run that are made by hand, and a coordinator with a run for them.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { expect } from 'vitest';
import { WebSocket } from 'ws';
import { PROTOCOL_VERSION } from '../../shared/protocol/control.ts';
import { treeOf, treesSha256 } from '../simulation/simulatedTree.ts';
import { attackedCoordinator, type AttackedCoordinator } from './attackedCoordinator.ts';

const WAIT_MS = 30_000;

interface Said extends Record<string, unknown> {
  readonly type: string;
  readonly runId: string;
  readonly generation: number;
  readonly rank: number;
}

/** A member made by hand: says what a test has it say. */
export class Member {
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
    await this.takePlace();
    await this.beReady();
  }

  async takePlace(): Promise<void> {
    this.assignment = await this.hear('assign');
  }

  /** Resolves when all members are. */
  async beReady(): Promise<void> {
    this.tell({ type: 'ready', links: [] });
    await this.hear('begin');
  }

  get workerId(): string {
    const members = this.assignment['members'] as { rank: number; workerId: string }[];
    return members.find(({ rank }) => rank === this.assignment.rank)!.workerId;
  }

  commit(round: number, content: string, metrics = { loss: round }): void {
    const trees = [treeOf(content)];
    this.tell({
      type: 'committed',
      round,
      computeMs: 1,
      exchangeMs: 1,
      bytesSent: 0,
      payloadSha256: treesSha256(trees),
      metrics,
      ...(this.assignment.rank === 0 && { payload: trees }),
    });
  }
}

export const headers = { authorization: 'Bearer ADMIN' };

export async function put(
  { url }: AttackedCoordinator,
  text: string,
): Promise<{ sha256: string; sizeBytes: number }> {
  const sha256 = createHash('sha256').update(text).digest('hex');
  await fetch(`${url}/blobs/${sha256}`, { method: 'PUT', headers, body: text });
  return { sha256, sizeBytes: text.length };
}

/** Submits a run; resolves with its members by rank, who have been told their places. */
export async function place(
  coordinator: AttackedCoordinator,
  spec: object,
  members: number,
): Promise<Member[]> {
  const joined: Member[] = [];
  for (let i = 0; i < members; i += 1) joined.push(await Member.join(coordinator));
  const blob = await put(coordinator, 'rows');
  const shards = joined.map((_, index) => ({ dataset: 'train', index, firstRow: index, rows: 1, ...blob }));
  const workers = { min: 1, max: members };
  const body = JSON.stringify({ runId: 'attacked', name: 'attacked', spec, shards, workers });
  const submitted = await fetch(`${coordinator.url}/api/v1/runs`, { method: 'POST', headers, body });
  expect(submitted.status).toBe(201);
  await Promise.all(joined.map((member) => member.takePlace()));
  return joined.sort((a, b) => a.assignment.rank - b.assignment.rank);
}

/** Submits a run; resolves with its members by rank, at work. */
export async function train(
  coordinator: AttackedCoordinator,
  spec: object,
  members: number,
): Promise<Member[]> {
  const placed = await place(coordinator, spec, members);
  await Promise.all(placed.map((member) => member.beReady()));
  return placed;
}

export async function ask({ url }: AttackedCoordinator, path = ''): Promise<Record<string, unknown>> {
  return (await (await fetch(`${url}/api/v1/runs/attacked${path}`, { headers })).json()) as Said;
}

export const started = (): Promise<AttackedCoordinator> =>
  attackedCoordinator(['--token', 'JOIN', '--admin-token', 'ADMIN']);
