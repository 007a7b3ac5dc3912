// The workers that lend themselves to this coordinator: who they are, whether they are there, which run has them.
// A lost socket does not lose the worker: it has a grace period to come back under the same identity.

import type {
  CoordinatorMessage,
  CoordinatorMessageOf,
  WorkerMessageOf,
} from '../../shared/protocol/control.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/control.ts';
import { decodeWorkerMessage } from './decodeWorkerMessage.ts';
import type { Clock } from '../../shared/clock.ts';
import { noCounts } from './poolCounters.ts';
import { closeCodes } from './controlConnection.ts';
import type { ConnectionEvents, ControlConnection } from './controlConnection.ts';
import { Identities } from './identities.ts';
import type { Log } from './log.ts';
import { traits, type PoolEvent, type PoolWorker } from './poolWorker.ts';
import type { RateLimit } from './rateLimit.ts';
import { makeId, secretsEqual } from './secrets.ts';
import { WorkerSocket } from './workerSocket.ts';

export interface PoolOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Workers must say it in their hello, where it is set. */
  readonly joinToken?: string | undefined;
  readonly peerServer: CoordinatorMessageOf<'welcome'>['peerServer'];
  /** STUN and TURN servers for a worker, asked at each welcome: credentials may expire. */
  readonly iceServers: (workerId: string) => CoordinatorMessageOf<'welcome'>['iceServers'];
  readonly pingIntervalMs?: number | undefined;
  /** How long a worker whose socket is lost keeps its place. */
  readonly graceMs?: number | undefined;
  readonly maxWorkers?: number;
  readonly messageRate?: RateLimit;
  readonly byteRate?: RateLimit;
  /** Makes the secrets of identities: workers that come back to a restarted coordinator with the same key keep theirs. */
  readonly identityKey?: string | undefined;
  /** Makes worker ids; given in simulations, which must be repeatable. */
  readonly makeWorkerId?: () => string;
}

interface Entry {
  worker: PoolWorker;
  readonly secret: string;
  socket: WorkerSocket | undefined;
  cancelGrace: () => void;
}

const HELLO_TIMEOUT_MS = 10_000;
const MAX_WAITING_SOCKETS = 1024;

