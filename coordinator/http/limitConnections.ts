// How many connections a server takes: in all, and from one address. What is above is dropped without an answer, before
// anything of it is read.

import type { Server } from 'node:net';
import { AddressShares, isOwnMachine, type ShareLimits } from '../bounds/addressShares.ts';

/** @param standsForMany addresses, e.g. of proxies, that are limited in all alone; so is this machine. */
export function limitConnections(
  server: Server,
  limits: ShareLimits,
  standsForMany: (address: string) => boolean = () => false,
): void {
  server.maxConnections = limits.inAll;
  const shares = new AddressShares(limits, (address) => isOwnMachine(address) || standsForMany(address));
  server.on('connection', (socket) => {
    const place = shares.take(socket.remoteAddress ?? '');
    if (typeof place === 'function') socket.once('close', place);
    else socket.destroy();
  });
}
