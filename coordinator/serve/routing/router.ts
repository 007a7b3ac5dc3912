// Gives calls to replicas: to the one with least to do, never more at a time than it takes; the rest wait in line, and
// a call whose replica ends goes to another.

import { AbortedError, DeadlineError } from '../../../kernels/errors.ts';
import type { Clock } from '../../../shared/clock.ts';
import type { Replica, ReplicaOp } from '../replica/replica.ts';
import { AnswerStream } from '../stream/answerStream.ts';
import { OverloadedError, ReplicaLostError, UnavailableError } from '../request/serveErrors.ts';

export interface RouterLimits {
  /** Calls that a replica has in hand at a time. */
  readonly maxOngoingRequests: number;
  /** Calls that wait for a replica; -1 is any number. */
  readonly maxQueuedRequests: number;
  readonly requestTimeoutS: number;
}

/** A replica's place in the router. */
export interface Slot {
  readonly replica: Replica;
  ongoing: number;
  /** Calls that it has answered, well or with an error. */
  answered: number;
  /** Calls that it did not answer in time and still has in hand. */
  overdue: number;
  isAccepting: boolean;
}

interface Ticket {
  readonly op: ReplicaOp;
  args: readonly unknown[];
  settle: ((error: unknown, value: unknown) => void) | undefined;
  slot: Slot | undefined;
  call: number;
  attempts: number;
  dispatchedAtMs: number;
  isOverdue: boolean;
  /** The answer, while it comes in pieces. */
  stream: AnswerStream | undefined;
  stopTimer: () => void;
}

export interface RouterEvents {
  /** The number of calls in hand or in line changed. */
  onLoad(load: number): void;
  /** All that a replica may have in hand is overdue. */
  onStuck(slot: Slot): void;
  /** A replica that accepts no more calls has answered its last. */
  onIdle(slot: Slot): void;
}

export interface RouterCounts {
  retries: number;
  overloads: number;
  timeouts: number;
}

/** A call is tried on so many replicas. */
const MAX_ATTEMPTS = 3;
/** The last so many calls weigh in the mean. */
const MEAN_OF = 20;
const MAX_RETRY_AFTER_S = 60;

export class Router {
  readonly name: string;
  limits: RouterLimits;
  readonly counts: RouterCounts = { retries: 0, overloads: 0, timeouts: 0 };
  readonly #clock: Clock;
  readonly #events: RouterEvents;
  readonly #slots: Slot[] = [];
  /** In order of arrival. */
  readonly #queue = new Set<Ticket>();
  #ongoing = 0;
  /** How long a replica has a call in hand: a mean that forgets. */
  #meanAnswerMs = 0;
  #closed: UnavailableError | undefined;

  constructor(name: string, limits: RouterLimits, clock: Clock, events: RouterEvents) {
    this.name = name;
    this.limits = limits;
    this.#clock = clock;
    this.#events = events;
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  get queued(): number {
    return this.#queue.size;
  }

  get ongoing(): number {
    return this.#ongoing;
  }

  add(replica: Replica): Slot {
    const slot: Slot = { replica, ongoing: 0, answered: 0, overdue: 0, isAccepting: true };
    this.#slots.push(slot);
    this.pump();
    return slot;
  }

  remove(slot: Slot): void {
    const index = this.#slots.indexOf(slot);
    if (index >= 0) this.#slots.splice(index, 1);
  }

  /** Takes no more calls, and fails those in line. */
  close(reason: string): void {
    this.#closed = new UnavailableError(reason);
    for (const ticket of this.#queue) this.#finish(ticket, this.#closed, undefined);
  }

  /**
   * @throws OverloadedError (the line is full), UnavailableError (and no replica runs), DeadlineError, AbortedError, ReplicaLostError, and what the replica's
   *   program throws.
   */
  call(op: ReplicaOp, args: readonly unknown[], signal?: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const settle = (error: unknown, value: unknown): void => {
        if (error === undefined) resolve(value);
        else reject(error);
      };
      this.submit(op, args, settle, signal);
    });
  }

  /** As `call`, with a callback, which is called once. @returns how to withdraw the call. */
  submit(
    op: ReplicaOp,
    args: readonly unknown[],
    settle: (error: unknown, value: unknown) => void,
    signal?: AbortSignal,
  ): () => void {
    const ticket: Ticket = {
      op,
      args,
      settle,
      slot: undefined,
      call: 0,
      attempts: 0,
      dispatchedAtMs: 0,
      isOverdue: false,
      stream: undefined,
      stopTimer: () => undefined,
    };
    const withdraw = (): void => this.#withdraw(ticket);
    if (this.#closed) {
      settle(this.#closed, undefined);
      return withdraw;
    }
    const slot = this.#freest();
    const { maxQueuedRequests, requestTimeoutS } = this.limits;
    if (!slot && maxQueuedRequests >= 0 && this.#queue.size >= maxQueuedRequests) {
      this.counts.overloads += 1;
      settle(this.#refusal(), undefined);
      return withdraw;
    }
    ticket.stopTimer = this.#clock.after(requestTimeoutS * 1_000, () => this.#expire(ticket));
    if (slot) this.#dispatch(ticket, slot);
    else this.#queue.add(ticket);
    this.#loadChanged();
    signal?.addEventListener('abort', withdraw, { once: true });
    if (signal?.aborted === true) withdraw();
    return withdraw;
  }

  /** Gives waiting calls to free replicas. */
  pump(): void {
    for (const ticket of this.#queue) {
      const slot = this.#freest();
      if (!slot) return;
      this.#queue.delete(ticket);
      this.#dispatch(ticket, slot);
    }
  }

  #refusal(): Error {
    const capacity = this.limits.maxOngoingRequests * this.#slots.filter((slot) => slot.isAccepting).length;
    if (capacity === 0) {
      return new UnavailableError(
        `No replica of deployment "${this.name}" runs at the moment, and ${this.#queue.size} requests wait for one already.`,
      );
    }
    const emptiedMs = (this.#queue.size * this.#meanAnswerMs) / capacity;
    return new OverloadedError(
      `Deployment "${this.name}" has ${this.#ongoing} requests in hand and ${this.#queue.size} in line, as many as it accepts. Try again later.`,
      Math.min(MAX_RETRY_AFTER_S, Math.max(1, Math.ceil(emptiedMs / 1_000))),
    );
  }

  #freest(): Slot | undefined {
    let best: Slot | undefined;
    let least = this.limits.maxOngoingRequests;
    for (const slot of this.#slots) {
      if (!slot.isAccepting || slot.ongoing >= least) continue;
      best = slot;
      least = slot.ongoing;
    }
    return best;
  }

  #dispatch(ticket: Ticket, slot: Slot): void {
    ticket.slot = slot;
    ticket.attempts += 1;
    slot.ongoing += 1;
    this.#ongoing += 1;
    ticket.dispatchedAtMs = this.#clock.now();
    ticket.call = slot.replica.call(ticket.op, ticket.args, (error, value) =>
      this.#answered(ticket, slot, error, value),
    );
  }

