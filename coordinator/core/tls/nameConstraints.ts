// For whom an authority may vouch (RFC 5280, 4.2.1.10). One that is made here is installed on machines of volunteers: with
// its key anybody could pretend to be any site to them, were it not held to the names of one machine and to private
// networks.

import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { elementsIn, implicit, sequence, tagged, tags } from './der.ts';

export interface NameConstraints {
  /** Names that certificates may be for, and whatever ends with "." and one of them. */
  readonly names: readonly string[];
  /** What they may not be for, in spite of that: ".x" is everything below the name x. */
  readonly excludedNames: readonly string[];
  /** Networks whose addresses certificates may be for, e.g. "10.0.0.0/8". */
  readonly networks: readonly string[];
}

const OID = Buffer.from('0603551d1e', 'hex');
const LOCAL_NAMES = ['localhost', 'local'];
/** Private (RFC 1918, RFC 4193), shared behind a provider's NAT (RFC 6598), loopback and link-local addresses. */
const LOCAL_NETWORKS = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '100.64.0.0/10',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
];

/** Constraints for local networks and for `names`; those of an earlier authority, if given, stay possible. */
export function constraintsFor(names: readonly string[], earlier?: NameConstraints): NameConstraints {
  const local = { names: LOCAL_NAMES, excludedNames: [], networks: LOCAL_NETWORKS };
  const further = names.filter((name) => !isPermitted(local, name));
  const permitted = new Set([
    ...LOCAL_NAMES,
    ...(earlier?.names ?? []),
    ...further.filter((name) => isIP(name) === 0).map((name) => name.toLowerCase()),
  ]);
  const networks = further.filter((name) => isIP(name) !== 0).map(networkOf);
  // A machine called "dev" may vouch for itself, and not for all sites that end with it.
  const excluded = [...permitted].filter((name) => !name.includes('.') && !LOCAL_NAMES.includes(name));
  return {
    names: [...permitted],
    excludedNames: excluded
      .map((name) => `.${name}`)
      .filter((suffix) => ![...permitted].some((name) => name.endsWith(suffix))),
    networks: [...new Set([...LOCAL_NETWORKS, ...(earlier?.networks ?? []), ...networks])],
  };
}

/** Whether a certificate for `name`, a host name or an address without brackets, is possible. */
export function isPermitted({ names, excludedNames, networks }: NameConstraints, name: string): boolean {
  if (isIP(name) !== 0) return networks.some((network) => isWithin(network, addressBytes(name)));
  const wanted = name.toLowerCase();
  return (
    names.some((one) => wanted === one || wanted.endsWith(`.${one}`)) &&
    !excludedNames.some((suffix) => wanted.endsWith(suffix))
  );
}

/** The value of the extension. */
export function encodeConstraints({ names, excludedNames, networks }: NameConstraints): Buffer {
  const dnsName = (name: string): Buffer => sequence(implicit(2, Buffer.from(name, 'ascii')));
  const excluded = excludedNames.map(dnsName);
  return sequence(
    tagged(0, ...names.map(dnsName), ...networks.map((network) => sequence(implicit(7, encoded(network))))),
    ...(excluded.length > 0 ? [tagged(1, ...excluded)] : []),
  );
}

/** What a certificate of ours may vouch for; undefined where it has no constraints that are critical. */
export function constraintsOf({ raw }: X509Certificate): NameConstraints | undefined {
  const at = raw.indexOf(OID);
  if (at < 0) return undefined;
  const [critical, value] = elementsIn(raw.subarray(at + OID.byteLength));
  if (critical?.tag !== tags.boolean || value?.tag !== tags.octetString) return undefined;
  const [outer] = elementsIn(value.content);
  const names: string[] = [];
  const excludedNames: string[] = [];
  const networks: string[] = [];
  for (const { tag, content } of elementsIn(outer?.content ?? Buffer.alloc(0))) {
    for (const subtree of elementsIn(content)) {
      const [general] = elementsIn(subtree.content);
      if (general?.tag === 0x82)
        (tag === 0xa0 ? names : excludedNames).push(general.content.toString('ascii'));
      if (general?.tag === 0x87 && tag === 0xa0) networks.push(decoded(general.content));
    }
  }
  return { names, excludedNames, networks };
}

/** The address alone; of public IPv6 the subnet, in which machines take new addresses every day (RFC 8981). */
function networkOf(address: string): string {
  const bytes = addressBytes(address);
  if (bytes.byteLength === 4) return `${address}/32`;
  const isPublic = bytes[0]! >> 5 === 1;
  return isPublic ? `${addressText(masked(bytes, 64))}/64` : `${addressText(bytes)}/128`;
}

function masked(bytes: Uint8Array, bits: number): Buffer {
  return Buffer.from(bytes.map((byte, at) => byte & maskByte(at, bits)));
}

function maskByte(at: number, bits: number): number {
  return (0xff << (8 - Math.min(8, Math.max(0, bits - 8 * at)))) & 0xff;
}

function isWithin(network: string, address: Buffer): boolean {
  const { bytes, bits } = parsed(network);
  return bytes.byteLength === address.byteLength && masked(address, bits).equals(bytes);
}

function parsed(network: string): { readonly bytes: Buffer; readonly bits: number } {
  const [address = '', bits] = network.split('/');
  return { bytes: addressBytes(address), bits: Number(bits) };
}

/** Address and mask, 8 or 32 bytes. */
function encoded(network: string): Buffer {
  const { bytes, bits } = parsed(network);
  return Buffer.concat([bytes, Buffer.from(bytes.map((_, at) => maskByte(at, bits)))]);
}

function decoded(content: Buffer): string {
  const half = content.byteLength / 2;
  const bits = [...content.subarray(half)].reduce(
    (sum, byte) => sum + byte.toString(2).replaceAll('0', '').length,
    0,
  );
  return `${addressText(content.subarray(0, half))}/${bits}`;
}

/** The 4 or 16 bytes of an address without brackets. */
export function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  // The URL parser turns an IPv4 tail into hexadecimal groups.
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [before = '', after] = groups.split('::');
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return Buffer.from([...head, ...zeros, ...tail].map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/** The address of 4 or 16 bytes as text. */
function addressText(bytes: Uint8Array): string {
  if (bytes.byteLength === 4) return bytes.join('.');
  const groups = Buffer.from(bytes).toString('hex').match(/.{4}/g) ?? [];
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
