// One worker's presence at the PeerJS server: dialling, being dialled, and coming back under the same id when the
// server's socket is lost. Links that are up don't need the server, so that losing it never ends the session.

import type * as PeerJs from 'peerjs';
import type { BufferedConnection, Peer } from 'peerjs';
import { jitteredMs, type Backoff } from '../../shared/backoff.ts';
import { systemClock, type Clock } from '../../shared/clock.ts';
import { deferred, type Deferred } from '../../shared/deferred.ts';
import type { ChannelMetadata } from './channelMetadata.ts';
import { connectionTime, type ConnectionTime } from './connectionTimes.ts';
import { OfferGate } from './offerGate.ts';
import type { ExpectedDialler, PeerJsOptions } from './peerEndpoint.ts';
import { carrierOf, connectionClass } from './peerJsConnection.ts';
import type { ChannelCarrier } from './rtcChannel.ts';
import { SignallingError, SignallingRefusedError } from './transportErrors.ts';
import { guardMessages } from './signallingGuard.ts';

const DEFAULT_TIMEOUT_MS = 10_000;
/** Connections whose times are asked at once: more than a page shows. */
const MOST_MEASURED = 64;
const reconnects: Backoff = { firstMs: 250, maxMs: 8_000 };
/** PeerJS's errors that mean: the server answered, and will not have this worker. */
const REFUSALS: readonly string[] = [
  'invalid-id',
  'invalid-key',
  'unavailable-id',
  'server-error',
  'browser-incompatible',
];

/** A data channel in the task in which it was created. */
export type AdoptChannel = (channel: RTCDataChannel, carrier: ChannelCarrier) => void;
export type AdoptIncoming = (
  peerId: string,
  metadata: unknown,
  channel: RTCDataChannel,
  carrier: ChannelCarrier,
) => void;

export class PeerJsSession {
  readonly id: string;
  readonly closed: Promise<string>;
  readonly #peer: Peer;
  readonly #clock: Clock;
  readonly #iceTransportPolicy: RTCIceTransportPolicy;
  readonly #closed = deferred<string>();
  readonly #dialled = new Map<BufferedConnection, string>();
  readonly #adopted = new Set<BufferedConnection>();
  readonly #endings = new WeakMap<BufferedConnection, Deferred<string>>();
  readonly #gate: OfferGate;
  #adoptDialled: AdoptChannel | undefined;
  #adoptIncoming: AdoptIncoming | undefined;
  #reconnects = 0;
  #everOpen = false;
  #closing = false;
  #cancelReconnect: () => void = () => undefined;
  #refused: string | undefined;

  /** @throws SignallingRefusedError when the server refuses; SignallingError when it does not answer. */
  static async open(
    peerjs: typeof PeerJs,
    options: PeerJsOptions,
    clock: Clock = systemClock,
  ): Promise<PeerJsSession> {
    const session = new PeerJsSession(peerjs, options, clock);
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const answer = deferred<void>();
    const refuse = (reason: string): void => {
      const Failure = session.#refused === undefined ? SignallingError : SignallingRefusedError;
      answer.reject(new Failure(`PeerJS server at ${options.coordinatorUrl}${options.path}: ${reason}.`));
    };
    const cancel = clock.after(timeoutMs, () => refuse(`no answer within ${timeoutMs} ms`));
    const aborted = (): void => refuse('withdrawn');
    options.signal?.addEventListener('abort', aborted, { once: true });
    if (options.signal?.aborted) aborted();
    session.#peer.once('open', () => answer.resolve());
    void session.closed.then(refuse);
    try {
      await answer.promise;
      return session;
    } catch (error) {
      session.close();
      throw error;
    } finally {
      cancel();
      options.signal?.removeEventListener('abort', aborted);
    }
  }

