// What the pool keeps of a worker besides what it tells others.

import { MAX_CONTROL_MESSAGE_BYTES } from '../../../shared/protocol/control.ts';
import { MAX_SHORT_MESSAGE_BYTES } from '../../../shared/protocol/workerMessageBytes.ts';
import type { GiveBack } from '../../bounds/addressShares.ts';
import { closeCodes } from './controlConnection.ts';
import type { PoolWorker, RunMessage } from './poolWorker.ts';
import { WorkerActivity, type WorkerActivityFacts } from './workerActivity.ts';
import { TokenBucket, type RateLimit } from './rateLimit.ts';
import type { WorkerSocket } from './workerSocket.ts';

/** Volunteers press "pause", and signalling breaks off, now and then; all runs and programs look at the pool each time. */
const CHANGE_RATE: RateLimit = { perSecond: 1, burst: 30 };
/** What a member sent before it knew that it is none any more is still on its way. */
const FORMER_MEMBER_MS = 60_000;

export interface JoinedWorker {
  readonly worker: PoolWorker;
  /** By which it joined. */
  readonly joinToken: string;
  readonly secret: string;
  /** As it names it itself. */
  readonly lifeName: string | undefined;
  readonly socket: WorkerSocket;
  readonly giveBackPlace: GiveBack;
  /** Of its life before this one, where that is remembered: who begins anew all the time is slowed down too. */
  readonly changes?: TokenBucket | undefined;
}

export class PoolEntry {
  worker: PoolWorker;
  readonly joinToken: string;
  readonly secret: string;
  readonly lifeName: string | undefined;
  #socket: WorkerSocket | undefined;
  cancelGrace: () => void = () => undefined;
  readonly giveBackPlace: GiveBack;
  readonly changes: TokenBucket;
  readonly #activity: WorkerActivity;
  #memberUntilMs = -Infinity;
  #drained: string | undefined;

  constructor({ worker, joinToken, secret, lifeName, socket, giveBackPlace, changes }: JoinedWorker) {
    this.worker = worker;
    this.joinToken = joinToken;
    this.secret = secret;
    this.lifeName = lifeName;
    this.#socket = socket;
    this.giveBackPlace = giveBackPlace;
    this.changes = changes ?? new TokenBucket(CHANGE_RATE, worker.joinedAtMs);
    this.#activity = new WorkerActivity(worker.joinedAtMs);
  }

  /** Longest message that it may send: the long kinds are for members of a run. */
  maxMessageBytes(nowMs: number): number {
    const isMember = this.worker.runId !== undefined || nowMs < this.#memberUntilMs;
    return isMember ? MAX_CONTROL_MESSAGE_BYTES : MAX_SHORT_MESSAGE_BYTES;
  }

  /** It is, or may have been, a member of a run that it does not know to be over. */
  wasMember(nowMs: number): void {
    this.#memberUntilMs = nowMs + FORMER_MEMBER_MS;
    this.#activity.leftRun();
  }

  /** Why the owner gives it no more work, where that is so. */
  get drained(): string | undefined {
    return this.#drained;
  }

  /** @returns whether the worker is to be seen as leaving for that reason: the volunteer's own wish stays. */
  drain(reason: string | undefined): boolean {
    const { leaving } = this.worker;
    const isOwnWish = leaving !== undefined && leaving !== this.#drained;
    this.#drained = reason;
    return !isOwnWish && leaving !== reason;
  }

  /** Messages for its run. */
  heard(messages: readonly RunMessage[]): void {
    for (const message of messages) this.#activity.heard(message);
  }

  get socket(): WorkerSocket | undefined {
    return this.#socket;
  }

  /** What the former one carried stays counted. */
  set socket(next: WorkerSocket | undefined) {
    if (this.#socket && this.#socket !== next) this.#activity.settle(this.#socket);
    this.#socket = next;
  }

  /** What is seen of it at its socket. */
  seen(nowMs: number): WorkerActivityFacts {
    return { ...this.#activity.seen(nowMs, this.socket), drained: this.#drained };
  }

  /** The coordinator goes: the worker tries again. */
  sayGoodbye(reason: string): void {
    this.cancelGrace();
    this.socket?.send({ type: 'shutdown', reconnect: true, reason });
    this.socket?.close(closeCodes.goingAway, reason);
  }

  /** Closes its socket for good. @param code says why in a word. */
  sendAway(reason: string, code: string): void {
    const { socket } = this;
    // What the socket reports from here on is not about a worker any more.
    this.socket = undefined;
    socket?.send({ type: 'shutdown', reconnect: false, reason: reason.slice(0, 500) });
    socket?.close(closeCodes.policy, code);
  }

  /** Counts a change of what everybody sees of it, by itself; false when there are too many. */
  mayChange(nowMs: number): boolean {
    return this.changes.take(1, nowMs);
  }
}
