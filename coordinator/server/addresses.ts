// Under which names a coordinator is reached, derived from where it listens.

import { networkInterfaces } from 'node:os';

const loopbackHosts = ['127.0.0.1', 'localhost', '[::1]'];

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
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

export function coordinatorAddresses(
  host: string,
  port: number,
  publicUrl: string | undefined,
  joinToken: string | undefined,
): Addresses {
  const everywhere = host === '0.0.0.0' || host === '::';
  const url = `http://${everywhere ? '127.0.0.1' : inUrl(host)}:${port}`;
  const outside =
    publicUrl ?? (everywhere ? `http://${inUrl(firstOutsideAddress() ?? '127.0.0.1')}:${port}` : url);
  const fragment = joinToken === undefined ? '' : `#token=${encodeURIComponent(joinToken)}`;
  return { url, joinUrl: `${outside.replace(/\/+$/, '')}/join${fragment}` };
}

/** Names that requests may be addressed to; any, for a coordinator that listens beyond this machine. */
export function allowedHosts(host: string, publicUrl: string | undefined): readonly string[] | undefined {
  if (!isLoopback(host)) return undefined;
  return [...loopbackHosts, inUrl(host), ...(publicUrl === undefined ? [] : [new URL(publicUrl).hostname])];
}

function firstOutsideAddress(): string | undefined {
  return Object.values(networkInterfaces())
    .flat()
    .find((address) => address && !address.internal && address.family === 'IPv4')?.address;
}
