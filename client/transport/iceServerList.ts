// STUN and TURN servers as the coordinator's messages have them, made into what WebRTC takes.

import type { CoordinatorMessageOf } from '../../shared/protocol/control.ts';

export function iceServerList(servers: CoordinatorMessageOf<'iceServers'>['iceServers']): RTCIceServer[] {
  // A key without a value is not the same as no key to every implementation.
  return servers.map(({ urls, username, credential }) => ({
    urls,
    ...(username === undefined ? {} : { username }),
    ...(credential === undefined ? {} : { credential }),
  }));
}
