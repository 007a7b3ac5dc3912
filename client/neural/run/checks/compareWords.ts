// Whether members contradict one another in what they sent: found in the very step, before it changes the state.

import type { Collective } from '../../../../shared/collective/collective.ts';
import { PeerMessageError } from '../../../../shared/collective/peerMessage.ts';
import type { StepWord } from './stepWord.ts';

/**
 * @param words by rank.
 * @param received digests of what each rank sent to this member.
 * @throws PeerMessageError naming who sent this member something else than it says, or sums that differ from member to member.
 */
export function compareWords(
  words: readonly StepWord[],
  received: readonly string[],
  { rank, members }: Pick<Collective, 'rank' | 'members'>,
): void {
  const senders = ranksWhere(words, (word, from) => word.sent[rank] !== received[from]);
  if (senders.length > 0) throw contradiction('sent another piece than it says', senders, members);
  // An owner's own word on its part counts: who has another sum was sent it, or lies.
  const own = words[rank]!;
  const owners = ranksWhere(words, (word, part) => own.sums[part] !== word.sums[part]);
  if (owners.length > 0) throw contradiction('sent another sum than it says', owners, members);
  // One of two lies then, and it is not known which.
  const parts = own.sums.flatMap((digest, part) =>
    words.some(({ sums }) => sums[part] !== digest) ? [part] : [],
  );
  const listeners = ranksWhere(words, ({ sums }) => parts.some((part) => sums[part] !== own.sums[part]));
  const both = [...new Set([...listeners, ...parts])].filter((one) => one !== rank);
  if (both.length > 0) throw contradiction('contradict each other in the sums of a step', both, members);
}

function ranksWhere(words: readonly StepWord[], isSo: (word: StepWord, rank: number) => boolean): number[] {
  return words.flatMap((word, rank) => (isSo(word, rank) ? [rank] : []));
}

function contradiction(what: string, ranks: readonly number[], members: readonly string[]): PeerMessageError {
  const ids = ranks.map((rank) => members[rank]!);
  return new PeerMessageError(`Worker ${ids.join(', ')} ${what}`, ids);
}
