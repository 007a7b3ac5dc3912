// Rows of raw values down the trees of a model; shared/gbdt/model/flatForest.ts lays them out, forestWalk.ts is the definition.

// Parameters: 0 nodes (four words each: slot, bound, position of the left child, first word of the set), 4 sets, 8 keys, 12 values of
// leaves (f32, by position / 4), 16 roots, 20 steps, 24 1 for trees with categories (u8), 28 outputs of the trees, 32 outputs,
// 36 margins ([row][output]: f32), 40 first tree, 44 end of the trees, 48 rows.

function numericChild(nodes: usize, keys: usize, at: usize): usize {
  const node = nodes + (at << 2);
  const isRight = load<i32>(keys + 4 * <usize>load<u32>(node)) >= load<i32>(node, 4);
  return <usize>load<u32>(node, 8) + ((<usize>isRight) << 2);
}

function mixedChild(nodes: usize, sets: usize, keys: usize, at: usize): usize {
  const node = nodes + (at << 2);
  const slot = load<u32>(node);
  const key = load<i32>(keys + 4 * <usize>slot);
  const isCategory = slot & 1;
  const reachesBound = <u32>(key >= load<i32>(node, 4));
  const bit = <u32>key & (reachesBound - 1) & (0 - isCategory);
  const word = load<u32>(sets + 4 * (<usize>load<u32>(node, 12) + <usize>(bit >> 5)));
  const isInSet = (word >> (bit & 31)) & ~reachesBound & 1;
  return <usize>load<u32>(node, 8) + ((<usize>((reachesBound & ~isCategory) | isInSet)) << 2);
}

function isLeaf(nodes: usize, at: usize): bool {
  return load<u32>(nodes + (at << 2), 8) === <u32>at;
}

function addValue(margin: usize, values: usize, at: usize): void {
  store<f32>(margin, load<f32>(margin) + load<f32>(values + at));
}

/** Adds trees, in their order, to the margins of a block of rows. */
export function addForest(p: usize): void {
  const nodes = <usize>load<u32>(p);
  const sets = <usize>load<u32>(p, 4);
  const keys = <usize>load<u32>(p, 8);
  const values = <usize>load<u32>(p, 12);
  const stride: usize = 4 * <usize>load<u32>(p, 32);
  const rows = <usize>load<u32>(p, 48);
  const end = load<u32>(p, 44);
  for (let t = load<u32>(p, 40); t < end; t += 1) {
    const root = <usize>load<u32>(<usize>load<u32>(p, 16) + 4 * <usize>t);
    const steps = load<u32>(<usize>load<u32>(p, 20) + 4 * <usize>t);
    const output = <usize>load<u32>(<usize>load<u32>(p, 28) + 4 * <usize>t);
    const margins = <usize>load<u32>(p, 36) + 4 * output;
    const isMixed = load<u8>(<usize>load<u32>(p, 24) + <usize>t) === 1;
    const together: usize = steps > 0 ? rows & ~3 : 0;
    for (let row: usize = 0; row < together; row += 4) {
      const k = keys + 4 * row;
      let a = root;
      let b = root;
      let c = root;
      let d = root;
      if (isMixed) {
        for (let rest = steps; rest > 0; rest -= 1) {
          a = mixedChild(nodes, sets, k, a);
          b = mixedChild(nodes, sets, k + 4, b);
          c = mixedChild(nodes, sets, k + 8, c);
          d = mixedChild(nodes, sets, k + 12, d);
        }
      } else {
        for (let rest = steps; rest > 0; rest -= 1) {
          a = numericChild(nodes, k, a);
          b = numericChild(nodes, k + 4, b);
          c = numericChild(nodes, k + 8, c);
          d = numericChild(nodes, k + 12, d);
        }
      }
      const margin = margins + stride * row;
      addValue(margin, values, a);
      addValue(margin + stride, values, b);
      addValue(margin + 2 * stride, values, c);
      addValue(margin + 3 * stride, values, d);
    }
    for (let row = together; row < rows; row += 1) {
      const k = keys + 4 * row;
      let at = root;
      while (!isLeaf(nodes, at)) at = isMixed ? mixedChild(nodes, sets, k, at) : numericChild(nodes, k, at);
      addValue(margins + stride * row, values, at);
    }
  }
}
