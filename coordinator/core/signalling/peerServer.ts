// PeerJS's own server in the coordinator. Only its WebSocket is used: workers bring their ids along. It believes whatever
// address and messages it gets, so that it gets none but those that were made here from what was checked.

import { Server, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { ExpressPeerServer } from 'peer';
import { WebSocketServer, type WebSocket } from 'ws';
import { systemClock, type Clock } from '../../../shared/clock.ts';
import { boundMessages } from '../../bounds/boundMessages.ts';
import { ByteBudget } from '../../bounds/byteBudget.ts';
import { dismissSocket } from './dismissSocket.ts';
import { handshakeTarget, readHandshake, type Handshake } from './handshake.ts';
import { ScreenedSocket, SignallingAllowance } from './screenedSocket.ts';
import type { Signal } from './signal.ts';
import { SteppedTimers } from './steppedTimers.ts';

/** Offers, answers and candidates are a few KiB. */
const MAX_SIGNAL_BYTES = 64 * 1024;
/** Longer than a worker that says too much is made to wait. */
const MESSAGE_TIMEOUT_MS = 60_000;
/** Of messages that have not come completely. */
const MAX_UNFINISHED_BYTES = 32 * 1024 * 1024;
/** An odd number, so that the timer can be told from others. */
const EXPIRE_CHECK_MS = 1009;
/** How often `peer` looks for dead clients; fixed there. */
const DEAD_CLIENT_CHECK_MS = 300;
const DEFAULT_MAX_CLIENTS = 5000;

export interface PeerServerOptions {
  /** Where PeerJS clients are told to look (their `path` option); the socket is at `${path}/peerjs`. Default /peerjs. */
  readonly path?: string;
  /** What every worker must bring along; from the welcome. */
  readonly key: string;
  /** Whether the worker that holds `token` may use this PeerJS id. Default: whoever has the key may use any. */
  readonly authorize?: (peerId: string, token: string, request: IncomingMessage) => boolean;
  /** Whether messages of one may go to the other. Default: always. */
  readonly mayMeet?: (from: string, to: string) => boolean;
  readonly maxClients?: number;
  readonly clock?: Clock;
}

export interface MountedPeerServer {
  /** `dropped`: messages to workers that are not there, or that the sender has nothing to do with. */
  readonly stats: {
    readonly clients: number;
    readonly messages: number;
    readonly dropped: number;
    readonly refused: number;
  };
  /** The path whose handshakes are to be handed over. */
  readonly upgradePath: string;
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** The worker with this id is gone for good. */
  drop(peerId: string): void;
  close(): Promise<void>;
}

export function mountPeerServer(options: PeerServerOptions): MountedPeerServer {
  return new PeerServer(options);
}

/** A PeerJS id: whoever may have it has one socket, and one allowance over all that it ever had. */
interface Client {
  socket: ScreenedSocket | undefined;
  readonly allowance: SignallingAllowance;
}

class PeerServer implements MountedPeerServer {
  readonly stats = { clients: 0, messages: 0, dropped: 0, refused: 0 };
  readonly upgradePath: string;
  readonly #options: PeerServerOptions;
  readonly #clock: Clock;
  // noServer: given an HTTP server, `ws` would answer the upgrades of all other paths with an error.
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_SIGNAL_BYTES });
  readonly #timers = new SteppedTimers([EXPIRE_CHECK_MS, DEAD_CLIENT_CHECK_MS]);
  readonly #unfinished = new ByteBudget({ maxBytes: MAX_UNFINISHED_BYTES });
  readonly #clients = new Map<string, Client>();

  constructor(options: PeerServerOptions) {
    const { path = '/peerjs', key, clock = systemClock } = options;
    this.#options = options;
    this.#clock = clock;
    this.upgradePath = `${path}/peerjs`;
    // The package wants a server to listen on; this one hears nothing.
    const peers = ExpressPeerServer(new Server(), {
      path,
      key,
      cleanup_out_msgs: EXPIRE_CHECK_MS,
      concurrent_limit: Infinity,
      allow_discovery: false,
      createWebSocketServer: () => this.#sockets,
    });
    const known = new Set<string>();
    peers.on('connection', (client) => {
      // The package greets new ids only: a worker whose former socket is not known to be dead yet would wait for ever.
      if (known.has(client.getId())) client.send({ type: 'OPEN' });
      known.add(client.getId());
    });
    peers.on('disconnect', (client) => void known.delete(client.getId()));
    peers.on('message', () => (this.stats.messages += 1));
    peers.on('error', () => (this.stats.refused += 1));
    // The package starts when it is mounted in an Express application; this one serves nothing and exists for that.
    this.#timers.run(() => ExpressPeerServer(new Server()).use(peers));
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const handshake = readHandshake(request.url ?? '');
    const refusal = handshake
      ? this.#refusal(handshake, request)
      : 'the key, the id or the token is missing or doubled';
    this.#sockets.handleUpgrade(request, socket, head, (client) => {
      this.#bound(client, socket, refusal === undefined ? handshake?.id : undefined);
      if (!handshake || refusal !== undefined) this.#refuse(client, refusal ?? '');
      else this.#register(client, request, handshake);
    });
  }

  drop(peerId: string): void {
    this.#clients.get(peerId)?.socket?.close();
    this.#clients.delete(peerId);
  }

  close(): Promise<void> {
    this.#timers.close();
    for (const client of this.#sockets.clients) client.terminate();
    return new Promise((resolve) => this.#sockets.close(() => resolve()));
  }

  /** @param party whose unfinished messages they are; undefined for who may send none. */
  #bound(client: WebSocket, stream: Duplex, party: string | undefined): void {
    const drop = (): void => client.terminate();
    const held = this.#unfinished.open(party ?? '', drop);
    client.once('close', () => held.release());
    boundMessages(stream, {
      clock: this.#clock,
      maxMessageBytes: () =>
        party !== undefined && client.readyState === client.OPEN ? MAX_SIGNAL_BYTES : 0,
      messageTimeoutMs: () => MESSAGE_TIMEOUT_MS,
      hold: (bytes) => held.set(bytes),
      cut: drop,
    });
  }

  #refusal({ key, id, token }: Handshake, request: IncomingMessage): string | undefined {
    const { authorize, maxClients = DEFAULT_MAX_CLIENTS } = this.#options;
    if (key !== this.#options.key || authorize?.(id, token, request) === false)
      return 'the key, the id or its token is wrong';
    const client = this.#clients.get(id);
    if (client?.allowance.sockets.take(1, this.#clock.now()) === false) return 'this id comes too often';
    if (!client?.socket && this.stats.clients >= maxClients) return 'there is no room for another worker';
    return undefined;
  }

  #register(webSocket: WebSocket, request: IncomingMessage, handshake: Handshake): void {
    const { id } = handshake;
    const client = this.#clients.get(id) ?? {
      socket: undefined,
      allowance: new SignallingAllowance(this.#clock.now()),
    };
    this.#clients.set(id, client);
    const former = client.socket;
    const socket: ScreenedSocket = new ScreenedSocket(webSocket, {
      allowance: client.allowance,
      clock: this.#clock,
      admit: (signal) => this.#admit(id, signal),
      onGone: () => {
        this.stats.clients -= 1;
        if (client.socket === socket) client.socket = undefined;
      },
    });
    this.stats.clients += 1;
    client.socket = socket;
    request.url = handshakeTarget(this.upgradePath, handshake);
    this.#sockets.emit('connection', socket, request);
    // The package lets go of the former socket when it takes the newer one, and would go on listening to it.
    former?.terminate();
  }

  #admit(from: string, { type, dst }: Exclude<Signal, { type: 'HEARTBEAT' }>): boolean {
    const mayMeet = this.#options.mayMeet?.(from, dst) !== false;
    const receiver = this.#clients.get(dst)?.socket;
    if (mayMeet && receiver) return true;
    this.stats.dropped += 1;
    // Whoever dials is told at once, and can dial again; the package would tell after seconds.
    const expired = JSON.stringify({ type: 'EXPIRE', src: dst, dst: from });
    if (type === 'OFFER') this.#clients.get(from)?.socket?.send(expired);
    return false;
  }

  /** In PeerJS's own words: a browser can't tell an HTTP refusal from a server that is down, and would try for ever. */
  #refuse(client: WebSocket, why: string): void {
    this.stats.refused += 1;
    client.on('error', () => client.terminate());
    client.send(JSON.stringify({ type: 'ERROR', payload: { msg: why } }));
    dismissSocket(client);
  }
}