  private constructor(peerjs: typeof PeerJs, options: PeerJsOptions, clock: Clock) {
    this.id = options.peerId;
    this.closed = this.#closed.promise;
    this.#clock = clock;
    this.#gate = new OfferGate(clock);
    this.#iceTransportPolicy = options.iceTransportPolicy ?? 'all';
    const server = new URL(options.coordinatorUrl);
    const secure = server.protocol === 'https:';
    this.#peer = new peerjs.Peer(options.peerId, {
      host: server.hostname,
      port: Number(server.port) || (secure ? 443 : 80),
      path: `${server.pathname.replace(/\/$/, '')}${options.path}`,
      secure,
      key: options.key,
      token: options.token,
      config: this.#connectionSettings(options.iceServers),
      serializers: {
        raw: connectionClass(peerjs, {
          created: (connection, channel) => this.#adopt(connection, channel),
          closed: (connection) => this.#forget(connection),
        }),
      },
    });
    guardMessages(this.#peer, (offer) => this.#gate.enter(offer));
    this.#peer.on('open', () => {
      this.#everOpen = true;
      this.#reconnects = 0;
    });
    this.#peer.on('error', (error) => this.#onError(error.type, error.message));
    this.#peer.on('disconnected', () => this.#reconnect());
    this.#peer.on('close', () => this.#closed.resolve('the PeerJS server ended the session'));
    this.#peer.on('call', (call) => call.close());
  }

  /** Dials; `adopt` is called before this returns. */
  dial(peerId: string, metadata: ChannelMetadata, adopt: AdoptChannel): void {
    // PeerJS drops what is said while its socket is being opened: the offer would be lost without an error.
    if (!this.#peer.open) {
      throw new SignallingError(`Not connected to the PeerJS server, can't dial ${peerId}.`);
    }
    this.#adoptDialled = adopt;
    // 'raw' names the class given above.
    const connection = this.#peer.connect(peerId, {
      metadata,
      reliable: true,
      serialization: 'raw',
    }) as BufferedConnection;
    this.#adoptDialled = undefined;
    this.#dialled.set(connection, peerId);
  }

  /** Takes offers of this dialler for its group; see PeerEndpoint. */
  expect(dialler: ExpectedDialler): () => void {
    return this.#gate.expect(dialler);
  }

  /** For connections that are made from now on: PeerJS reads its options at each. */
  useIceServers(servers: readonly RTCIceServer[]): void {
    this.#peer.options.config = this.#connectionSettings(servers);
  }

  onIncoming(adopt: AdoptIncoming): void {
    this.#adoptIncoming = adopt;
  }

  /** What the connections that are up know of themselves, by the PeerJS id of the other end; the newest of each. */
  async times(): Promise<Map<string, ConnectionTime>> {
    const live = [...this.#adopted].filter(isConnected).slice(-MOST_MEASURED);
    const told = await Promise.all(
      live.map(async ({ peer, peerConnection }) => {
        const report = await peerConnection.getStats().catch(() => new Map());
        return [peer, connectionTime(report as ReadonlyMap<string, unknown>)] as const;
      }),
    );
    return new Map(told.flatMap(([peer, time]) => (time ? [[peer, time] as const] : [])));
  }

  close(): void {
    this.#closing = true;
    this.#cancelReconnect();
    this.#closed.resolve('it was closed');
    this.#gate.close();
    this.#peer.destroy();
  }

  #connectionSettings(servers: readonly RTCIceServer[]): RTCConfiguration {
    return {
      // Copies of its own: node-datachannel's polyfill writes into them.
      iceServers: servers.map((entry) => ({ ...entry })),
      iceTransportPolicy: this.#iceTransportPolicy,
    };
  }

  #adopt(connection: BufferedConnection, channel: RTCDataChannel): void {
    // The other end may open as many channels on a connection as it likes; one is what it is for.
    if (this.#endings.has(connection)) return channel.close();
    const ending = deferred<string>();
    this.#endings.set(connection, ending);
    this.#adopted.add(connection);
    this.#gate.settle(connection);
    const carrier = carrierOf(connection, ending.promise, this.#clock);
    const adoptDialled = this.#adoptDialled;
    if (adoptDialled) adoptDialled(channel, carrier);
    else if (this.#adoptIncoming) this.#adoptIncoming(connection.peer, connection.metadata, channel, carrier);
    else connection.close();
  }

  #forget(connection: BufferedConnection): void {
    this.#dialled.delete(connection);
    this.#adopted.delete(connection);
    this.#gate.settle(connection);
    this.#endings.get(connection)?.resolve('the connection was closed');
  }

  #onError(type: string, message: string): void {
    if (type === 'peer-unavailable') {
      for (const [connection, peerId] of this.#dialled) {
        if (message.endsWith(` ${peerId}`) && !isConnected(connection)) connection.close();
      }
      return;
    }
    // Failures of one negotiation show in its connection. A server that once had this worker may be starting again, and
    // may know it in a moment: live links are worth more than its opinion.
    if (this.#everOpen) return;
    if (REFUSALS.includes(type)) this.#refused = message || type;
    if (this.#refused !== undefined || type === 'network') this.#closed.resolve(this.#refused ?? message);
  }

  #reconnect(): void {
    if (this.#closing || this.#peer.destroyed || !this.#everOpen) return;
    // What is still being negotiated can't be finished; the dialler dials again.
    for (const connection of this.#dialled.keys()) {
      if (!isConnected(connection)) connection.close();
    }
    this.#reconnects += 1;
    const waitMs = jitteredMs(this.#reconnects, reconnects, Math.random);
    this.#cancelReconnect = this.#clock.after(waitMs, () => {
      if (!this.#peer.destroyed && this.#peer.disconnected) this.#peer.reconnect();
    });
  }
}

/** Live links need the server no more, and whom it knows does not concern them. */
function isConnected(connection: BufferedConnection): boolean {
  return connection.peerConnection?.connectionState === 'connected';
}
