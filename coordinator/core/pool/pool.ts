// The workers that lend themselves to this coordinator: who they are, whether they are there, which run has them.
// A lost socket does not lose the worker: it has a grace period to come back under the same identity.

import type { CoordinatorMessage, WorkerMessageOf } from '../../../shared/protocol/control.ts';
import { MAX_SHORT_MESSAGE_BYTES } from '../../../shared/protocol/workerMessageBytes.ts';
import { ByteBudget } from '../../bounds/byteBudget.ts';
import { Admission, isAnotherLife } from './admission.ts';
import { decodeHello } from './decodeWorkerMessage.ts';
import { departureOf } from './departure.ts';
import { closeCodes, type ConnectionEvents, type ControlConnection } from './controlConnection.ts';
import { newCounters } from './poolCounters.ts';
import { PoolEntry, type JoinedWorker } from './poolEntry.ts';
import { PoolLog } from './poolLog.ts';
import type { PoolOptions } from './poolOptions.ts';
import { newWorker, traits, type PoolEvent, type PoolWorker } from './poolWorker.ts';
import { Places } from './places.ts';
import { makeId, makeSecret } from './secrets.ts';
import { WorkerKeys } from './workerKeys.ts';
import type { WorkerActivityFacts } from './workerActivity.ts';
import type { LieEvidence } from './lieEvidence.ts';
import type { RecordedLie } from './trustLedger.ts';
import { Strangers } from './strangers.ts';
import { welcomeMessage } from './welcomeMessage.ts';
import { WorkerMessages } from './workerMessages.ts';
import { WorkerSocket } from './workerSocket.ts';

const HELLO_TIMEOUT_MS = 10_000;
/** Of all that is sent to workers and not taken by them. */
const MAX_OUTGOING_BYTES = 512 * 1024 * 1024;
/** A worker that leaves so much unread is not told things that it could know. */
const MAX_UNREAD_BYTES = 1024 * 1024;

