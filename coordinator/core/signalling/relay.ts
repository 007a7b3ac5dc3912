// Joins the two halves of links that could not be made directly, and passes their messages on unread. A half says who it
// is and whom it wants; when the other one comes, both are told and become one link.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { z } from 'zod';
import { systemClock, type Clock } from '../../../shared/clock.ts';
import { MAX_FRAME_BYTES } from '../../../shared/wire/frame.ts';
import { boundMessages } from '../../bounds/boundMessages.ts';
import { ByteBudget, type HeldBytes } from '../../bounds/byteBudget.ts';
import { closeCodes } from '../pool/controlConnection.ts';
import { dismissSocket } from './dismissSocket.ts';
import { defaultRelayLimits, type RelayLimits } from './relayAccount.ts';
import { RelayLinks } from './relayLinks.ts';

export const RELAY_PATH = '/relay';
const JOIN_TIMEOUT_MS = 10_000;
const MAX_JOIN_BYTES = 4 * 1024;
/** For one message: longer than a writer is ever made to wait for its reader. */
const MESSAGE_TIMEOUT_MS = 120_000;
const DEFAULT_PARTNER_TIMEOUT_MS = 60_000;

const name = z.string().min(1).max(300);
const joinMessage = z.object({
  type: z.literal('join'),
  worker: name,
  token: z.string().max(300),
  peer: name,
  group: name,
});
type Join = z.infer<typeof joinMessage>;

export interface RelayServerOptions {
  /** Counts a socket until the returned function is called: when it has joined. @throws when there are too many. */
  readonly admit?: (request: IncomingMessage) => () => void;
  /** Whether `token` is the secret of that worker. */
  readonly authorize: (workerId: string, token: string, request: IncomingMessage) => boolean;
  /** Whether the two are members of one group; asked again while they are linked. Default: any two may meet. */
  readonly mayMeet?: (one: string, other: string) => boolean;
  /** How long a half waits for its partner. Default 60 s. */
  readonly partnerTimeoutMs?: number;
  readonly limits?: Partial<RelayLimits>;
  readonly clock?: Clock;
}

export interface MountedRelay {
  readonly stats: {
    /** Payload bytes passed on since the start. */
    readonly bytesRelayed: number;
    readonly openPipes: number;
    readonly waitingHalves: number;
    readonly refused: number;
  };
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Payload bytes that the worker sent since it joined. */
  sentBytes(workerId: string): number;
  /** The worker is gone for good. */
  drop(workerId: string): void;
  close(): Promise<void>;
}

interface Half {
  readonly socket: WebSocket;
  readonly join: Join;
  /** It waits no more. */
  readonly leave: () => void;
}

export function mountRelay(options: RelayServerOptions): MountedRelay {
  return new Relay(options);
}

