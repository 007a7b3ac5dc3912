// A worker that follows the protocol in virtual time. It trains nothing: its rounds are links of a hash chain. It can be
// put to sleep, cut off, made to leave, to stall or to fail.

import type { Pool } from '../../coordinator/core/pool/pool.ts';
import type {
  CoordinatorMessage,
  CoordinatorMessageOf,
  WorkerMessage,
  WorkerMessageOf,
} from '../../shared/protocol/control.ts';
import { coordinatorMessage, PROTOCOL_VERSION } from '../../shared/protocol/control.ts';
import type { ManualClock } from '../setup/manualClock.ts';
import type { Lie } from './lies.ts';
import type { PeerNetwork } from './peerNetwork.ts';
import type { RandomChoices } from './randomChoices.ts';
import type { EncodedTree } from '../../shared/gbdt/treeCodec.ts';
import { SimulatedSocket } from './simulatedSocket.ts';
import { contentOf, treeOf, treesSha256 } from './simulatedTree.ts';

const ROUNDS_PER_ANSWER = 64;
const CONNECT_TIMEOUT_MS = 10_000;

export interface SimulatedWorld {
  readonly clock: ManualClock;
  readonly random: RandomChoices;
  readonly pool: Pool;
  readonly network: PeerNetwork;
  readonly blobs: ReadonlyMap<string, unknown>;
  /** Milliseconds a round takes at each worker. */
  readonly roundMs: number;
  readonly numBoostRound: number;
  /** What workers say in place of the truth, by id. */
  readonly liars: Readonly<Record<string, Lie>>;
  /** Workers that hold all others up, by id. */
  readonly stallers: Readonly<Record<string, Stall>>;
}

/** How a worker holds the others up: its socket lives, and it answers halts. */
export type Stall =
  | 'loads a row every two minutes'
  | 'is silent once it has a place'
  | 'has no links'
  | 'is quiet after a round';

/** Just within the time that is granted to who makes no progress in loading. */
const BETWEEN_ROWS_MS = 119_000;
/** Until a silent one is heard of again. */
const SILENCE_MS = 6_000;

type Assignment = CoordinatorMessageOf<'assign'>;

const metricsOf = (round: number): { loss: number } => ({ loss: 1 / (round + 1) });

interface Task {
  readonly assignment: Assignment;
  haltAtRounds: number;
  isOver: boolean;
  hasBegun: boolean;
  leave: () => void;
}

export class SimulatedWorker {
  /** Contents of the rounds that are committed here. */
  committed: string[] = [];
  isDead = false;
  workerId = '';
  readonly #world: SimulatedWorld;
  readonly #queue: WorkerMessage[] = [];
  readonly #life: number;
  #identity: WorkerMessageOf<'hello'>['identity'];
  #socket: SimulatedSocket | undefined;
  #isJoined = false;
  #isAsleep = false;
  /** Rounds that were taken from the record. */
  #verifiedRounds = 0;
  #isLeaving = false;
  #task: Task | undefined;
  #lastHeardAtMs = 0;

  /** @param earlier the page that this one was before it was loaded anew. */
  constructor(world: SimulatedWorld, earlier?: SimulatedWorker) {
    this.#world = world;
    this.#identity = earlier?.identity;
    this.#life = earlier ? earlier.#life + 1 : 0;
    this.#open();
  }

  get isBusy(): boolean {
    return this.#task !== undefined && !this.#task.isOver;
  }

  get isWell(): boolean {
    return !this.isDead && !this.#isLeaving;
  }

  get identity(): WorkerMessageOf<'hello'>['identity'] {
    return this.#identity;
  }

  /** The page is gone, and says so. */
  closePage(): void {
    const socket = this.#socket;
    this.isDead = true;
    this.#end();
    socket?.close(1001);
  }

  /** The process is gone. The coordinator may notice at once, or only by silence. */
  kill(noticeMs: number): void {
    this.isDead = true;
    this.#end();
    this.#socket?.break(noticeMs);
  }

