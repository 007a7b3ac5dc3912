// Under which names a coordinator is reached, derived from where it listens.

import { networkInterfaces } from 'node:os';
import { coversHost } from '../tls/certificateNames.ts';

const loopbackHosts = ['127.0.0.1', 'localhost', '[::1]'];

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

/** Whether others than this machine reach a server: by its address, or through a proxy or tunnel. */
export function isShared(host: string, publicUrl: string | undefined, hasProxy = false): boolean {
  return !isLoopback(host) || publicUrl !== undefined || hasProxy;
}

function inUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

export interface Addresses {
  /** For programs on this machine. */
  readonly url: string;
  /** For volunteers; the token, if any, is in the fragment, which browsers don't send and servers don't log. */
  readonly joinUrl: string;
}

export interface Reach {
  readonly host: string;
  readonly port: number;
  readonly publicUrl?: string | undefined;
  /** Goes into the join link; a server that nobody joins has none. */
  readonly joinToken?: string | undefined;
  /** What the certificate is for, on a server that speaks https. */
  readonly certificateNames?: readonly string[] | undefined;
}

export function coordinatorAddresses({
  host,
  port,
  publicUrl,
  joinToken,
  certificateNames,
}: Reach): Addresses {
  const isEverywhere = host === '0.0.0.0' || host === '::';
  const address = (name: string): string =>
    `${certificateNames === undefined ? 'http' : 'https'}://${inUrl(certified(name, certificateNames))}:${port}`;
  const url = address(isEverywhere ? '127.0.0.1' : host);
  const outside = publicUrl ?? (isEverywhere ? address(firstOutsideAddress() ?? '127.0.0.1') : url);
  const fragment = joinToken === undefined ? '' : `#token=${encodeURIComponent(joinToken)}`;
  return { url, joinUrl: `${outside.replace(/\/+$/, '')}/join${fragment}` };
}

/** An address that the certificate is not for is of no use, even on this machine: its first whole name is. */
function certified(host: string, names: readonly string[] | undefined): string {
  if (names === undefined || coversHost(names, host)) return host;
  return names.find((name) => !name.startsWith('*.')) ?? host;
}

/** Names that requests may be addressed to; any, for a coordinator that listens beyond this machine. */
export function allowedHosts(
  host: string,
  publicUrl: string | undefined,
  certificateNames: readonly string[] = [],
): readonly string[] | undefined {
  if (!isLoopback(host)) return undefined;
  const certified = certificateNames.map(inUrl);
  return [
    ...new Set([
      ...loopbackHosts,
      inUrl(host),
      ...certified,
      ...(publicUrl === undefined ? [] : [new URL(publicUrl).hostname]),
    ]),
  ];
}

function firstOutsideAddress(): string | undefined {
  return Object.values(networkInterfaces())
    .flat()
    .find((address) => address && !address.internal && address.family === 'IPv4')?.address;
}