class Relay implements MountedRelay {
  readonly #options: RelayServerOptions;
  readonly #limits: RelayLimits;
  readonly #clock: Clock;
  readonly #mayMeet: (one: string, other: string) => boolean;
  readonly #links: RelayLinks;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: false,
  });
  readonly #waiting = new Map<string, Half>();
  readonly #halvesOfPair = new Map<string, number>();
  readonly #unfinished: ByteBudget;
  #halves = 0;
  #refused = 0;

  constructor(options: RelayServerOptions) {
    this.#options = options;
    this.#limits = { ...defaultRelayLimits, ...options.limits };
    this.#clock = options.clock ?? systemClock;
    this.#mayMeet = options.mayMeet ?? ((): boolean => true);
    this.#links = new RelayLinks(this.#limits, this.#clock, this.#mayMeet);
    this.#unfinished = new ByteBudget({ maxBytes: this.#limits.unfinishedBytes });
  }

  get stats(): MountedRelay['stats'] {
    return {
      bytesRelayed: this.#links.bytesRelayed,
      openPipes: this.#links.size,
      waitingHalves: this.#waiting.size,
      refused: this.#refused,
    };
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const joinedOrGone = this.#options.admit?.(request) ?? ((): void => undefined);
    socket.once('close', joinedOrGone);
    this.#sockets.handleUpgrade(request, socket, head, (client) =>
      this.#greet(client, socket, request, joinedOrGone),
    );
  }

  sentBytes(workerId: string): number {
    return this.#links.sentBytes(workerId);
  }

  drop(workerId: string): void {
    this.#links.drop(workerId);
    for (const { socket, join } of this.#waiting.values()) {
      if (join.worker === workerId) this.#refuse(socket, 'the worker is gone');
    }
  }

  close(): Promise<void> {
    for (const { leave } of this.#waiting.values()) leave();
    this.#links.close();
    for (const client of this.#sockets.clients) client.terminate();
    return new Promise((resolve) => this.#sockets.close(() => resolve()));
  }

  #greet(socket: WebSocket, stream: Duplex, request: IncomingMessage, joined: () => void): void {
    let held: HeldBytes | undefined;
    const drop = (): void => socket.terminate();
    boundMessages(stream, {
      clock: this.#clock,
      // One that is being closed may still be reading what the other end left.
      maxMessageBytes: () =>
        held ? MAX_FRAME_BYTES : socket.readyState === socket.OPEN ? MAX_JOIN_BYTES : 0,
      messageTimeoutMs: () => MESSAGE_TIMEOUT_MS,
      hold: (bytes) => held?.set(bytes),
      cut: drop,
    });
    const cancel = this.#clock.after(JOIN_TIMEOUT_MS, () =>
      this.#refuse(socket, 'it did not say whom it wants'),
    );
    socket.on('error', drop);
    socket.once('close', () => {
      cancel();
      held?.release();
    });
    socket.once('message', (data, isBinary) => {
      if (socket.readyState !== socket.OPEN) return;
      cancel();
      const join = isBinary ? undefined : readJoin((data as Buffer).toString());
      const refusal = join ? this.#refusal(join, request) : 'it did not say whom it wants';
      if (!join || refusal !== undefined) return this.#refuse(socket, refusal ?? '');
      joined();
      held = this.#unfinished.open(join.worker, drop);
      this.#count(socket, join);
      this.#slot(socket, join);
    });
  }

  #refusal({ worker, token, peer }: Join, request: IncomingMessage): string | undefined {
    const { maxHalves, maxHalvesPerPair, maxHalvesPerWorker } = this.#limits;
    if (!this.#options.authorize(worker, token, request)) return 'the token is wrong';
    if (!this.#mayMeet(worker, peer)) return `it shares no group with worker ${peer}`;
    const { halves } = this.#links.accountOf(worker);
    if (halves >= maxHalvesPerWorker) return `worker ${worker} has ${halves} relayed links already`;
    const ofPair = this.#halvesOfPair.get(keyOf(worker, peer)) ?? 0;
    if (ofPair >= maxHalvesPerPair) return `worker ${worker} has ${ofPair} links to worker ${peer} already`;
    return this.#halves >= maxHalves ? 'the relay is full' : undefined;
  }

  #count(socket: WebSocket, { worker, peer }: Join): void {
    const account = this.#links.accountOf(worker);
    const pair = keyOf(worker, peer);
    const add = (change: 1 | -1): void => {
      account.halves += change;
      this.#halves += change;
      const ofPair = (this.#halvesOfPair.get(pair) ?? 0) + change;
      if (ofPair > 0) this.#halvesOfPair.set(pair, ofPair);
      else this.#halvesOfPair.delete(pair);
    };
    add(1);
    socket.once('close', () => add(-1));
  }

  #slot(socket: WebSocket, join: Join): void {
    const { worker, peer, group } = join;
    const partner = this.#waiting.get(keyOf(peer, worker, group));
    if (partner) {
      partner.leave();
      this.#links.connect({ worker, socket }, { worker: peer, socket: partner.socket });
      for (const end of [socket, partner.socket]) end.send('{"type":"joined"}');
      return;
    }
    const key = keyOf(worker, peer, group);
    const former = this.#waiting.get(key);
    former?.leave();
    if (former) dismissSocket(former.socket, closeCodes.policy, 'it was opened again');
    const early = (): void => this.#refuse(socket, 'it sent something before it was joined');
    const cancel = this.#clock.after(this.#options.partnerTimeoutMs ?? DEFAULT_PARTNER_TIMEOUT_MS, () =>
      dismissSocket(socket, closeCodes.policy, `worker ${peer} did not come to the relay`),
    );
    const leave = (): void => {
      cancel();
      socket.off('message', early);
      socket.off('close', leave);
      if (this.#waiting.get(key)?.socket === socket) this.#waiting.delete(key);
    };
    socket.once('message', early);
    socket.once('close', leave);
    this.#waiting.set(key, { socket, join, leave });
  }

  #refuse(socket: WebSocket, reason: string): void {
    this.#refused += 1;
    dismissSocket(socket, closeCodes.policy, reason);
  }
}

function keyOf(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}

function readJoin(text: string): Join | undefined {
  try {
    const parsed = joinMessage.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
