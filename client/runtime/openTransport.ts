// Opens this worker's end of the peer-to-peer network: a PeerJS endpoint where the platform has WebRTC, and the relay
// for peers that can't be reached that way.

import { TabgradError } from '../../kernels/errors.ts';
import type { CoordinatorMessageOf } from '../../shared/protocol/control.ts';
import { createLinkConnector } from '../transport/linkConnector.ts';
import type { PeerEndpoint, PeerJsOptions } from '../transport/peerEndpoint.ts';
import { relayOpener } from '../transport/relayChannel.ts';
import { SignallingRefusedError } from '../transport/transportErrors.ts';
import type { WorkerTransport } from './workerPlatform.ts';

export interface OpenTransportOptions {
  /** Address of the coordinator, e.g. http://127.0.0.1:7070. */
  readonly origin: string;
  readonly welcome: CoordinatorMessageOf<'welcome'>;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

export type OpenPeerEndpoint = (options: PeerJsOptions) => Promise<PeerEndpoint>;

/**
 * @param openEndpoint fails with an error that is not a TabgradError where there is no WebRTC at all. Then, and where the
 *   signalling server refuses this worker for good, all links go through the relay.
 * @throws SignallingError or DeadlineError while the signalling server can't be reached; trying again later may help.
 */
export async function openTransport(
  openEndpoint: OpenPeerEndpoint,
  { origin, welcome, signal, log }: OpenTransportOptions,
): Promise<WorkerTransport> {
  const { workerId, secret, signallingToken, peerServer } = welcome;
  let endpoint: PeerEndpoint | undefined;
  try {
    endpoint = await openEndpoint({
      peerId: workerId,
      coordinatorUrl: origin,
      path: peerServer.path,
      key: peerServer.key,
      token: signallingToken,
      iceServers: iceServerList(welcome.iceServers),
      signal,
    });
  } catch (error) {
    const refused = error instanceof SignallingRefusedError;
    if ((error instanceof TabgradError && !refused) || signal.aborted) throw error;
    const why = refused ? 'Signalling refused this worker' : 'There is no WebRTC here';
    log(`${why}, so everything goes through the relay: ${String(error)}`);
  }
  const openRelay = relayOpener({ coordinatorUrl: origin, workerId, token: secret });
  const onUnproven = (error: Error): void => log(error.message);
  const connector = createLinkConnector({ workerId, endpoint, openRelay, onUnproven });
  return {
    connector,
    peerId: endpoint?.id ?? workerId,
    closed: endpoint?.closed ?? new Promise<never>(() => {}),
    useIceServers: (servers) => endpoint?.useIceServers(iceServerList(servers)),
    close: () => connector.close(),
  };
}

function iceServerList(servers: CoordinatorMessageOf<'iceServers'>['iceServers']): RTCIceServer[] {
  // A key without a value is not the same as no key to every implementation.
  return servers.map(({ urls, username, credential }) => ({
    urls,
    ...(username === undefined ? {} : { username }),
    ...(credential === undefined ? {} : { credential }),
  }));
}
