// The page's side of a tab's transport: PeerJS needs a window. Each data channel is transferred into the compute worker
// in the task that created it; where the browser can't do that, the page carries its messages.

import { messageOf } from '../../shared/text/messageOf.ts';
import type { ConnectionTime } from './connectionTimes.ts';
import type { HandedChannel, PageToWorker, WorkerToPage } from './endpointMessages.ts';
import { PeerJsSession } from './peerJsSession.ts';
import { bridgeChannel } from './portChannel.ts';
import { RtcChannel, type ChannelCarrier } from './rtcChannel.ts';
import { SignallingRefusedError } from './transportErrors.ts';

export interface EndpointService {
  /** See PeerJsSession.times. */
  times(): Promise<ReadonlyMap<string, ConnectionTime>>;
  stop(): void;
}

/** Serves the endpoints that the worker at the other end of `port` opens, one after another. */
export function servePeerEndpoint(port: MessagePort): EndpointService {
  let served: ServedEndpoint | undefined;
  port.onmessage = (event: MessageEvent<WorkerToPage>) => {
    const message = event.data;
    if (message.type === 'open') {
      served?.close();
      served = new ServedEndpoint(port, message.options);
    } else {
      served?.handle(message);
    }
  };
  return {
    times: () => served?.times() ?? Promise.resolve(new Map()),
    stop: () => {
      served?.close();
      port.close();
    },
  };
}

class ServedEndpoint {
  readonly #port: MessagePort;
  readonly #carriers = new Map<number, ChannelCarrier>();
  readonly #expectations = new Map<number, () => void>();
  #session: PeerJsSession | undefined;
  #closed = false;
  #lastIncoming = 0;

  constructor(port: MessagePort, options: Extract<WorkerToPage, { type: 'open' }>['options']) {
    this.#port = port;
    this.#open(options).catch((error: unknown) => {
      const message = messageOf(error);
      this.#post({ type: 'refused', message, final: error instanceof SignallingRefusedError });
    });
  }

  handle(message: Exclude<WorkerToPage, { type: 'open' }>): void {
    switch (message.type) {
      case 'dial':
        this.#dial(message);
        return;
      case 'expect':
        this.#expect(message);
        return;
      case 'expectNoMore':
        this.#expectations.get(message.expectation)?.();
        this.#expectations.delete(message.expectation);
        return;
      case 'iceServers':
        this.#session?.useIceServers(message.iceServers);
        return;
      case 'drop':
        this.#carriers.get(message.connection)?.close();
        return;
      case 'close':
        this.close();
    }
  }

  times(): Promise<ReadonlyMap<string, ConnectionTime>> {
    return this.#session?.times() ?? Promise.resolve(new Map());
  }

  close(): void {
    this.#closed = true;
    this.#session?.close();
  }

  async #open(options: Extract<WorkerToPage, { type: 'open' }>['options']): Promise<void> {
    const session = await PeerJsSession.open(await import('peerjs'), options);
    if (this.#closed) return session.close();
    this.#session = session;
    session.onIncoming((peerId, metadata, channel, carrier) => {
      this.#lastIncoming -= 1;
      const connection = this.#lastIncoming;
      this.#hand(channel, carrier, (handed) => ({ type: 'incoming', connection, peerId, metadata, handed }));
      this.#watch(connection, carrier);
    });
    void session.closed.then((reason) => this.#post({ type: 'closed', reason }));
    this.#post({ type: 'opened' });
  }

  #expect({ expectation, dialler }: Extract<WorkerToPage, { type: 'expect' }>): void {
    const stop = this.#session?.expect(dialler);
    if (stop) this.#expectations.set(expectation, stop);
  }

  #dial({ connection, peerId, metadata }: Extract<WorkerToPage, { type: 'dial' }>): void {
    try {
      if (!this.#session) throw new Error('there is no session');
      this.#session.dial(peerId, metadata, (channel, carrier) => {
        this.#hand(channel, carrier, (handed) => ({ type: 'dialled', connection, handed }));
        this.#watch(connection, carrier);
      });
    } catch (error) {
      this.#post({
        type: 'ended',
        connection,
        reason: messageOf(error),
      });
    }
  }

  /** Runs in the task in which the channel was created: later it can't be transferred any more. */
  #hand(
    channel: RTCDataChannel,
    carrier: ChannelCarrier,
    wrap: (handed: HandedChannel) => PageToWorker,
  ): void {
    try {
      this.#port.postMessage(wrap({ channel }), [channel]);
    } catch {
      const { port1, port2 } = new MessageChannel();
      bridgeChannel(new RtcChannel(channel, carrier), port1);
      this.#port.postMessage(wrap({ port: port2 }), [port2]);
    }
  }

  #watch(connection: number, carrier: ChannelCarrier): void {
    this.#carriers.set(connection, carrier);
    void carrier.terms.then((terms) => this.#post({ type: 'negotiated', connection, terms }));
    void carrier.ended.then((reason) => {
      this.#carriers.delete(connection);
      this.#post({ type: 'ended', connection, reason });
    });
  }

  #post(message: PageToWorker): void {
    this.#port.postMessage(message);
  }
}
