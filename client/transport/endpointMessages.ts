// What a page and its compute worker say to each other about connections. Both are one release of one program.

import type { ChannelMetadata } from './channelMetadata.ts';
import type { ChannelTerms, ExpectedDialler, PeerJsOptions } from './peerEndpoint.ts';

/** A data channel that was transferred, or a port to one that could not be. */
export type HandedChannel = { readonly channel: RTCDataChannel } | { readonly port: MessagePort };

/** `connection` numbers one connection; the worker counts up for those it dials, the page counts down for the others. */
export type WorkerToPage =
  | { readonly type: 'open'; readonly options: Omit<PeerJsOptions, 'signal'> }
  | {
      readonly type: 'dial';
      readonly connection: number;
      readonly peerId: string;
      readonly metadata: ChannelMetadata;
    }
  /** `expectation` numbers one, so that it can be ended. */
  | { readonly type: 'expect'; readonly expectation: number; readonly dialler: ExpectedDialler }
  | { readonly type: 'expectNoMore'; readonly expectation: number }
  | { readonly type: 'iceServers'; readonly iceServers: readonly RTCIceServer[] }
  | { readonly type: 'drop'; readonly connection: number }
  | { readonly type: 'close' };

export type PageToWorker =
  | { readonly type: 'opened' }
  /** `final`: trying again changes nothing. */
  | { readonly type: 'refused'; readonly message: string; readonly final: boolean }
  | { readonly type: 'dialled'; readonly connection: number; readonly handed: HandedChannel }
  | {
      readonly type: 'incoming';
      readonly connection: number;
      readonly peerId: string;
      readonly metadata: unknown;
      readonly handed: HandedChannel;
    }
  | { readonly type: 'negotiated'; readonly connection: number; readonly terms: ChannelTerms }
  | { readonly type: 'ended'; readonly connection: number; readonly reason: string }
  | { readonly type: 'closed'; readonly reason: string };
