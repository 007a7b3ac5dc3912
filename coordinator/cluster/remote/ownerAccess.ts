// By which address and admin token an owner's program talks to a coordinator.

import { knownCoordinator } from './knownCoordinator.ts';

export interface OwnerAccess {
  readonly url: string;
  readonly token: string | undefined;
}

/**
 * By the coordinator's address or its join link. The token that was given, that of TABGRAD_ADMIN_TOKEN, or the one that a coordinator of this user on this machine left.
 * @throws TokenFileError
 */
export async function ownerAccess(
  link: string,
  given: string | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<OwnerAccess> {
  const { url } = readJoinLink(link);
  const token = given ?? (env['TABGRAD_ADMIN_TOKEN'] || undefined);
  if (token !== undefined) return { url, token };
  const known = await knownCoordinator(url, env);
  return { url: known?.url ?? url, token: known?.adminToken };
}

export interface CoordinatorLink {
  /** The coordinator's own address. */
  readonly url: string;
  /** The token in the link's fragment. */
  readonly joinToken?: string;
}

/** Takes http://host:7070/join#token=… and any other address, which stays as it is. */
export function readJoinLink(link: string): CoordinatorLink {
  if (!URL.canParse(link)) return { url: link };
  const { origin, pathname, hash } = new URL(link);
  const isLink = /\/join\/?$/.test(pathname);
  if (!isLink && hash === '') return { url: link };
  const joinToken = new URLSearchParams(hash.slice(1)).get('token');
  const url = origin + pathname.replace(isLink ? /\/join\/?$/ : /\/$/, '');
  return { url, ...(joinToken !== null && joinToken !== '' && { joinToken }) };
}