  /** The socket breaks; everything else goes on and the worker comes back. */
  dropSocket(noticeMs: number): void {
    this.#socket?.break(noticeMs);
  }

  /** Nothing happens here for a while, as on a closed laptop: peers and the coordinator hear nothing. */
  sleep(durationMs: number): void {
    if (this.isDead || this.#isAsleep) return;
    this.#isAsleep = true;
    const socket = this.#socket;
    socket?.break(Infinity);
    this.#task?.leave();
    this.#world.clock.after(durationMs, () => {
      this.#isAsleep = false;
      const task = this.#task;
      if (task && !task.isOver && !this.isDead) this.#stall(task, []);
      if (!this.isDead && this.#socket === socket) this.#open();
    });
  }

  leave(): void {
    this.#isLeaving = true;
    this.#send({ type: 'leaving', reason: 'enough for today' });
  }

  /** Something breaks here that the worker can tell of. */
  stumble(): void {
    const task = this.#task;
    if (task && !task.isOver) this.#stall(task, []);
  }

  fail(): void {
    const task = this.#task;
    if (!task || task.isOver) return;
    this.#end();
    const { runId, generation } = task.assignment;
    this.#send({ type: 'failed', runId, generation, code: 'INTERNAL', message: 'a simulated failure' });
  }

