// Whether members contradict one another in what they sent: seen by all in the very step, before it changes the state.

import type { StepWord } from './stepWord.ts';

/** Ranks of a sender, and of who says that it got something else. One of the two lies. */
export interface Contradiction {
  readonly sender: number;
  readonly receiver: number;
}

/** @param words by rank. */
export function contradictions(words: readonly StepWord[]): Contradiction[] {
  const pairs = words.flatMap((_, sender) => words.map((__, receiver) => ({ sender, receiver })));
  return pairs.filter(({ sender, receiver }) => {
    const [told, got] = [words[sender]!, words[receiver]!];
    return told.sent[receiver] !== got.received[sender] || told.sums[sender] !== got.sums[sender];
  });
}
