// Keeps one worker in conversation with its coordinator. A lost socket (sleep, a moved network, a restarted
// coordinator) is opened again with the same identity; what was to be said meanwhile waits in a bounded queue.

import {
  coordinatorMessage,
  finalRefusals,
  MAX_CONTROL_MESSAGE_BYTES,
  MAX_SEVERAL,
  PROTOCOL_VERSION,
  type CoordinatorMessage,
  type CoordinatorMessageOf,
  type WorkerMessage,
  type WorkerMessageOf,
} from '../../shared/protocol/control.ts';
import { MAX_SHORT_MESSAGE_BYTES } from '../../shared/protocol/workerMessageBytes.ts';
import { jitteredMs, type Backoff } from '../../shared/backoff.ts';
import type { Clock } from '../../shared/clock.ts';
import { eventTurn } from '../../kernels/eventTurn.ts';
import { TabgradError } from '../../kernels/errors.ts';

/** The coordinator turned the worker away (wrong token, other version). The message is the coordinator's. */
class JoinRefusedError extends TabgradError {
  readonly code = 'JOIN_REFUSED';
  /** As the coordinator names why. */
  readonly refusal: string;

  constructor(message: string, refusal: string) {
    super(`${message} (${refusal})`);
    this.refusal = refusal;
  }
}