export class Pool {
  readonly counters = newCounters();
  /** What workers are given besides their secret. */
  readonly keys: WorkerKeys;
  readonly #options: PoolOptions;
  readonly #log: PoolLog;
  readonly #entries = new Map<string, PoolEntry>();
  readonly #listeners = new Set<(event: PoolEvent) => void>();
  readonly #waiting = new Set<WorkerSocket>();
  readonly #places: Places;
  readonly #outgoing = new ByteBudget({ maxBytes: MAX_OUTGOING_BYTES });
  readonly #admission: Admission;
  readonly #strangers: Strangers;
  readonly #messages: WorkerMessages;
  #lives = 0;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#log = new PoolLog(options.log);
    this.#places = new Places(options);
    const { identityKey = makeSecret() } = options;
    this.#admission = new Admission({ ...options, identityKey });
    this.keys = new WorkerKeys(identityKey);
    this.#messages = new WorkerMessages({
      clock: options.clock,
      counters: this.counters,
      log: this.#log,
      refuse: (socket, code, message) => this.#refuse(socket, code, message),
      change: (entry, change) => this.#change(entry, change),
      emit: (event) => this.#emit(event),
    });
    this.#strangers = new Strangers(options, {
      entries: this.#entries,
      admission: this.#admission,
      log: this.#log,
      changed: (entry) => this.#change(entry, {}),
      sendAway: (entry, reason) => void this.#removeWhere((one) => one === entry, reason),
    });
  }

  /** Every known worker, in order of joining. */
  workers(): PoolWorker[] {
    return [...this.#entries.values()].map((entry) => entry.worker);
  }

  worker(workerId: string): PoolWorker | undefined {
    return this.#entries.get(workerId)?.worker;
  }

  /** What is seen of a worker at its socket, and what it says of its links. */
  seen(workerId: string): WorkerActivityFacts | undefined {
    return this.#entries.get(workerId)?.seen(this.#options.clock.now());
  }

  /** The secret that was given to this worker; those that it may have been given, where it is not in the pool. */
  secretsOf(workerId: string): readonly string[] {
    const entry = this.#entries.get(workerId);
    return entry ? [entry.secret] : this.#admission.secretsOf(workerId);
  }

  /** Calls back for every event from now on; returns the function that ends it. */
  on(listener: (event: PoolEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Sends to a worker; false when it is not there now. Nothing is kept for later. */
  send(workerId: string, message: CoordinatorMessage): boolean {
    return this.#entries.get(workerId)?.socket?.send(message) ?? false;
  }

  /** As `send`, but for answers that a worker can provoke: one that does not read them gets no more. */
  answer(workerId: string, message: CoordinatorMessage): void {
    const socket = this.#entries.get(workerId)?.socket;
    if (socket && socket.bufferedBytes < MAX_UNREAD_BYTES) socket.send(message);
  }

  /** Gives a worker to a run. False when it is unknown, another run has it, or it runs programs. */
  claim(workerId: string, runId: string): boolean {
    const entry = this.#entries.get(workerId);
    if (!entry || entry.worker.programs > 0) return false;
    if (entry.worker.runId !== undefined && entry.worker.runId !== runId) return false;
    if (entry.worker.runId !== runId) this.#change(entry, { runId });
    return true;
  }

  /** Takes a worker back from a run. */
  unclaim(workerId: string, runId: string): void {
    const entry = this.#entries.get(workerId);
    if (entry?.worker.runId !== runId) return;
    entry.wasMember(this.#options.clock.now());
    this.#change(entry, { runId: undefined });
  }

  /** One more program runs on the worker. @returns how to say that it does no more. */
  slot(workerId: string): () => void {
    const entry = this.#entries.get(workerId);
    if (!entry) return () => undefined;
    this.#change(entry, { programs: entry.worker.programs + 1 });
    return () => {
      // The worker may be in another life, in which that program never ran.
      if (this.#entries.get(workerId) !== entry) return;
      this.#change(entry, { programs: Math.max(0, entry.worker.programs - 1) });
    };
  }

  /**
   * Gives a worker no more work: it is treated as one that wants to leave. So its run goes on without it after the round in
   * flight, and its programs end in their own time; it stays in the pool.
   * @param reason undefined takes it back.
   * @returns false when it is unknown.
   */
  drain(workerId: string, reason: string | undefined): boolean {
    const entry = this.#entries.get(workerId);
    if (entry?.drain(reason) === true) this.#change(entry, { leaving: reason });
    return entry !== undefined;
  }

  /**
   * Sends workers away: they are told why, lose their place at once, and do not come back by themselves.
   * @returns the ids of those that were there.
   */
  remove(isMeant: (worker: PoolWorker) => boolean, reason: string): string[] {
    return this.#removeWhere(({ worker }) => isMeant(worker), reason);
  }

  /** Checks of a worker's work came out right: may be said as often as they do. Of the owner's own nothing is counted. */
  passCheck(workerId: string, count = 1): void {
    this.#strangers.passCheck(workerId, count);
  }

  /**
   * A worker lied: it is sent away at once, and banned until it is pardoned; one that is gone does not come back. Its run
   * hears of the loss before this returns. The owner's own is believed: evidence against it is a defect, and logged as one.
   */
  convict(workerId: string, evidence: LieEvidence): void {
    this.#strangers.convict(workerId, evidence);
  }

  /**
   * Once its ban is lifted it may join again, as an unproven worker.
   * @returns its lies.
   * @throws StorageFullError, StorageError
   */
  pardon(workerId: string): Promise<readonly RecordedLie[]> {
    return this.#strangers.pardon(workerId);
  }

  /**
   * Sends those away who joined by a token that is not in force any more.
   * @param token those of this one alone.
   * @returns their ids.
   */
  removeOutdated(reason: string, token?: string): string[] {
    return this.#removeWhere(({ joinToken }) => this.#admission.isOutdated(joinToken, token), reason);
  }

  /** A message of a worker has the right form and can not be all the same; one that goes on is dropped. */
  countMalformed(workerId: string, what: string): void {
    const entry = this.#entries.get(workerId);
    if (entry) this.#messages.malformed(entry, what);
  }

  /** Takes over a fresh control socket; the returned object receives what the socket reports. */
  attach(connection: ControlConnection): ConnectionEvents {
    const { clock, messageRate, byteRate, pingIntervalMs = 5_000 } = this.#options;
    let entry: PoolEntry | undefined;
    const limits = { clock, messageRate, byteRate, pingIntervalMs, outgoing: this.#outgoing };
    const socket: WorkerSocket = new WorkerSocket(connection, limits, {
      maxMessageBytes: () => entry?.maxMessageBytes(clock.now()) ?? MAX_SHORT_MESSAGE_BYTES,
      message: (text) => {
        if (entry) this.#messages.receive(entry, text);
        else entry = this.#greet(socket, text);
      },
      limited: (why) => this.#refuse(socket, 'RATE_LIMITED', why),
      alive: (roundTripMs) => {
        if (entry) entry.worker = { ...entry.worker, roundTripMs };
      },
      silent: (silentMs) =>
        this.#log.worker('silent', `silent for ${Math.round(silentMs)} ms, dropping its socket`, entry),
      closed: (code, reason) => {
        this.#waiting.delete(socket);
        if (entry?.socket === socket) this.#away(entry, code, reason);
      },
    });
    if (this.#closed) {
      socket.close(closeCodes.tryAgainLater, 'the coordinator is closing');
    } else {
      this.#waiting.add(socket);
      socket.expectWithin(HELLO_TIMEOUT_MS, () =>
        this.#refuse(socket, 'BAD_REQUEST', 'No hello came in time.'),
      );
    }
    return socket;
  }

  /** Says goodbye to all workers. */
  close(reason: string): void {
    this.#closed = true;
    for (const entry of this.#entries.values()) entry.sayGoodbye(reason);
    for (const socket of this.#waiting) socket.close(closeCodes.goingAway, reason);
    this.#entries.clear();
    this.#waiting.clear();
    this.#listeners.clear();
  }

  #greet(socket: WorkerSocket, text: string): PoolEntry | undefined {
    const hello = decodeHello(text);
    if ('error' in hello) {
      this.counters.malformedMessages += 1;
      return this.#refuse(socket, 'BAD_REQUEST', hello.error);
    }
    const verdict = this.#admission.judge(hello, socket.remoteAddress);
    if (verdict.type === 'refused') {
      const { code, message } = verdict;
      // The token may be right, and the address that of others as well.
      return this.#refuse(socket, code, message, code !== 'TOO_MANY_ATTEMPTS');
    }
    const known = verdict.type === 'known' ? this.#entries.get(verdict.workerId) : undefined;
    const changes = known?.changes ?? (verdict.type === 'known' ? verdict.changes : undefined);
    if (changes?.take(1, this.#options.clock.now()) === false)
      return this.#refuse(socket, 'RATE_LIMITED', 'this worker opens too many sockets', false);
    if (known && !isAnotherLife(hello, known.lifeName)) return this.#resume(known, socket, hello);
    if (known) this.#endLife(known);
    const place = this.#places.take(socket.remoteAddress);
    if (typeof place !== 'function') {
      return this.#refuse(socket, place.code, place.message, place.code !== 'RATE_LIMITED');
    }
    const makeWorkerId = this.#options.makeWorkerId ?? (() => `w-${makeId()}`);
    const workerId = verdict.type === 'known' ? verdict.workerId : makeWorkerId();
    const gone = this.#admission.admit(workerId, verdict);
    const entry = this.#join(socket, hello, {
      workerId,
      joinToken: verdict.joinToken,
      giveBackPlace: place,
      changes,
    });
    if (gone?.drained !== undefined) this.drain(workerId, gone.drained);
    // It may have been a member when the coordinator was restarted.
    if (verdict.type === 'known' && !gone) entry.wasMember(entry.worker.joinedAtMs);
    return entry;
  }

  /** @param isFinal false tells it to try again later. */
  #refuse(socket: WorkerSocket, code: string, message: string, isFinal = true): undefined {
    this.counters.refusedWorkers += 1;
    this.#log.refused(socket.remoteAddress, message);
    if (isFinal) socket.send({ type: 'refused', code, message: message.slice(0, 1000) });
    socket.close(isFinal ? closeCodes.policy : closeCodes.tryAgainLater, isFinal ? code : message);
  }

  #join(
    socket: WorkerSocket,
    hello: WorkerMessageOf<'hello'>,
    {
      workerId,
      ...place
    }: Pick<JoinedWorker, 'changes' | 'giveBackPlace' | 'joinToken'> & { workerId: string },
  ): PoolEntry {
    const { remoteAddress } = socket;
    const worker = newWorker(hello, {
      workerId,
      remoteAddress,
      joinedAtMs: this.#options.clock.now(),
      life: (this.#lives += 1),
      ...this.#strangers.factsOf({ workerId, joinToken: place.joinToken, name: hello.name }),
    });
    const secret = this.#admission.secretOf(workerId, place.joinToken);
    const entry = new PoolEntry({ worker, secret, lifeName: hello.life, socket, ...place });
    this.#entries.set(workerId, entry);
    this.#welcome(entry, socket);
    const how = `joined from ${remoteAddress} (${worker.runtime}, ${worker.device.kind})`;
    this.#log.worker('joined', how, entry);
    this.#emit({ type: 'changed', worker });
    return entry;
  }

  #resume(entry: PoolEntry, socket: WorkerSocket, hello: WorkerMessageOf<'hello'>): PoolEntry {
    entry.cancelGrace();
    // The old socket may look open for minutes after a laptop slept: the newer one counts.
    const old = entry.socket;
    entry.socket = undefined;
    old?.close(closeCodes.normal, 'replaced by a newer socket');
    this.counters.reconnects += 1;
    this.#welcome(entry, socket);
    entry.socket = socket;
    this.#log.worker('joined', 'is back', entry);
    const session = entry.worker.session + 1;
    this.#change(entry, { ...traits(hello), present: true, session, remoteAddress: socket.remoteAddress });
    return entry;
  }

  /** The worker is back without anything it held, on a page that was loaded anew. */
  #endLife(entry: PoolEntry): void {
    // Where the former page is still there it has been copied, and is one too many.
    entry.sendAway('this worker goes on in another tab', 'WORKER_REPLACED');
    this.#lose(entry, 'its page was loaded anew');
  }

  #welcome(entry: PoolEntry, socket: WorkerSocket): void {
    this.#waiting.delete(socket);
    socket.send(welcomeMessage(entry, socket.pingIntervalMs, this.keys, this.#options));
    socket.startPinging();
  }

  #away(entry: PoolEntry, code: number, reason: string): void {
    entry.socket = undefined;
    const { clock, graceMs } = this.#options;
    const { waitMs, lossReason, isGone } = departureOf(entry.worker, { code, reason, graceMs });
    if (isGone) return this.#lose(entry, lossReason);
    const how = reason || `code ${code}`;
    this.#log.worker('left', `lost its socket (${how}); keeping its place for ${waitMs} ms`, entry);
    entry.cancelGrace = clock.after(waitMs, () => this.#lose(entry, lossReason));
    this.#change(entry, { present: false });
  }

  #removeWhere(isMeant: (entry: PoolEntry) => boolean, reason: string): string[] {
    const entries = [...this.#entries.values()].filter(isMeant);
    for (const entry of entries) {
      entry.sendAway(reason, 'WORKER_REMOVED');
      this.#lose(entry, `sent away: ${reason}`, reason);
    }
    return entries.map(({ worker }) => worker.workerId);
  }

  /** @param toldReason where it was sent away. */
  #lose(entry: PoolEntry, reason: string, toldReason?: string): void {
    entry.cancelGrace();
    entry.giveBackPlace();
    const { lifeName, drained, changes } = entry;
    const { workerId, isOwners } = entry.worker;
    this.#entries.delete(workerId);
    this.#admission.forget(workerId, { lifeName, reason: toldReason, drained, changes, isOwners });
    entry.worker = { ...entry.worker, present: false };
    this.counters.lostWorkers += 1;
    this.#log.worker('left', `is gone: ${reason}`, entry);
    this.#emit({ type: 'lost', worker: entry.worker, reason });
  }

  #change(entry: PoolEntry, change: Partial<PoolWorker>): void {
    entry.worker = { ...entry.worker, ...change };
    this.#emit({ type: 'changed', worker: entry.worker });
  }

  #emit(event: PoolEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
