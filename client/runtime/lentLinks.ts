// Links whose traffic counts as work of the worker that lends its time: sums, checksums and packing cost as much as they do
// on the device.

import type { ConnectOptions, Link, LinkConnector, PeerAddress } from '../transport/link.ts';
import type { LentTime } from './lentTime.ts';

export function lentConnector(connector: LinkConnector, time: LentTime): LinkConnector {
  return {
    expect: (peers, group) => connector.expect(peers, group),
    async connect(peers: readonly PeerAddress[], options: ConnectOptions) {
      const links = await connector.connect(peers, options);
      return new Map([...links].map(([peer, link]) => [peer, lentLink(link, time)] as const));
    },
    meet: (peers, options) => connector.meet(peers, options),
    close: () => connector.close(),
  };
}

function lentLink(link: Link, time: LentTime): Link {
  return {
    peer: link.peer,
    path: link.path,
    maxMessageBytes: link.maxMessageBytes,
    closed: link.closed,
    get stats() {
      return link.stats;
    },
    send(message) {
      time.watch();
      return link.send(message);
    },
    onMessage(receive) {
      link.onMessage((message) => {
        time.watch();
        receive(message);
      });
    },
    close: (reason) => link.close(reason),
    park: (reason) => (link.park ? link.park(reason) : link.close(reason)),
  };
}
