// The endpoint where PeerJS and the links live in one thread: Node, Deno, and pages that compute without a worker.

import type { ChannelMetadata } from './channelMetadata.ts';
import type { ExpectedDialler, IncomingChannel, PeerEndpoint, RawChannel } from './peerEndpoint.ts';
import type { PeerJsSession } from './peerJsSession.ts';
import { RtcChannel } from './rtcChannel.ts';

export class PeerJsEndpoint implements PeerEndpoint {
  readonly id: string;
  readonly closed: Promise<string>;
  readonly #session: PeerJsSession;

  constructor(session: PeerJsSession) {
    this.#session = session;
    this.id = session.id;
    this.closed = session.closed;
  }

  dial(peerId: string, metadata: ChannelMetadata): RawChannel {
    let dialled: RawChannel | undefined;
    this.#session.dial(peerId, metadata, (channel, carrier) => {
      dialled = new RtcChannel(channel, carrier);
    });
    if (!dialled) throw new Error(`PeerJS made no channel to ${peerId}.`);
    return dialled;
  }

  expect(dialler: ExpectedDialler): () => void {
    return this.#session.expect(dialler);
  }

  useIceServers(servers: readonly RTCIceServer[]): void {
    this.#session.useIceServers(servers);
  }

  onIncoming(accept: (incoming: IncomingChannel) => void): void {
    this.#session.onIncoming((peerId, metadata, channel, carrier) =>
      accept({ peerId, metadata, channel: new RtcChannel(channel, carrier) }),
    );
  }

  close(): Promise<void> {
    this.#session.close();
    return Promise.resolve();
  }
}
