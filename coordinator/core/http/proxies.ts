// What proxies in front say about a request: whom they ask for, and by which name. Anybody can write such headers, so that
// only those of known proxies are believed.

import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { TabgradError } from '../../../kernels/errors.ts';

/** An address or network of a trusted proxy is none. */
class ProxySettingError extends TabgradError {
  readonly code = 'PROXY_SETTING_INVALID';
}

/** A longer list was not written by proxies. */
const MAX_HOPS = 32;

export class TrustedProxies {
  readonly #networks = new BlockList();
  readonly #isEmpty: boolean;

  /**
   * @param trusted addresses, networks like 10.0.0.0/8, or "loopback".
   * @throws ProxySettingError naming what is neither.
   */
  constructor(trusted: readonly string[]) {
    this.#isEmpty = trusted.length === 0;
    for (const text of trusted.map((one) => one.trim())) {
      if (text === 'loopback') {
        this.#networks.addSubnet('127.0.0.0', 8, 'ipv4');
        this.#networks.addAddress('::1', 'ipv6');
        continue;
      }
      const [address = '', bits, ...more] = text.split('/');
      const version = isIP(address);
      const widest = version === 4 ? 32 : 128;
      const prefix = bits === undefined ? widest : /^\d{1,3}$/.test(bits) ? Number(bits) : NaN;
      if (version === 0 || more.length > 0 || !(prefix <= widest)) {
        throw new ProxySettingError(
          `"${text.slice(0, 100)}" is no proxy to trust; expected an address, a network like 10.0.0.0/8, or loopback.`,
          { field: 'trust-proxy' },
        );
      }
      this.#networks.addSubnet(address, prefix, version === 4 ? 'ipv4' : 'ipv6');
    }
  }

  /** The address that the request came from, seen from outside of the proxies. */
  clientAddress(request: IncomingMessage): string {
    const nearest = request.socket.remoteAddress ?? 'an unknown address';
    if (!this.isTrusted(nearest)) return nearest;
    // Each proxy adds whom it was asked by at the end: the last one that is no proxy of ours is the client.
    const hops = listOf(request.headers['x-forwarded-for']).slice(-MAX_HOPS).reverse();
    let client = nearest;
    for (const hop of hops) {
      if (isIP(hop) === 0) break;
      client = hop;
      if (!this.isTrusted(hop)) break;
    }
    return client;
  }

  /** The host (and port) that the client asked for. */
  host(request: IncomingMessage): string | undefined {
    const { host } = request.headers;
    if (!this.isTrusted(request.socket.remoteAddress ?? '')) return host;
    return listOf(request.headers['x-forwarded-host']).at(-1) ?? host;
  }

  /** Whether a proxy of ours is at that address. */
  isTrusted(address: string): boolean {
    if (this.#isEmpty) return false;
    // IPv4 on a socket that takes both is written as ::ffff:1.2.3.4.
    const bare = address.replace(/^::ffff:(?=[\d.]+$)/, '');
    const version = isIP(bare);
    return version !== 0 && this.#networks.check(bare, version === 4 ? 'ipv4' : 'ipv6');
  }
}

function listOf(header: string | string[] | undefined): string[] {
  const text = Array.isArray(header) ? header.join(',') : (header ?? '');
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
