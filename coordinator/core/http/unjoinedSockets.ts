// WebSockets of which it is not known yet who is at the other end: few in all, fewer from one address.

import type { IncomingMessage } from 'node:http';
import { AddressShares, isOwnMachine, type GiveBack, type ShareLimits } from '../../bounds/addressShares.ts';
import type { TrustedProxies } from './proxies.ts';
import { TooManyConnectionsError } from '../../http/httpErrors.ts';

/** A whole class that opens the link at once fits, as do all workers that come back after a restart, within seconds. */
const LIMITS: ShareLimits = { inAll: 1024, byAddress: 256 };

export class UnjoinedSockets {
  readonly #proxies: TrustedProxies;
  readonly #shares: AddressShares;

  constructor(proxies: TrustedProxies, limits: ShareLimits = LIMITS) {
    this.#proxies = proxies;
    this.#shares = new AddressShares(
      limits,
      (address) => isOwnMachine(address) || proxies.isTrusted(address),
    );
  }

  /**
   * Counts a socket until the returned function is called: when it has joined, or is closed.
   * @throws TooManyConnectionsError
   */
  admit(request: IncomingMessage): GiveBack {
    const address = this.#proxies.clientAddress(request);
    const place = this.#shares.take(address);
    if (typeof place === 'function') return place;
    const { inAll, byAddress } = this.#shares.limits;
    throw new TooManyConnectionsError(
      place === 'full'
        ? `There are ${inAll} sockets that have not joined yet, as many as are accepted; try again later`
        : `There are ${byAddress} sockets from ${address} that have not joined yet, as many as are accepted; try again later`,
    );
  }
}
