// Which features each member of a group searches for the best split, and whose sums it makes.

/** @returns size+1 ascending feature indexes; member r owns [bounds[r], bounds[r+1]), which may be empty. */
export function featureBounds(slotsPerFeature: readonly number[], size: number): number[] {
  const total = slotsPerFeature.reduce((sum, slots) => sum + slots, 0);
  const bounds = [0];
  let feature = 0;
  let before = 0;
  for (let rank = 1; rank < size; rank += 1) {
    const target = (total * rank) / size;
    // A feature goes to the side where more of it lies.
    while (feature < slotsPerFeature.length && before + slotsPerFeature[feature]! / 2 <= target) {
      before += slotsPerFeature[feature]!;
      feature += 1;
    }
    bounds.push(feature);
  }
  bounds.push(slotsPerFeature.length);
  return bounds;
}

/** @returns the same in histogram slots. */
export function slotBounds(slotsPerFeature: readonly number[], size: number): number[] {
  const firstSlot = [0];
  for (const count of slotsPerFeature) firstSlot.push(firstSlot[firstSlot.length - 1]! + count);
  return featureBounds(slotsPerFeature, size).map((feature) => firstSlot[feature]!);
}
