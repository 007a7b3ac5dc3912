// The work of a level of a tree: rows move to the nodes that were split off, and the nodes that are asked for are summed.

import { gradientsOf, lowGradientsOf } from './block';
import { MERGED_DOUBLES } from './kernelNumbers';
import { addBlock } from './histogram';
import { partitionBlock } from './partition';

// Parameters of all three jobs: 0 blocks (addresses), 4 number of blocks, 8 parts of a block, 12 splits, 16 routes, 20 number of
// splits, 24 identity, 28 scratch, 32 bytes of a thread's scratch, 36 nodes, 40 number of nodes, 44 cells, 48 bytes of a thread's
// cells, 52 bytes of a node's cells, 56 first slots, 60 features, 64 features of a task, 68 marks: [thread] u32, 64 bytes apart,
// 72 number of the job, 76 1 for the low limbs.

function blockAt(p: usize, index: u32): usize {
  return load<u32>(<usize>load<u32>(p) + 4 * <usize>index);
}

function partition(p: usize, block: usize, thread: u32): void {
  const count = load<u32>(p, 20);
  if (count === 0) return;
  const scratch = <usize>load<u32>(p, 28) + <usize>thread * load<u32>(p, 32);
  partitionBlock(block, load<u32>(p, 12), load<u32>(p, 16), count, load<u32>(p, 24), scratch);
}

function gradientsAt(p: usize, block: usize): usize {
  return load<u32>(p, 76) === 0 ? gradientsOf(block) : lowGradientsOf(block);
}

/** Task: carries out the splits on a block. */
export function partitionTask(p: usize, task: u32, thread: u32): void {
  partition(p, blockAt(p, task), thread);
}

/**
 * Task: adds a part of a block to the thread's own cells. Where blocks are whole, the splits are carried out just before, while
 * the block is in the cache.
 */
export function sumRowsTask(p: usize, task: u32, thread: u32): void {
  const parts = load<u32>(p, 8);
  const block = blockAt(p, task / parts);
  if (parts === 1) partition(p, block, thread);
  const cells = <usize>load<u32>(p, 44) + <usize>thread * load<u32>(p, 48);
  const mark = <usize>load<u32>(p, 68) + 64 * <usize>thread;
  if (load<u32>(mark) !== load<u32>(p, 72)) {
    store<u32>(mark, load<u32>(p, 72));
    memory.fill(cells, 0, load<u32>(p, 48));
  }
  addBlock(
    block,
    gradientsAt(p, block),
    load<u32>(p, 36),
    load<u32>(p, 40),
    task % parts,
    parts,
    load<u32>(p, 24),
    cells,
    load<u32>(p, 52),
    load<u32>(p, 56),
    0,
    load<u32>(p, 60),
  );
}

/** Task: sums some features of all blocks, into cells that the tasks share. For many features. */
export function sumFeaturesTask(p: usize, task: u32): void {
  const step = load<u32>(p, 64);
  const begin = task * step;
  const end = min<u32>(load<u32>(p, 60), begin + step);
  const cells = <usize>load<u32>(p, 44);
  const nodes = load<u32>(p, 40);
  const nodeBytes = <usize>load<u32>(p, 52);
  const first = <usize>load<u32>(p, 56);
  const from: usize = 16 * <usize>load<u32>(first + 4 * <usize>begin);
  const to: usize = 16 * <usize>load<u32>(first + 4 * <usize>end);
  for (let i: usize = 0; i < <usize>nodes; i += 1) memory.fill(cells + nodeBytes * i + from, 0, to - from);
  for (let index: u32 = 0; index < load<u32>(p, 4); index += 1) {
    const block = blockAt(p, index);
    const gradients = gradientsAt(p, block);
    const list = <usize>load<u32>(p, 36);
    addBlock(block, gradients, list, nodes, 0, 1, load<u32>(p, 24), cells, nodeBytes, first, begin, end);
  }
}

/** Task: adds to the cells of one thread those of others. Parameters: 0 cells, 4 doubles, 8 others (addresses), 12 their number. */
export function mergeTask(p: usize, task: u32): void {
  const first: usize = 8 * <usize>(task * <u32>MERGED_DOUBLES);
  const end = min<usize>(<usize>8 * <usize>load<u32>(p, 4), first + <usize>8 * <usize>MERGED_DOUBLES);
  const cells = <usize>load<u32>(p);
  for (let i: u32 = 0; i < load<u32>(p, 12); i += 1) {
    const other = <usize>load<u32>(<usize>load<u32>(p, 8) + 4 * <usize>i);
    // Cells are pairs.
    for (let at = first; at < end; at += 16) {
      v128.store(cells + at, f64x2.add(v128.load(cells + at), v128.load(other + at)));
    }
  }
}
