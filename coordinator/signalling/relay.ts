// Joins the two halves of links that could not be made directly, and passes their messages on unread. A half says who it
// is and whom it wants; when the other one comes, both are told and become one pipe.

import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { z } from 'zod';
import { MAX_FRAME_BYTES } from '../../shared/wire/frame.ts';
import { RelayPipe } from './relayPipe.ts';

export const RELAY_PATH = '/relay';
const JOIN_TIMEOUT_MS = 10_000;
const DEFAULT_PARTNER_TIMEOUT_MS = 60_000;
const DEFAULT_MAX_HALVES_PER_WORKER = 512;
/** WebSocket close code for refusals by policy (RFC 6455, 7.4.1). */
const POLICY_VIOLATION = 1008;

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
  /** Whether `token` is the secret of that worker. */
  readonly authorize: (workerId: string, token: string) => boolean;
  /** How long a half waits for its partner. Default 60 s. */
  readonly partnerTimeoutMs?: number;
  readonly maxHalvesPerWorker?: number;
}

export interface MountedRelay {
  readonly stats: {
    /** Payload bytes passed on since the start. */
    readonly bytesRelayed: number;
    readonly openPipes: number;
    readonly waitingHalves: number;
    readonly refused: number;
  };
  close(): Promise<void>;
}

interface Half {
  readonly socket: WebSocket;
  readonly join: Join;
  readonly timer: NodeJS.Timeout;
}

export function mountRelay(server: Server, options: RelayServerOptions): MountedRelay {
  const relay = new Relay(options);
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (new URL(request.url ?? '', 'http://coordinator').pathname === RELAY_PATH)
      relay.upgrade(request, socket, head);
  };
  server.on('upgrade', onUpgrade);
  return {
    stats: relay.stats,
    close: () => {
      server.off('upgrade', onUpgrade);
      return relay.close();
    },
  };
}

class Relay {
  readonly stats = { bytesRelayed: 0, openPipes: 0, waitingHalves: 0, refused: 0 };
  readonly #options: RelayServerOptions;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: false,
  });
  readonly #waiting = new Map<string, Half>();
  readonly #halvesOf = new Map<string, number>();

  constructor(options: RelayServerOptions) {
    this.#options = options;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#sockets.handleUpgrade(request, socket, head, (client) => this.#greet(client));
  }

  close(): Promise<void> {
    for (const half of this.#waiting.values()) clearTimeout(half.timer);
    this.#waiting.clear();
    for (const client of this.#sockets.clients) client.terminate();
    return new Promise((resolve) => this.#sockets.close(() => resolve()));
  }

  #greet(socket: WebSocket): void {
    socket.on('error', () => socket.terminate());
    const timer = setTimeout(() => this.#refuse(socket, 'it did not say whom it wants'), JOIN_TIMEOUT_MS);
    socket.once('close', () => clearTimeout(timer));
    socket.once('message', (data, isBinary) => {
      clearTimeout(timer);
      const join = isBinary ? undefined : readJoin((data as Buffer).toString());
      if (!join) return this.#refuse(socket, 'it did not say whom it wants');
      if (!this.#options.authorize(join.worker, join.token))
        return this.#refuse(socket, 'the token is wrong');
      const halves = this.#halvesOf.get(join.worker) ?? 0;
      if (halves >= (this.#options.maxHalvesPerWorker ?? DEFAULT_MAX_HALVES_PER_WORKER)) {
        return this.#refuse(socket, `worker ${join.worker} has ${halves} relayed links already`);
      }
      this.#halvesOf.set(join.worker, halves + 1);
      socket.once('close', () => this.#release(join.worker));
      this.#seat(socket, join);
    });
  }

  #seat(socket: WebSocket, join: Join): void {
    const wanted = keyOf(join.peer, join.worker, join.group);
    const partner = this.#waiting.get(wanted);
    if (partner) {
      this.#dismiss(wanted, partner);
      this.#connect(socket, partner.socket);
      return;
    }
    const key = keyOf(join.worker, join.peer, join.group);
    const former = this.#waiting.get(key);
    if (former) {
      this.#dismiss(key, former);
      former.socket.close(POLICY_VIOLATION, 'it was opened again');
    }
    const timer = setTimeout(() => {
      this.#dismiss(key, half);
      socket.close(POLICY_VIOLATION, `worker ${join.peer} did not come to the relay`.slice(0, 120));
    }, this.#options.partnerTimeoutMs ?? DEFAULT_PARTNER_TIMEOUT_MS);
    const half: Half = { socket, join, timer };
    this.#waiting.set(key, half);
    this.stats.waitingHalves = this.#waiting.size;
    socket.once('close', () => this.#dismiss(key, half));
  }

  #connect(a: WebSocket, b: WebSocket): void {
    this.stats.openPipes += 1;
    const count = (bytes: number): void => {
      this.stats.bytesRelayed += bytes;
    };
    const pipes = [new RelayPipe(a, b, count), new RelayPipe(b, a, count)];
    void Promise.race(pipes.map((pipe) => pipe.ended)).then(() => {
      this.stats.openPipes -= 1;
    });
    for (const socket of [a, b]) socket.send('{"type":"joined"}');
  }

  #dismiss(key: string, half: Half): void {
    clearTimeout(half.timer);
    if (this.#waiting.get(key) === half) this.#waiting.delete(key);
    this.stats.waitingHalves = this.#waiting.size;
  }

  #release(worker: string): void {
    const halves = (this.#halvesOf.get(worker) ?? 1) - 1;
    if (halves > 0) this.#halvesOf.set(worker, halves);
    else this.#halvesOf.delete(worker);
  }

  #refuse(socket: WebSocket, reason: string): void {
    this.stats.refused += 1;
    socket.close(POLICY_VIOLATION, reason.slice(0, 120));
  }
}

function keyOf(from: string, to: string, group: string): string {
  return JSON.stringify([from, to, group]);
}

function readJoin(text: string): Join | undefined {
  try {
    const parsed = joinMessage.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