export class Pool {
  readonly counters = noCounts();
  readonly #options: PoolOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Set<(event: PoolEvent) => void>();
  readonly #waiting = new Set<WorkerSocket>();
  readonly #identities: Identities;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#identities = new Identities(options.identityKey);
  }

  /** Every known worker, in order of joining. */
  workers(): PoolWorker[] {
    return [...this.#entries.values()].map((entry) => entry.worker);
  }

  worker(workerId: string): PoolWorker | undefined {
    return this.#entries.get(workerId)?.worker;
  }

  /** Whether `secret` is the one that was given to this worker. */
  knows(workerId: string, secret: string): boolean {
    const entry = this.#entries.get(workerId);
    return entry !== undefined && secretsEqual(secret, entry.secret);
  }

  /** Calls back for every event from now on; returns the function that ends it. */
  on(listener: (event: PoolEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Sends to a worker; false when it is not there now. Nothing is kept for later. */
  send(workerId: string, message: CoordinatorMessage): boolean {
    const socket = this.#entries.get(workerId)?.socket;
    if (!socket) return false;
    return socket.send(message);
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
    if (entry?.worker.runId === runId) this.#change(entry, { runId: undefined });
  }

  /** One more program runs on the worker. */
  seat(workerId: string): void {
    const entry = this.#entries.get(workerId);
    if (entry) this.#change(entry, { programs: entry.worker.programs + 1 });
  }

  /** One program less. */
  unseat(workerId: string): void {
    const entry = this.#entries.get(workerId);
    if (entry) this.#change(entry, { programs: Math.max(0, entry.worker.programs - 1) });
  }

  /** A message of a worker has the right form and can not be all the same; one that goes on is dropped. */
  countMalformed(workerId: string, what: string): void {
    const entry = this.#entries.get(workerId);
    if (entry) this.#malformed(entry, what);
  }

  /** Takes over a fresh control socket; the returned object receives what the socket reports. */
  attach(connection: ControlConnection): ConnectionEvents {
    const { clock, messageRate, byteRate, pingIntervalMs = 5_000 } = this.#options;
    let entry: Entry | undefined;
    const limits = { clock, messageRate, byteRate, pingIntervalMs };
    const socket: WorkerSocket = new WorkerSocket(connection, limits, {
      message: (text) => {
        if (entry) this.#receive(entry, text);
        else entry = this.#greet(socket, text);
      },
      limited: (why) => this.#refuse(socket, 'RATE_LIMITED', why),
      alive: (roundTripMs) => {
        if (entry) entry.worker = { ...entry.worker, roundTripMs };
      },
      silent: (silentMs) =>
        this.#log('warn', `silent for ${Math.round(silentMs)} ms, dropping its socket`, entry),
      closed: (code, reason) => {
        this.#waiting.delete(socket);
        if (entry?.socket === socket) this.#away(entry, code, reason);
      },
    });
    if (this.#closed || this.#waiting.size >= MAX_WAITING_SOCKETS) {
      socket.close(
        closeCodes.tryAgainLater,
        this.#closed ? 'the coordinator is closing' : 'too many sockets',
      );
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
    for (const entry of this.#entries.values()) {
      entry.cancelGrace();
      entry.socket?.send({ type: 'shutdown', reconnect: true, reason });
      entry.socket?.close(closeCodes.goingAway, reason);
    }
    for (const socket of this.#waiting) socket.close(closeCodes.goingAway, reason);
    this.#entries.clear();
    this.#waiting.clear();
    this.#listeners.clear();
  }

  #greet(socket: WorkerSocket, text: string): Entry | undefined {
    const decoded = decodeWorkerMessage(text);
    if ('error' in decoded || decoded.message.type !== 'hello') {
      this.counters.malformedMessages += 1;
      const why = 'error' in decoded ? decoded.error : `"${decoded.message.type}" came before "hello".`;
      return this.#refuse(socket, 'BAD_REQUEST', why);
    }
    const hello = decoded.message;
    if (hello.protocol !== PROTOCOL_VERSION) {
      const versions = `The coordinator speaks protocol ${PROTOCOL_VERSION}, the worker ${hello.protocol}.`;
      return this.#refuse(socket, 'PROTOCOL_MISMATCH', `${versions} Update the older of the two.`);
    }
    const provenId = this.#identities.proven(hello.identity);
    const known = provenId === undefined ? undefined : this.#entries.get(provenId);
    if (known) return this.#resume(known, socket, hello);
    const { joinToken, maxWorkers = 4096 } = this.#options;
    if (provenId === undefined && joinToken !== undefined && !secretsEqual(hello.token, joinToken)) {
      return this.#refuse(
        socket,
        'TOKEN_REQUIRED',
        'The join token is missing or wrong. Ask the owner for the join link.',
      );
    }
    if (this.#entries.size >= maxWorkers) {
      return this.#refuse(socket, 'POOL_FULL', `The coordinator takes at most ${maxWorkers} workers.`);
    }
    const makeWorkerId = this.#options.makeWorkerId ?? (() => `w-${makeId()}`);
    return this.#join(socket, hello, provenId ?? makeWorkerId());
  }

  #refuse(socket: WorkerSocket, code: string, message: string): undefined {
    this.counters.refusedWorkers += 1;
    this.#options.log({ level: 'warn', message: `Refused a worker at ${socket.remoteAddress}: ${message}` });
    socket.send({ type: 'refused', code, message: message.slice(0, 1000) });
    socket.close(closeCodes.policy, code);
  }

  #join(socket: WorkerSocket, hello: WorkerMessageOf<'hello'>, workerId: string): Entry {
    const worker: PoolWorker = {
      ...traits(hello),
      workerId,
      remoteAddress: socket.remoteAddress,
      peerId: undefined,
      present: true,
      leaving: undefined,
      session: 1,
      runId: undefined,
      programs: 0,
      joinedAtMs: this.#options.clock.now(),
      roundTripMs: undefined,
    };
    const secret = this.#identities.secretOf(workerId);
    const entry: Entry = { worker, secret, socket, cancelGrace: () => undefined };
    this.#entries.set(workerId, entry);
    this.#welcome(entry, socket);
    this.#log(
      'info',
      `joined from ${socket.remoteAddress} (${worker.runtime}, ${worker.device.kind})`,
      entry,
    );
    this.#emit({ type: 'changed', worker });
    return entry;
  }

  #resume(entry: Entry, socket: WorkerSocket, hello: WorkerMessageOf<'hello'>): Entry {
    entry.cancelGrace();
    // The old socket may look open for minutes after a laptop slept: the newer one counts.
    const old = entry.socket;
    entry.socket = undefined;
    old?.close(closeCodes.normal, 'replaced by a newer socket');
    this.counters.reconnects += 1;
    this.#welcome(entry, socket);
    entry.socket = socket;
    this.#log('info', 'is back', entry);
    const session = entry.worker.session + 1;
    this.#change(entry, { ...traits(hello), present: true, session, remoteAddress: socket.remoteAddress });
    return entry;
  }

  #welcome(entry: Entry, socket: WorkerSocket): void {
    this.#waiting.delete(socket);
    const { peerServer, iceServers } = this.#options;
    const { workerId } = entry.worker;
    const pingIntervalMs = socket.pingIntervalMs;
    socket.send({
      type: 'welcome',
      workerId,
      secret: entry.secret,
      peerServer,
      iceServers: iceServers(workerId),
      pingIntervalMs,
    });
    socket.startPinging();
  }

  #receive(entry: Entry, text: string): void {
    this.counters.messagesReceived += 1;
    const decoded = decodeWorkerMessage(text);
    if ('error' in decoded) {
      return this.#malformed(entry, decoded.error);
    }
    const { message } = decoded;
    if (message.type === 'available') {
      this.#update(entry, { peerId: message.peerId, leaving: undefined });
    } else if (message.type === 'leaving') {
      if (this.#update(entry, { leaving: message.reason }))
        this.#log('info', `is leaving: ${message.reason}`, entry);
    } else if (message.type !== 'hello') {
      this.#emit({ type: 'message', worker: entry.worker, message });
    }
  }

  /** What a worker says of itself is passed on where it is new, and not without end. */
  #update(entry: Entry, change: Pick<PoolWorker, 'leaving'> & Partial<Pick<PoolWorker, 'peerId'>>): boolean {
    const { peerId = entry.worker.peerId, leaving } = change;
    if (peerId === entry.worker.peerId && leaving === entry.worker.leaving) return false;
    const isAllowed = entry.socket?.allowChange() !== false;
    if (isAllowed) this.#change(entry, change);
    else this.#malformed(entry, 'it changes its mind too often');
    return isAllowed;
  }

  #malformed(entry: Entry, what: string): void {
    this.counters.malformedMessages += 1;
    this.#log('warn', `sent a malformed message: ${what}`, entry);
    // A worker of a later minor version may say things that are not known here: they are dropped, within limits.
    if (entry.socket?.forgiveMalformed() === false) this.#refuse(entry.socket, 'BAD_REQUEST', what);
  }

  #away(entry: Entry, code: number, reason: string): void {
    entry.socket = undefined;
    if (code === closeCodes.normal || code === closeCodes.goingAway || code === closeCodes.policy) {
      return this.#lose(entry, entry.worker.leaving ?? (reason || farewell(code)));
    }
    const { clock, graceMs = 20_000 } = this.#options;
    this.#log(
      'info',
      `lost its socket (${reason || `code ${code}`}); keeping its place for ${graceMs} ms`,
      entry,
    );
    entry.cancelGrace = clock.after(graceMs, () =>
      this.#lose(entry, `did not come back within ${graceMs} ms`),
    );
    this.#change(entry, { present: false });
  }

  #lose(entry: Entry, reason: string): void {
    entry.cancelGrace();
    this.#entries.delete(entry.worker.workerId);
    this.#identities.forget(entry.worker.workerId);
    entry.worker = { ...entry.worker, present: false };
    this.counters.lostWorkers += 1;
    this.#log('info', `is gone: ${reason}`, entry);
    this.#emit({ type: 'lost', worker: entry.worker, reason });
  }

  #change(entry: Entry, change: Partial<PoolWorker>): void {
    entry.worker = { ...entry.worker, ...change };
    this.#emit({ type: 'changed', worker: entry.worker });
  }

  #emit(event: PoolEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #log(level: 'info' | 'warn', what: string, entry: Entry | undefined): void {
    const workerId = entry?.worker.workerId;
    const message =
      workerId === undefined ? `A socket without a worker ${what}` : `Worker ${workerId} ${what}`;
    this.#options.log({ level, message, ...(workerId !== undefined && { workerId }) });
  }
}

function farewell(code: number): string {
  return code === closeCodes.goingAway ? 'its page or process was closed' : 'it said goodbye';
}