  #answered(ticket: Ticket, slot: Slot, error: unknown, value: unknown): void {
    if (value instanceof AnswerStream) {
      this.#answersInPieces(ticket, slot, value);
      return;
    }
    slot.ongoing -= 1;
    this.#ongoing -= 1;
    this.#meanAnswerMs += (this.#clock.now() - ticket.dispatchedAtMs - this.#meanAnswerMs) / MEAN_OF;
    if (ticket.isOverdue) slot.overdue -= 1;
    ticket.slot = undefined;
    const isLost = error instanceof ReplicaLostError;
    if (isLost) slot.isAccepting = false;
    else slot.answered += 1;
    if (isLost && ticket.settle && ticket.attempts < MAX_ATTEMPTS && !this.#closed) {
      this.counts.retries += 1;
      const next = this.#freest();
      if (next) this.#dispatch(ticket, next);
      else this.#queue.add(ticket);
    } else {
      ticket.stopTimer();
      this.#finish(ticket, error, value);
    }
    if (this.#queue.size > 0) this.pump();
    if (!slot.isAccepting && slot.ongoing === 0) this.#events.onIdle(slot);
    this.#loadChanged();
  }

  /** The replica has the call in hand until the last piece was taken. From one piece to the next there is a deadline. */
  #answersInPieces(ticket: Ticket, slot: Slot, stream: AnswerStream): void {
    ticket.stream = stream;
    if (ticket.settle) {
      const watch = (): void => {
        ticket.stopTimer();
        ticket.stopTimer = this.#clock.after(this.limits.requestTimeoutS * 1_000, () => this.#expire(ticket));
      };
      watch();
      stream.onTaken = watch;
      this.#finish(ticket, undefined, stream);
    } else {
      // The caller went away, or was told that it took too long, before the first piece.
      void stream.return();
    }
    void stream.over.then(() => {
      stream.onTaken = () => undefined;
      this.#answered(ticket, slot, undefined, undefined);
    });
  }

  /** Tells the caller. What a replica still has in hand stays counted. */
  #finish(ticket: Ticket, error: unknown, value: unknown): void {
    if (this.#queue.delete(ticket)) ticket.stopTimer();
    const { settle } = ticket;
    ticket.settle = undefined;
    // A body may be large, and a replica that hangs may keep the ticket for long.
    ticket.args = [];
    settle?.(error, value);
  }

  #expire(ticket: Ticket): void {
    const { slot } = ticket;
    if (!slot) {
      this.counts.timeouts += 1;
      const waited = `No replica of deployment "${this.name}" was free within ${this.limits.requestTimeoutS} s.`;
      this.#finish(ticket, new DeadlineError(waited), undefined);
      this.#loadChanged();
      return;
    }
    ticket.isOverdue = true;
    slot.overdue += 1;
    const { id } = slot.replica;
    const { requestTimeoutS } = this.limits;
    if (ticket.stream) {
      this.counts.timeouts += 1;
      const message = `No piece of the answer of replica ${id} of deployment "${this.name}" came, or was taken, within ${requestTimeoutS} s.`;
      ticket.stream.fail(new DeadlineError(message, { peer: id }));
    } else if (ticket.settle) {
      this.counts.timeouts += 1;
      slot.replica.cancel(ticket.call);
      const message = `Replica ${id} of deployment "${this.name}" did not answer within ${requestTimeoutS} s.`;
      this.#finish(ticket, new DeadlineError(message, { peer: id }), undefined);
    }
    if (slot.overdue >= this.limits.maxOngoingRequests) this.#events.onStuck(slot);
  }

  #withdraw(ticket: Ticket): void {
    ticket.stream?.fail(new AbortedError('The caller withdrew the request.'));
    if (!ticket.settle) return;
    if (ticket.slot) ticket.slot.replica.cancel(ticket.call);
    this.#finish(ticket, new AbortedError('The caller withdrew the request.'), undefined);
    this.#loadChanged();
  }

  #loadChanged(): void {
    this.#events.onLoad(this.#ongoing + this.#queue.size);
  }
}
