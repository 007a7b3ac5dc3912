// How the contributions of the members to one part become its sum.

/** @param pieces of one part, by rank. @returns a new array. */
export type Combine = (pieces: readonly Float32Array[]) => Float32Array<ArrayBuffer>;

/** Added in rank order, as in a plain all-reduce: the same bits. */
export const plainSum: Combine = (pieces) => {
  const [first = new Float32Array(0), ...others] = pieces;
  const sum = new Float32Array(first);
  for (const piece of others) for (let at = 0; at < sum.length; at += 1) sum[at]! += piece[at]!;
  return sum;
};
