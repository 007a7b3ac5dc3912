// Which member of a group looks for splits in which features: contiguous blocks of about as many histogram slots.

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
