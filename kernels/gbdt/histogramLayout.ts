// Where a feature's slots lie in a node's histogram: features adjacent, each with its own number of slots.

export interface HistogramLayout {
  readonly features: number;
  /** First slot of each feature, and after the last feature the total. */
  readonly firstSlot: Int32Array<ArrayBuffer>;
  /** Slots of a node over all features; each holds a pair (g, h). */
  readonly slots: number;
}

export function layoutHistogram(slotsPerFeature: readonly number[]): HistogramLayout {
  const firstSlot = new Int32Array(slotsPerFeature.length + 1);
  let slots = 0;
  slotsPerFeature.forEach((count, feature) => {
    slots += count;
    firstSlot[feature + 1] = slots;
  });
  return { features: slotsPerFeature.length, firstSlot, slots };
}
