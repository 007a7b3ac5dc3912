// Finds the tokens of a coordinator that this user started on this machine.

import { hostname, networkInterfaces } from 'node:os';
import { isLoopback } from '../../core/http/addresses.ts';
import { isAlive } from './publishTokens.ts';
import {
  checkTokenFile,
  readTokenFiles,
  tokenFolder,
  type Environment,
  type TokenFile,
} from './tokenFile.ts';

export interface KnownCoordinator {
  /** Where to ask it: by an address that is surely its own. */
  readonly url: string;
  readonly adminToken: string;
  readonly joinToken: string;
}

/**
 * The coordinator at an address, if it is one of this user's on this machine and lives. Tokens are given out only for
 * addresses where no other account's program can answer in its place.
 * @throws TokenFileError
 */
export async function knownCoordinator(
  url: string,
  env: Environment = process.env,
): Promise<KnownCoordinator | undefined> {
  for (const found of await readTokenFiles(tokenFolder(env))) {
    const { path, content } = found;
    const askedAt = content.machine === hostname() ? addressOf(content, url, ownAddresses()) : undefined;
    if (askedAt === undefined || !isAlive(path)) continue;
    checkTokenFile(found);
    return { url: askedAt, adminToken: content.adminToken, joinToken: content.joinToken };
  }
  return undefined;
}

/**
 * Where to ask the coordinator that `wanted` stands for, if it is this one.
 * @param own addresses of this machine.
 */
export function addressOf(
  { url, publicUrl, host }: Pick<TokenFile, 'host' | 'publicUrl' | 'url'>,
  wanted: string,
  own: readonly string[],
): string | undefined {
  if (plain(url) === plain(wanted)) return wanted;
  // Without a certificate nothing says who answers by a name.
  if (publicUrl?.startsWith('https:') === true && plain(publicUrl) === plain(wanted)) return wanted;
  const target = new URL(wanted);
  const listening = new URL(url);
  if (target.protocol !== listening.protocol || portOf(target) !== portOf(listening)) return undefined;
  if (target.pathname !== '/') return undefined;
  const name = target.hostname.replace(/^\[(.*)\]$/, '$1');
  const isEverywhere = host === '0.0.0.0' || host === '::';
  if (name === 'localhost' && (isEverywhere || isLoopback(host))) {
    // The name stands for two addresses, and another program may listen on the one of IPv6. A certificate tells them apart.
    return target.protocol === 'https:' ? wanted : url;
  }
  const isReached = isEverywhere
    ? own.includes(name) && (host === '::' || !name.includes(':'))
    : name === host;
  return isReached ? wanted : undefined;
}

function plain(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname.replace(/\/+$/, '')}`;
}

function portOf({ port, protocol }: URL): string {
  return port === '' ? (protocol === 'https:' ? '443' : '80') : port;
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
}
