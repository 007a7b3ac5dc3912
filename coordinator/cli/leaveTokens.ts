// Leaves the tokens of a coordinator for its owner's other commands, where that is possible. It is of use without them, too:
// the owner gives the tokens by the environment then.

import { messageOf } from '../../shared/text/messageOf.ts';
import { publishTokens, type PublishedTokens, type PublishOptions } from '../cluster/remote/publishTokens.ts';
import { TokenFileError } from '../cluster/remote/tokenFile.ts';
import type { Coordinator } from '../core/server/coordinator.ts';

/** @param warn told where there is no file, or it can not follow a change of tokens. */
export async function leaveTokens(
  coordinator: Coordinator,
  options: Omit<PublishOptions, 'onError'>,
  warn: (message: string) => void,
): Promise<PublishedTokens | undefined> {
  const onError = (error: unknown): void =>
    warn(`${messageOf(error)} Give your commands the tokens by TABGRAD_ADMIN_TOKEN and TABGRAD_TOKEN.`);
  try {
    return await publishTokens(coordinator, { ...options, onError });
  } catch (error) {
    if (!(error instanceof TokenFileError)) throw error;
    onError(error);
    return undefined;
  }
}
