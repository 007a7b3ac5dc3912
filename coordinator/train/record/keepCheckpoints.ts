// Which checkpoints of a run stay on disk. Ray's rule: the numToKeep best (or most recent), and always the last one.

export interface SavedCheckpoint {
  /** Rounds in its model; also its order in time. */
  readonly rounds: number;
  readonly metrics: Readonly<Record<string, number>>;
}

export interface KeepRule {
  readonly numToKeep?: number | undefined;
  readonly scoreAttribute?: string | undefined;
  readonly scoreOrder: 'max' | 'min';
}

/** Those of `saved` that should be removed. A checkpoint without the score is worse than any with one. */
export function surplusCheckpoints<T extends SavedCheckpoint>(saved: readonly T[], rule: KeepRule): T[] {
  const { numToKeep, scoreAttribute, scoreOrder } = rule;
  if (numToKeep === undefined || saved.length <= numToKeep) return [];
  const last = saved.reduce((a, b) => (b.rounds > a.rounds ? b : a));
  const score = ({ metrics }: T): number => {
    const value = scoreAttribute === undefined ? undefined : metrics[scoreAttribute];
    if (value === undefined || Number.isNaN(value)) return -Infinity;
    return scoreOrder === 'max' ? value : -value;
  };
  const best = [...saved].sort((a, b) => score(b) - score(a) || b.rounds - a.rounds);
  const kept = new Set([...best.slice(0, numToKeep), last]);
  return saved.filter((checkpoint) => !kept.has(checkpoint));
}
