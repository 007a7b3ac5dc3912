// By which address and admin token an owner's program talks to a coordinator.

import { readJoinLink } from './joinLink.ts';
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
