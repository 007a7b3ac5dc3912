// A uniformly random order of all rows that depends on the seed and the row indexes alone: each row gets a key, and
// rows are sorted by it. Rows that don't fit in memory are first dealt to spools by the upper part of the key.

import type * as arrow from 'apache-arrow';
import { concatBatches } from '../../../shared/columns/concatBatches.ts';
import { takeRows } from '../../../shared/columns/takeRows.ts';
import type { Batches, Operator } from '../plan/planNode.ts';
import type { RunContext } from '../plan/runContext.ts';
import { BatchSpool } from '../spool/batchSpool.ts';
import { gather } from './gathered.ts';
import { seededRowHash } from './seededRowHash.ts';

const OUTPUT_ROWS = 65_536;
/** Keys are (hash, index) packed in a double: 32 + 21 bits. */
const MAX_SORTED_ROWS = 2 ** 21;

export function randomShuffleOperator(seed: number): Operator {
  return {
    label: `randomShuffle seed ${seed}`,
    schema: ([input]) => input,
    rowCount: ([rows]) => rows,
    needs: (wanted) => wanted,
    run: ([input], context) => shuffle(input!, seed, context),
  };
}

async function* shuffle(
  input: Batches,
  seed: number,
  context: RunContext,
): AsyncGenerator<arrow.RecordBatch> {
  const gathered = await gather(input, context);
  try {
    if (gathered.batches !== undefined && gathered.rows <= MAX_SORTED_ROWS) {
      const hashes = Uint32Array.from({ length: gathered.rows }, (_, row) => seededRowHash(seed, row));
      yield* inOrder(concatBatches(gathered.batches), hashes);
      return;
    }
    yield* dealt(gathered.read(), gathered.rows, seed, context);
  } finally {
    await gathered.close();
  }
}

function* inOrder(batch: arrow.RecordBatch, hashes: Uint32Array): Generator<arrow.RecordBatch> {
  if (batch.numRows === 0) return;
  const keys = Float64Array.from(hashes, (hash, row) => hash * MAX_SORTED_ROWS + row).sort();
  const order = Int32Array.from(keys, (key) => key % MAX_SORTED_ROWS);
  for (let start = 0; start < order.length; start += OUTPUT_ROWS) {
    yield takeRows(batch, order.subarray(start, start + OUTPUT_ROWS));
  }
}

/** About half of the sortable rows a spool, so that uneven dealing never overfills one. */
async function* dealt(
  input: Batches,
  rows: number,
  seed: number,
  context: RunContext,
): AsyncGenerator<arrow.RecordBatch> {
  const count = Math.min(256, Math.max(2, Math.ceil(rows / (MAX_SORTED_ROWS / 8))));
  const spools: BatchSpool[] = [];
  const hashes = Array.from({ length: count }, () => [] as Uint32Array[]);
  try {
    while (spools.length < count) spools.push(await BatchSpool.create(context.tempFolder));
    let firstRow = 0;
    for await (const batch of input) {
      const byspool = deal(batch.numRows, firstRow, seed, count);
      for (const [s, { indices, keys }] of byspool.entries()) {
        if (indices.length === 0) continue;
        await spools[s]!.append(takeRows(batch, Int32Array.from(indices)));
        hashes[s]!.push(Uint32Array.from(keys));
      }
      firstRow += batch.numRows;
    }
    for (const [s, spool] of spools.entries()) {
      const batches: arrow.RecordBatch[] = [];
      for await (const batch of spool.read()) batches.push(batch);
      yield* inOrder(concatBatches(batches), joined(hashes[s]!));
      await spool.close();
    }
  } finally {
    for (const spool of spools) await spool.close();
  }
}

function deal(
  rows: number,
  firstRow: number,
  seed: number,
  count: number,
): { indices: number[]; keys: number[] }[] {
  const out = Array.from({ length: count }, () => ({ indices: [] as number[], keys: [] as number[] }));
  for (let i = 0; i < rows; i++) {
    const hash = seededRowHash(seed, firstRow + i);
    const target = out[Math.floor((hash * count) / 0x1_0000_0000)]!;
    target.indices.push(i);
    target.keys.push(hash);
  }
  return out;
}

function joined(parts: readonly Uint32Array[]): Uint32Array {
  const out = new Uint32Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