/** The part of WebSocket that is used; the `ws` package and the platforms' own fit. */
export interface ControlSocket {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  onerror: ((event: unknown) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

export type Greeting = Omit<WorkerMessageOf<'hello'>, 'type' | 'protocol' | 'identity' | 'life'>;
export type Identity = NonNullable<WorkerMessageOf<'hello'>['identity']>;

export interface ControlClientOptions {
  /** Address of the coordinator's /control, ws: or wss:. */
  readonly url: string;
  readonly greeting: Greeting;
  /** An identity kept from before a reload, if there is one. */
  readonly identity?: Identity | undefined;
  readonly openSocket: (url: string) => ControlSocket;
  readonly clock: Clock;
  readonly random: () => number;
  /** Resolves when what has happened so far has been dealt with; tests replace it. */
  readonly nextTurn?: () => Promise<void>;
}

export interface ControlClientEvents {
  /** Every time the coordinator has accepted this worker: first, and after each lost socket. */
  readonly onWelcome: (welcome: CoordinatorMessageOf<'welcome'>) => void;
  /** Every other message but pings. */
  readonly onMessage: (message: CoordinatorMessage) => void;
  /** The socket is gone; the next attempt comes in `retryInMs`. */
  readonly onLost: (reason: string, retryInMs: number) => void;
  /** The coordinator wants nothing of this worker; there will be no further attempt. */
  readonly onRefused: (error: JoinRefusedError) => void;
  readonly log: (line: string) => void;
}

const retries: Backoff = { firstMs: 250, maxMs: 15_000 };
/** After a shorter conversation without a round of work the next attempt waits as after one that failed. */
const USEFUL_MS = 10_000;
/** From opening the socket until the welcome. */
const JOIN_TIMEOUT_MS = 15_000;
/** Missed pings before the socket counts as dead: a sleeping laptop's socket looks open for minutes. */
const SILENT_INTERVALS = 3;
/** For the closing handshake: a process that exits before it looks like one that crashed. */
const FAREWELL_TIMEOUT_MS = 500;
/** Messages kept while there is no socket. Older ones belong to generations that are over by then. */
const MAX_QUEUED = 256;
/** Characters of short messages that wait to go out as one. */
const MAX_GATHERED_CHARACTERS = MAX_SHORT_MESSAGE_BYTES - 1024;
/** Malformed messages that are reported one by one; later ones are only counted. */
const MAX_REPORTED = 20;

export class ControlClient {
  /** Messages that were not understood, since the start. */
  malformed = 0;
  /** To the coordinator and back, in milliseconds, as it measured last. */
  roundTripMs: number | undefined;
  readonly #options: ControlClientOptions;
  readonly #events: ControlClientEvents;
  readonly #queue: WorkerMessage[] = [];
  /** Rounds committed in this turn: they go out as one message when the turn is over. */
  #gathered: { readonly message: WorkerMessage; readonly text: string }[] = [];
  #gatheredCharacters = 0;
  /** Of this page or process: with an identity of before a reload it tells that nothing of that one's work is left. */
  readonly #life: string;
  #identity: Identity | undefined;
  #socket: ControlSocket | undefined;
  #joined = false;
  #closed = false;
  #attempt = 0;
  /** Times that this worker was not known any more, since it was last of use. */
  #refusals = 0;
  #joinedAtMs = 0;
  #isUseful = false;
  #silenceMs = JOIN_TIMEOUT_MS;
  #cancelTimer: () => void = () => {};

  constructor(options: ControlClientOptions, events: ControlClientEvents) {
    this.#options = options;
    this.#events = events;
    this.#life = lifeName(options.random);
    this.#identity = options.identity;
    this.#open();
  }

  get joined(): boolean {
    return this.#joined;
  }

  /** Sends now (rounds: at the end of this turn, several at once), or once the coordinator is there again. */
  send(message: WorkerMessage): void {
    if (this.#closed) return;
    if (this.#joined && this.#socket) {
      // Whatever a coordinator says costs it nothing; a round is work done.
      if (message.type === 'committed') this.#isUseful = true;
      if (message.type === 'committed') return this.#gather(this.#socket, message);
      return this.#write(this.#socket, JSON.stringify(message));
    }
    this.#keep(message);
  }

  #keep(message: WorkerMessage): void {
    this.#queue.push(message);
    if (this.#queue.length > MAX_QUEUED) this.#queue.shift();
  }

  /** Ends the conversation for good. Idempotent. @returns when the goodbye is out, or could not be said in time. */
  close(reason: string): Promise<void> {
    if (this.#closed) return Promise.resolve();
    if (this.#socket) this.#writeGathered(this.#socket);
    this.#closed = true;
    this.#cancelTimer();
    const socket = this.#release();
    if (!socket) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(FAREWELL_TIMEOUT_MS, resolve);
      socket.onclose = () => {
        cancel();
        resolve();
      };
      // A close reason is limited to 123 bytes.
      socket.close(1000, reason.slice(0, 40));
    });
  }

  /** Tries at once instead of waiting for the next attempt: the machine woke up, or is online again. */
  retryNow(): void {
    if (this.#closed || this.#joined || this.#socket) return;
    this.#cancelTimer();
    this.#open();
  }

  #open(): void {
    this.#watchSilence('the coordinator did not answer', JOIN_TIMEOUT_MS);
    let socket: ControlSocket;
    try {
      socket = this.#options.openSocket(this.#options.url);
    } catch (error) {
      return this.#lose(`cannot open ${this.#options.url}: ${String(error)}`);
    }
    this.#socket = socket;
    socket.onopen = () => {
      const identity = this.#identity;
      const hello: WorkerMessageOf<'hello'> = {
        type: 'hello',
        protocol: PROTOCOL_VERSION,
        ...this.#options.greeting,
        life: this.#life,
        ...(identity ? { identity } : {}),
      };
      this.#write(socket, JSON.stringify(hello));
    };
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onclose = (event) => this.#lose(closeReason(event));
    // A close event follows every error event and carries what little is known.
    socket.onerror = () => {};
  }

  #receive(data: unknown): void {
    if (this.#joined) this.#watchSilence('the coordinator fell silent', this.#silenceMs);
    const message = this.#decode(data);
    if (!message) return;
    switch (message.type) {
      case 'ping':
        this.roundTripMs = message.roundTripMs;
        return;
      case 'welcome':
        return this.#welcome(message);
      case 'refused':
        return this.#refused(message);
      case 'shutdown':
        this.#events.onMessage(message);
        if (message.reconnect) this.#lose(`the coordinator is going down: ${message.reason}`);
        else void this.close(message.reason);
        return;
      case 'assign':
      case 'prepare':
      case 'openProgram':
      case 'iceServers':
      case 'meet':
      case 'begin':
      case 'check':
      case 'halt':
      case 'release':
        this.#events.onMessage(message);
    }
  }

  #welcome(message: CoordinatorMessageOf<'welcome'>): void {
    // Messages of the old identity are not sent under the new one.
    if (this.#identity?.workerId !== message.workerId) this.#queue.length = 0;
    this.#identity = { workerId: message.workerId, secret: message.secret };
    this.#joined = true;
    this.#joinedAtMs = this.#options.clock.now();
    this.#silenceMs = message.pingIntervalMs * SILENT_INTERVALS;
    this.#watchSilence('the coordinator fell silent', this.#silenceMs);
    this.#events.onWelcome(message);
    for (const queued of this.#queue.splice(0)) this.send(queued);
    // What is told of earlier work is none of this conversation.
    this.#isUseful = false;
  }

  #refused(message: CoordinatorMessageOf<'refused'>): void {
    if (this.#identity && !finalRefusals.includes(message.code)) {
      // The coordinator knows this identity no more (it was away for too long, or its record is new): join afresh.
      this.#identity = undefined;
      this.#queue.length = 0;
      const isFirst = this.#refusals++ === 0;
      this.#lose(`${message.message} Joining as a new worker.`, isFirst ? 0 : undefined);
      return;
    }
    void this.close(message.message);
    this.#events.onRefused(new JoinRefusedError(message.message, message.code));
  }

  #decode(data: unknown): CoordinatorMessage | undefined {
    if (typeof data !== 'string') return this.#reject('it is not text');
    if (data.length > MAX_CONTROL_MESSAGE_BYTES) return this.#reject(`it has ${data.length} characters`);
    try {
      const parsed = coordinatorMessage.safeParse(JSON.parse(data));
      if (parsed.success) return parsed.data;
      const [issue] = parsed.error.issues;
      return this.#reject(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unknown form'}`);
    } catch {
      return this.#reject('it is not JSON');
    }
  }

  #reject(why: string): undefined {
    this.malformed++;
    if (this.malformed <= MAX_REPORTED) this.#events.log(`Ignored a control message: ${why}`);
  }

  #gather(socket: ControlSocket, message: WorkerMessageOf<'committed'>): void {
    const text = JSON.stringify(message);
    if (this.#gatheredCharacters + text.length > MAX_GATHERED_CHARACTERS) this.#writeGathered(socket);
    if (text.length > MAX_GATHERED_CHARACTERS) return this.#write(socket, text);
    this.#gathered.push({ message, text });
    this.#gatheredCharacters += text.length + 1;
    if (this.#gathered.length === MAX_SEVERAL) return this.#writeGathered(socket);
    if (this.#gathered.length > 1) return;
    const { nextTurn = eventTurn } = this.#options;
    void nextTurn().then(() => {
      if (this.#socket === socket) this.#writeGathered(socket);
    });
  }

  #writeGathered(socket: ControlSocket): void {
    const texts = this.#takeGathered().map(({ text }) => text);
    if (texts.length === 0) return;
    this.#send(socket, texts.length === 1 ? texts[0]! : `{"type":"several","messages":[${texts.join()}]}`);
  }

  #takeGathered(): { readonly message: WorkerMessage; readonly text: string }[] {
    const taken = this.#gathered;
    this.#gathered = [];
    this.#gatheredCharacters = 0;
    return taken;
  }

  /** In the order in which things were said. */
  #write(socket: ControlSocket, text: string): void {
    this.#writeGathered(socket);
    this.#send(socket, text);
  }

  #send(socket: ControlSocket, text: string): void {
    try {
      socket.send(text);
    } catch (error) {
      this.#lose(`cannot send: ${String(error)}`);
    }
  }

