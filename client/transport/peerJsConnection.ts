// PeerJS's data connection without PeerJS's own buffering: it hands out the RTCDataChannel in the task that created it,
// which is the only one in which a browser lets it be transferred to a worker, and it holds ICE candidates back until
// there is a description they belong to (they may overtake it, and would be lost).

import type * as PeerJs from 'peerjs';
import type { BufferedConnection, Peer } from 'peerjs';
import { deferred } from './deferred.ts';
import type { ChannelCarrier } from './rtcChannel.ts';

type SignallingMessage = Parameters<BufferedConnection['handleMessage']>[0];
type ConnectionClass = new (peerId: string, provider: Peer, options: object) => BufferedConnection;

/** Chromium's limit; used where the connection doesn't tell. */
const USUAL_MAX_MESSAGE_BYTES = 256 * 1024;

/** Called in the very task in which the channel was created. */
export type ChannelCreated = (connection: BufferedConnection, channel: RTCDataChannel) => void;

/** @returns The class to register as PeerJS's 'raw' serializer. */
export function connectionClass(peerjs: typeof PeerJs, created: ChannelCreated): ConnectionClass {
  // PeerJS creates the channel of a dialled connection inside its own constructor, before fields of a subclass exist:
  // what a connection has to remember is kept beside it.
  const described = new WeakSet<object>();
  const heldBack = new WeakMap<object, SignallingMessage[]>();

  class PlainConnection extends peerjs.BufferedConnection {
    readonly serialization = 'raw';

    override _initializeDataChannel(channel: RTCDataChannel): void {
      created(this, channel);
    }

    override async handleMessage(message: SignallingMessage): Promise<void> {
      // The answering side has its description since it was constructed.
      const dialled = (this.options as { _payload?: unknown })._payload === undefined;
      if (message.type === peerjs.ServerMessageType.Candidate && dialled && !described.has(this)) {
        heldBack.set(this, [...(heldBack.get(this) ?? []), message]);
        return;
      }
      await super.handleMessage(message);
      if (message.type !== peerjs.ServerMessageType.Answer) return;
      described.add(this);
      for (const candidate of heldBack.get(this) ?? []) await super.handleMessage(candidate);
      heldBack.delete(this);
    }

    protected override _handleDataMessage(): void {}

    protected override _send(): void {}
  }
  return PlainConnection;
}

/** The RTCPeerConnection under a PeerJS connection, reduced to what a channel needs of it. */
export function carrierOf(connection: BufferedConnection): ChannelCarrier {
  const ended = deferred<string>();
  const maxMessageBytes = deferred<number>();
  const underlying = connection.peerConnection;
  const look = (): void => {
    const state = underlying.connectionState;
    if (state === 'connected') {
      maxMessageBytes.resolve(underlying.sctp?.maxMessageSize || USUAL_MAX_MESSAGE_BYTES);
    }
    if (state === 'failed' || state === 'closed') ended.resolve(`the WebRTC connection ${state}`);
  };
  underlying.addEventListener('connectionstatechange', look);
  connection.on('error', (error) => ended.resolve(error.message));
  connection.on('close', () => ended.resolve('the connection was closed'));
  look();
  return { maxMessageBytes: maxMessageBytes.promise, ended: ended.promise, close: () => connection.close() };
}
