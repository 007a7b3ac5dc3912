// Moving the rows of a node to its children: a stable partition of its stretch of the order.

import { columnOf, orderOf, rangesOf, rowsInOrder } from './block';

/** Bytes of a split: 0 node, 4 left, 8 right, 12 feature; its route (256 bytes, 1 for left) stands in a list of routes. */
export const SPLIT_BYTES: usize = 16;

/** @returns where the rows that go right begin. */
function splitRows(
  source: usize,
  order: usize,
  scratch: usize,
  column: usize,
  route: usize,
  begin: u32,
  end: u32,
): u32 {
  let left = order + 4 * <usize>begin;
  let right = scratch;
  const last = source + 4 * <usize>end;
  for (let at = source + 4 * <usize>begin; at < last; at += 4) {
    // Written to both sides; only the side the row goes to advances, so there is no branch to mispredict.
    const row = load<u32>(at);
    store<u32>(left, row);
    store<u32>(right, row);
    const step: usize = 4 * <usize>load<u8>(route + <usize>load<u8>(column + <usize>row));
    left += step;
    right += 4 - step;
  }
  memory.copy(left, scratch, right - scratch);
  return <u32>((left - order) >> 2);
}

/** Carries out `count` splits on a block. `scratch` holds the block's rows. */
export function partitionBlock(
  block: usize,
  splits: usize,
  routes: usize,
  count: u32,
  identity: usize,
  scratch: usize,
): void {
  const ranges = rangesOf(block);
  for (let i: u32 = 0; i < count; i += 1) {
    const split = splits + SPLIT_BYTES * <usize>i;
    const range = ranges + 8 * <usize>load<u32>(split);
    const begin = load<u32>(range);
    const end = load<u32>(range, 4);
    const middle = splitRows(
      rowsInOrder(block, identity),
      orderOf(block),
      scratch,
      columnOf(block, load<u32>(split, 12)),
      routes + 256 * <usize>i,
      begin,
      end,
    );
    store<u64>(range, 0);
    const left = ranges + 8 * <usize>load<u32>(split, 4);
    store<u32>(left, begin);
    store<u32>(left, middle, 4);
    const right = ranges + 8 * <usize>load<u32>(split, 8);
    store<u32>(right, middle);
    store<u32>(right, end, 4);
  }
}
