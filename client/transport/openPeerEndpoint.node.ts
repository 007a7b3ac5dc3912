// A peer endpoint in Node and in Deno (which runs the same native module through its Node compatibility).

import type { Clock } from '../../shared/clock.ts';
import { loadPeerJs } from './installWebRtc.node.ts';
import type { PeerEndpoint, PeerJsOptions } from './peerEndpoint.ts';
import { PeerJsEndpoint } from './peerJsEndpoint.ts';
import { PeerJsSession } from './peerJsSession.ts';

/** @throws SignallingRefusedError when the PeerJS server refuses; SignallingError when it does not answer. */
export async function openPeerEndpoint(options: PeerJsOptions, clock?: Clock): Promise<PeerEndpoint> {
  return new PeerJsEndpoint(await PeerJsSession.open(await loadPeerJs(), options, clock));
}
