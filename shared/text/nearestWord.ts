// Finds what a mistyped word probably meant, for messages that say "did you mean".

/** What is compared at most: candidates may come from others. */
const MAX_CANDIDATES = 1_000;
const MAX_WORD = 200;

/**
 * The candidate with the smallest edit distance to `word` (case ignored; insertions, deletions, substitutions and
 * transpositions of neighbours count 1 each), or undefined when none is near: more than a third of the word's length
 * away, and at least 1 is always allowed. On ties the earlier candidate. Of very many candidates the first are compared.
 */
export function nearestWord(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > MAX_WORD) return undefined;
  const limit = Math.max(1, Math.floor(word.length / 3));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of candidates.slice(0, MAX_CANDIDATES)) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Optimal string alignment distance. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** @returns the first key that is not among `names`, and words that follow it in a message; undefined where there is none. */
export function unknownKey(
  options: object,
  names: readonly string[],
): { readonly key: string; readonly problem: string } | undefined {
  const key = Object.keys(options).find((one) => !names.includes(one));
  if (key === undefined) return undefined;
  const near = nearestWord(key, names);
  const hint = near === undefined ? `expected one of ${names.join(', ')}` : `did you mean ${near}?`;
  return { key, problem: `is not an option; ${hint}` };
}
