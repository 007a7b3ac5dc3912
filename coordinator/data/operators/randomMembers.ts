// Chooses exactly n of N rows at random by a rule that each row can be tested with on its own, in one streaming pass.

import type * as arrow from 'apache-arrow';
import { takeRows } from '../../../shared/columns/takeRows.ts';
import type { Batches, Operator } from '../plan/planNode.ts';
import { seededRowHash } from './seededRowHash.ts';

/** The n rows with the smallest (hash, index) are members; this is the greatest of these pairs. */
export interface MemberRule {
  readonly seed: number;
  readonly hash: number;
  readonly row: number;
}

const BUCKETS = 65_536;

/** Memory: one counter per bucket, and the rows of the one bucket in which the threshold falls. */
export function memberRule(seed: number, members: number, rows: number): MemberRule {
  if (members <= 0) return { seed, hash: -1, row: -1 };
  const counts = new Uint32Array(BUCKETS);
  for (let row = 0; row < rows; row++) counts[seededRowHash(seed, row) >>> 16]!++;
  let bucket = 0;
  let before = 0;
  while (bucket < BUCKETS - 1 && before + counts[bucket]! < members) before += counts[bucket++]!;
  const candidates: { hash: number; row: number }[] = [];
  for (let row = 0; row < rows; row++) {
    const hash = seededRowHash(seed, row);
    if (hash >>> 16 === bucket) candidates.push({ hash, row });
  }
  candidates.sort((a, b) => a.hash - b.hash || a.row - b.row);
  const last = candidates[Math.min(members - before, candidates.length) - 1]!;
  return { seed, ...last };
}

function isMember({ seed, hash, row: lastRow }: MemberRule, row: number): boolean {
  const own = seededRowHash(seed, row);
  return own < hash || (own === hash && row <= lastRow);
}

/** Keeps the members, or all others; rows stay in their order. */
export function memberOperator(
  label: string,
  rule: () => Promise<MemberRule>,
  keepMembers: boolean,
): Operator {
  return {
    label,
    schema: ([input]) => input,
    rowCount: () => undefined,
    needs: (wanted) => wanted,
    run: ([input]) => keep(input!, rule, keepMembers),
  };
}

async function* keep(
  input: Batches,
  rule: () => Promise<MemberRule>,
  keepMembers: boolean,
): AsyncGenerator<arrow.RecordBatch> {
  const known = await rule();
  let firstRow = 0;
  for await (const batch of input) {
    const indices = new Int32Array(batch.numRows);
    let kept = 0;
    for (let i = 0; i < batch.numRows; i++)
      if (isMember(known, firstRow + i) === keepMembers) indices[kept++] = i;
    firstRow += batch.numRows;
    if (kept > 0) yield takeRows(batch, indices.subarray(0, kept));
  }
}
