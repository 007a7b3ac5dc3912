// A block of rows as the kernels find it: words of 32 bits at its address, which kernels/gbdt/wasm/wasmBlock.ts writes.

export function rowsOf(block: usize): u32 {
  return load<u32>(block);
}

/** Global id of the first row, modulo 2^32. */
export function firstRowOf(block: usize): u32 {
  return load<u32>(block, 4);
}

/** [row][feature]: one byte a slot, rows of rowBytesOf bytes. */
export function slotsOf(block: usize): usize {
  return load<u32>(block, 8);
}

export function rowBytesOf(block: usize): usize {
  return load<u32>(block, 12);
}

/** [row]: bin codes of one feature. */
export function columnOf(block: usize, feature: u32): usize {
  return <usize>load<u32>(block, 16) + <usize>feature * rowsOf(block);
}

/** [row]: i32. */
export function labelsOf(block: usize): usize {
  return load<u32>(block, 20);
}

/** [row]: u32 in 2^-24, or 0 where all rows weigh the same. */
export function weightsOf(block: usize): usize {
  return load<u32>(block, 24);
}

/** [output][row]: i32. */
export function marginsOf(block: usize, output: u32): usize {
  return <usize>load<u32>(block, 28) + 4 * <usize>output * rowsOf(block);
}

/** [row][g, h]: i32. */
export function gradientsOf(block: usize): usize {
  return load<u32>(block, 32);
}

/** Row indices, those of a node next to one another. */
export function orderOf(block: usize): usize {
  return load<u32>(block, 36);
}

/** The rows by node: while all are at the root, a list that counts up and that blocks share. */
export function rowsInOrder(block: usize, identity: usize): usize {
  const ranges = rangesOf(block);
  return load<u32>(ranges, 4) > load<u32>(ranges) ? identity : orderOf(block);
}

/** [node][begin, end): u32, where a node's rows are in the order. */
export function rangesOf(block: usize): usize {
  return load<u32>(block, 40);
}

/** [row][largest margin, sum of exponentials]: i32 and u32; of softmax alone. */
export function softmaxOf(block: usize): usize {
  return load<u32>(block, 44);
}

/** Low limbs, where a run's numbers have two: of labels and margins (i32) and of weights (u32), or 0 where there are none. */
export function lowLabelsOf(block: usize): usize {
  return load<u32>(block, 48);
}

export function lowWeightsOf(block: usize): usize {
  return load<u32>(block, 52);
}

export function lowMarginsOf(block: usize): usize {
  return load<u32>(block, 56);
}

/** As gradientsOf, or 0 where numbers have one limb. */
export function lowGradientsOf(block: usize): usize {
  return load<u32>(block, 60);
}
