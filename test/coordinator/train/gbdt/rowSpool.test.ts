import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { RawBlock, type BlockLayout } from '../../../../coordinator/train/gbdt/rawBlock.ts';
import { RowSpool } from '../../../../coordinator/train/gbdt/rowSpool.ts';

const FEATURES = 1000;
/** Every 300th feature holds categories. */
const layout: BlockLayout = {
  categorical: Array.from({ length: FEATURES }, (_, feature) => feature % 300 === 299),
  weighted: true,
};
const valueOf = (row: number, feature: number): number => row * FEATURES + feature;

async function spooled(rows: number): Promise<RowSpool> {
  const spool = await RowSpool.create(tmpdir(), layout);
  const block = new RawBlock(layout);
  for (let first = 0; first < rows; first += block.capacity) {
    block.rows = Math.min(block.capacity, rows - first);
    for (let row = 0; row < block.rows; row++) {
      for (const [feature, values] of block.features.entries()) values[row] = valueOf(first + row, feature);
      block.weights![row] = first + row + 0.5;
    }
    await spool.append(block);
  }
  return spool;
}

async function readCounter(): Promise<() => number> {
  const file = await open(import.meta.filename);
  const reads = vi.spyOn(Object.getPrototypeOf(file) as typeof file, 'read');
  await file.close();
  return () => reads.mock.calls.length;
}

describe('Columns of rows that are kept on disk', () => {
  afterEach(() => void vi.restoreAllMocks());

  it('have the values of all blocks, in any order of features', async () => {
    const rows = new RawBlock(layout).capacity + 7;
    const spool = await spooled(rows);
    const wanted = [998, 3, 4, 5, 600, 0];
    const found: number[][] = wanted.map(() => []);
    const weights: number[] = [];
    for await (const piece of spool.columns(wanted)) {
      for (const [i, column] of piece.columns.entries()) found[i]!.push(...column);
      weights.push(...piece.weights!);
    }
    await spool.close();
    const all = [...Array(rows).keys()];
    expect(found).toEqual(wanted.map((feature) => all.map((row) => valueOf(row, feature)).map(Math.fround)));
    expect(weights).toEqual(all.map((row) => row + 0.5));
  });

  it('are read in one piece where they lie side by side', async () => {
    const spool = await spooled(100);
    const count = await readCounter();
    const wanted = [...Array(128).keys()];
    for await (const { columns } of spool.columns(wanted)) expect(columns).toHaveLength(128);
    // The features of the only block, and its weights.
    expect(count()).toBe(2);
    await spool.close();
  });
});
