// What a member says that it heard, in tests: a letter stands for what a member sent.

import { DIGEST_CHARACTERS, type HeardGathers } from '../../../../shared/protocol/control.ts';

/** @param letters of each member, by rank. */
export function afterGather(gathers: number, letters: string): HeardGathers {
  const digest = (letter: string): string =>
    letter
      .charCodeAt(0)
      .toString(16)
      .padStart(2, '0')
      .repeat(DIGEST_CHARACTERS / 2);
  return { gathers, digests: Array.from(letters, digest).join('') };
}