  #lose(reason: string, retryInMs?: number): void {
    if (this.#closed) return;
    this.#forgetFailures();
    this.#joined = false;
    this.#release()?.close();
    const waitMs = retryInMs ?? jitteredMs(this.#attempt++, retries, this.#options.random);
    this.#cancelTimer();
    this.#cancelTimer = this.#options.clock.after(waitMs, () => this.#open());
    this.#events.onLost(reason, waitMs);
  }

  /** A coordinator that welcomes and refuses in turn, or hangs up after each welcome, is asked ever more rarely. */
  #forgetFailures(): void {
    if (!this.#joined) return;
    if (!this.#isUseful && this.#options.clock.now() - this.#joinedAtMs < USEFUL_MS) return;
    this.#attempt = 0;
    this.#refusals = 0;
  }

  #release(): ControlSocket | undefined {
    const socket = this.#socket;
    this.#socket = undefined;
    for (const { message } of this.#takeGathered()) this.#keep(message);
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.onerror = () => {};
    }
    return socket;
  }

  #watchSilence(reason: string, afterMs: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#options.clock.after(afterMs, () => this.#lose(reason));
  }
}

/** 96 bits, in hex. */
function lifeName(random: () => number): string {
  const word = (): string =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  return `${word()}${word()}${word()}`;
}

function closeReason(event: { code: number; reason: string }): string {
  if (event.reason) return event.reason;
  return event.code === 1006 ? 'the connection broke off' : `the connection was closed (code ${event.code})`;
}
