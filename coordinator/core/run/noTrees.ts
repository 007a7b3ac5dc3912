import type { TreesReading } from './runKind.ts';

/** For kinds of runs that have no trees. */
export function noTrees(_spec: unknown, trees: readonly unknown[]): TreesReading {
  return trees.length === 0 ? { sha256: '', sizeBytes: 0 } : { error: 'a run of this kind has no trees' };
}
