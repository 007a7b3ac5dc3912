// The names and addresses that a certificate is for.

import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

/** In the order of the certificate; addresses without brackets. */
export function certificateNames({ subjectAltName = '' }: X509Certificate): string[] {
  return [...subjectAltName.matchAll(/(?:DNS|IP Address):([^\s,]+)/g)].map(([, name]) => name!);
}

/** Whether a certificate for `names` is good for `host`, an address or a name without port. */
export function coversHost(names: readonly string[], host: string): boolean {
  const wanted = canonical(host);
  return names.some(
    (name) =>
      canonical(name) === wanted ||
      // A wildcard stands for one label (RFC 6125, 6.4.3).
      (name.startsWith('*.') && wanted.includes('.') && wanted.slice(wanted.indexOf('.')) === name.slice(1)),
  );
}

function canonical(host: string): string {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  // Certificates write IPv6 addresses in full; URLs shorten them.
  return isIP(bare) === 6 ? new URL(`http://[${bare}]`).hostname.slice(1, -1) : bare;
}