  #open(): void {
    if (this.isDead) return;
    const { pool, clock, random } = this.#world;
    this.#isJoined = false;
    const socket = new SimulatedSocket(pool, clock, random, {
      message: (text) => this.#socket === socket && this.#receive(text),
      closed: () => this.#socket === socket && this.#lose(),
    });
    this.#socket = socket;
    this.#lastHeardAtMs = clock.now();
    this.#watch(socket);
    this.#write({
      type: 'hello',
      protocol: PROTOCOL_VERSION,
      runtime: 'node',
      device: { kind: 'cpu', name: 'simulated' },
      cores: 1,
      life: `${this.#life}`,
      ...(this.#identity && { identity: this.#identity }),
    });
  }

  /** A socket that looks open but is silent is given up, as the control client does. */
  #watch(socket: SimulatedSocket): void {
    this.#world.clock.after(5_000, () => {
      if (this.isDead || this.#isAsleep || this.#socket !== socket) return;
      if (this.#world.clock.now() - this.#lastHeardAtMs > 15_000) socket.break();
      else this.#watch(socket);
    });
  }

  #lose(): void {
    this.#isJoined = false;
    this.#socket = undefined;
    if (this.isDead || this.#isAsleep) return;
    this.#world.clock.after(this.#world.random.between(125, 3_000), () => {
      if (!this.#socket && !this.#isAsleep) this.#open();
    });
  }

  #send(truth: WorkerMessage): void {
    if (this.isDead) return;
    const lie = this.#world.liars[this.workerId];
    for (const message of lie ? lie(truth, this.#world.random) : [truth]) {
      if (this.#isJoined && this.#socket?.isOpen === true) this.#write(message);
      else this.#queue.push(message);
    }
  }

  #write(message: WorkerMessage): void {
    this.#socket?.send(JSON.stringify(message));
  }

  #receive(text: string): void {
    if (this.isDead || this.#isAsleep) return;
    this.#lastHeardAtMs = this.#world.clock.now();
    const message = coordinatorMessage.parse(JSON.parse(text));
    switch (message.type) {
      case 'welcome':
        return this.#welcome(message);
      case 'assign':
        return this.#assign(message);
      case 'prepare': {
        const { runId, generation } = message;
        this.#world.clock.after(this.#world.random.between(10, 300), () => {
          if (!this.#isAsleep) this.#send({ type: 'prepared', runId, generation });
        });
        return;
      }
      case 'begin':
        if (this.#task && this.#isCurrent(message) && !this.#task.hasBegun) {
          this.#task.hasBegun = true;
          this.#startRound(this.#task);
        }
        return;
      case 'halt':
        return this.#halt(message);
      case 'release':
        this.#end();
        if (this.#isLeaving) this.#socket?.close(1000);
        if (this.#isLeaving) this.isDead = true;
        return;
      case 'refused':
        this.#identity = undefined;
        this.#queue.length = 0;
        return;
      case 'ping':
      case 'check':
      case 'meet':
      case 'openProgram':
      case 'iceServers':
      case 'shutdown':
        return;
    }
  }

  #welcome({ workerId, secret }: CoordinatorMessageOf<'welcome'>): void {
    if (workerId !== this.workerId) this.#end();
    this.workerId = workerId;
    this.#identity = { workerId, secret };
    this.#isJoined = true;
    const waiting = this.#queue.splice(0);
    this.#write({ type: 'available', peerId: workerId });
    for (const message of waiting) this.#write(message);
    if (this.#isLeaving) this.#write({ type: 'leaving', reason: 'still leaving' });
  }

  #isCurrent(message: CoordinatorMessage & { generation: number }): boolean {
    return this.#task?.assignment.generation === message.generation;
  }

  #assign(assignment: Assignment): void {
    this.#end();
    const task: Task = {
      assignment,
      haltAtRounds: Infinity,
      isOver: false,
      hasBegun: false,
      leave: () => undefined,
    };
    this.#task = task;
    const { clock, random } = this.#world;
    const { runId, generation } = assignment;
    if (this.#manner === 'is silent once it has a place') return this.#speakLater(runId, generation);
    clock.after(random.between(10, 300), () => {
      if (task.isOver || this.isDead || this.#isAsleep) return;
      if (this.#manner === 'loads a row every two minutes') return this.#loadRow(task, 1);
      this.#catchUp(assignment);
      const rows = assignment.leases.reduce((sum, lease) => sum + lease.rows, 0);
      this.#send({ type: 'loading', runId, generation, rowsLoaded: rows, rowsTotal: rows });
      if (this.#manner !== 'has no links') this.#connect(task);
    });
  }

  get #manner(): Stall | undefined {
    return this.#world.stallers[this.workerId];
  }

  #loadRow(task: Task, rowsLoaded: number): void {
    if (task.isOver || this.isDead) return;
    const { runId, generation } = task.assignment;
    this.#send({ type: 'loading', runId, generation, rowsLoaded, rowsTotal: 1_000 });
    this.#world.clock.after(BETWEEN_ROWS_MS, () => this.#loadRow(task, rowsLoaded + 1));
  }

  #speakLater(runId: string, generation: number): void {
    this.#world.clock.after(SILENCE_MS, () =>
      this.#send({ type: 'loading', runId, generation, rowsLoaded: 0, rowsTotal: 1_000 }),
    );
  }

  #catchUp({ committedRounds, agreedRounds = 0, payloads }: Assignment): void {
    const stored = payloads === null ? [] : (this.#world.blobs.get(payloads) as EncodedTree[][]);
    const record = stored.map((round) => contentOf(round[0]!));
    if (record.length !== committedRounds)
      throw new Error('the blob of payloads has another number of rounds');
    const kept = this.committed.slice(
      0,
      Math.min(committedRounds, Math.max(agreedRounds, this.#verifiedRounds)),
    );
    for (const [round, content] of kept.entries()) {
      if (record[round] !== content)
        throw new Error(`round ${round} is recorded otherwise than committed here`);
    }
    this.committed = record;
    this.#verifiedRounds = committedRounds;
  }

  #connect(task: Task): void {
    const { clock, network } = this.#world;
    const { runId, generation, members, linkKeys } = task.assignment;
    let isConnected = false;
    task.leave = network.join(
      generation,
      members.map((member) => member.workerId),
      {
        workerId: this.workerId,
        linkKeys,
        connected: () => {
          if (task.isOver || this.isDead || this.#isAsleep) return;
          isConnected = true;
          const others = members.filter(({ workerId }) => workerId !== this.workerId);
          const links = others.map(({ workerId }) => ({ workerId, path: 'memory' as const }));
          this.#send({ type: 'ready', runId, generation, links });
        },
        completed: (round, content) => this.#commit(task, round, content),
        stalled: (missing) => this.#stall(task, missing),
      },
    );
    clock.after(CONNECT_TIMEOUT_MS, () => {
      if (!isConnected && !this.#isAsleep) this.#stall(task, network.missing(generation, this.workerId));
    });
  }

  #startRound(task: Task): void {
    const { clock, random, network, roundMs, numBoostRound } = this.#world;
    const round = this.committed.length;
    if (round >= Math.min(numBoostRound, task.haltAtRounds)) return;
    if (this.#manner === 'is quiet after a round' && round > task.assignment.committedRounds) return;
    clock.after(roundMs * random.between(0.5, 1.5), () => {
      if (task.isOver || this.isDead || this.#isAsleep) return;
      network.contribute(task.assignment.generation, this.workerId, round, this.committed.at(-1) ?? '');
    });
  }

  #commit(task: Task, round: number, content: string): void {
    if (task.isOver || this.isDead || this.#isAsleep) return;
    if (round !== this.committed.length)
      throw new Error(`round ${round} is complete, ${this.committed.length} expected`);
    this.committed.push(content);
    const { runId, generation, rank } = task.assignment;
    this.#send({
      type: 'committed',
      runId,
      generation,
      round,
      computeMs: 10,
      exchangeMs: 1,
      bytesSent: 100,
      payloadSha256: treesSha256([treeOf(content)]),
      metrics: metricsOf(round),
      ...(rank === 0 && { payload: [treeOf(content)] }),
    });
    this.#startRound(task);
  }

  #stall(task: Task, missing: readonly string[]): void {
    if (task.isOver || this.isDead) return;
    this.#end();
    const { runId, generation } = task.assignment;
    const message = 'a peer did not answer';
    this.#send({
      type: 'stalled',
      runId,
      generation,
      missing: [...missing],
      code: 'DEADLINE_EXCEEDED',
      message,
    });
  }

  #halt(message: CoordinatorMessageOf<'halt'>): void {
    const task = this.#task;
    const atRounds = message.when === 'commit' ? (message.atRounds ?? 0) : 0;
    if (task && this.#isCurrent(message) && !task.isOver) {
      task.haltAtRounds = Math.min(task.haltAtRounds, atRounds);
      if (this.committed.length < atRounds && task.hasBegun) return this.#answerOnceAt(task, message);
      this.#end();
    }
    this.#world.clock.after(this.#world.random.between(0, 50), () => this.#answer(message));
  }

  #answerOnceAt(task: Task, message: CoordinatorMessageOf<'halt'>): void {
    if (this.isDead) return;
    if (task.isOver || this.committed.length >= task.haltAtRounds) {
      if (this.#task === task) this.#end();
      return this.#answer(message);
    }
    this.#world.clock.after(20, () => this.#answerOnceAt(task, message));
  }

  #answer({ runId, generation, knownRounds }: CoordinatorMessageOf<'halt'>): void {
    const missing = this.#world.network.waitingFor(generation, this.workerId, this.committed.length);
    const rounds = this.committed.slice(knownRounds, knownRounds + ROUNDS_PER_ANSWER).map((content, i) => ({
      round: knownRounds + i,
      payload: [treeOf(content)],
      metrics: metricsOf(knownRounds + i),
    }));
    const committedRounds = this.committed.length;
    this.#send({ type: 'halted', runId, generation, committedRounds, missing, rounds });
  }

  #end(): void {
    const task = this.#task;
    if (!task || task.isOver) return;
    task.isOver = true;
    task.leave();
  }
}
