// What counts as one address: an IPv4 address, or the /64 network of an IPv6 address, since whoever has one of its addresses
// has all of them (RFC 6177, 2).

import { isIP } from 'node:net';

/** The block that an address is in, as text; undefined for text that is no address. */
export function addressBlock(text: string): string | undefined {
  const bare = text
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/%.*$/, '')
    .replace(/\/64$/, '');
  // IPv4 on a socket that takes both is written as ::ffff:1.2.3.4.
  const mapped = /^::ffff:([\d.]+)$/i.exec(bare)?.[1];
  if (mapped !== undefined && isIP(mapped) === 4) return mapped;
  const version = isIP(bare);
  if (version === 4) return text === bare ? bare : undefined;
  if (version !== 6) return undefined;
  const groups = groupsOf(bare).slice(0, 4);
  return `${groups.map((group) => group.toString(16)).join(':')}::/64`;
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  // WHATWG's URL writes an address out in hexadecimal, whatever its form (RFC 5952).
  const written = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = written.split('::');
  const read = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const [before, after] = [read(head), read(tail ?? '')];
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}
