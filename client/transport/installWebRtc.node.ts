// What PeerJS expects of a browser, put on globalThis in Node and Deno before PeerJS is first imported: it looks around
// while it is being loaded. WebRTC is libdatachannel (node-datachannel).

import type * as PeerJs from 'peerjs';
import { WebSocket } from 'ws';

/**
 * PeerJS tries WebRTC out while it loads, with the STUN and TURN servers of its own cloud. libdatachannel would contact
 * them at once, so it gets to see this instead.
 */
class ProbedConnection {
  createDataChannel(): object {
    return { ordered: true, binaryType: 'arraybuffer', close: () => undefined };
  }

  close(): void {}
}

/** PeerJS listens for `close` alone; an `error` without a listener would end a Node process. */
class QuietWebSocket extends WebSocket {
  constructor(address: string) {
    super(address);
    this.on('error', () => undefined);
  }
}

/**
 * @returns PeerJS. Can be called any number of times. Rejects where there is no build of libdatachannel; WebSocket is
 *   there nevertheless, so that the relay can be used.
 */
export async function loadPeerJs(): Promise<typeof PeerJs> {
  const globals = globalThis as unknown as Record<string, unknown>;
  // Node 20 has neither of these two; Deno and later Nodes do.
  globals['navigator'] ??= { userAgent: 'node', platform: '' };
  globals['WebSocket'] ??= QuietWebSocket;
  const webrtc = await import('node-datachannel/polyfill');
  globals['RTCSessionDescription'] = webrtc.RTCSessionDescription;
  globals['RTCIceCandidate'] = webrtc.RTCIceCandidate;
  globals['RTCPeerConnection'] = ProbedConnection;
  try {
    const loaded: Partial<typeof PeerJs> = await import('peerjs');
    // Its CommonJS build, which Node and Deno load, shows its names only inside the default export on some loaders.
    return (loaded.BufferedConnection ? loaded : loaded.default) as typeof PeerJs;
  } finally {
    globals['RTCPeerConnection'] = webrtc.RTCPeerConnection;
  }
}
