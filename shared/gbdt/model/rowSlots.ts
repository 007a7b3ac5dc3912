// The values of a block of rows as a forest's nodes read them: a slot a feature and kind of question, so that only
// features that are asked about are prepared, and missing values need no question of their own.

import { MISSING_ABOVE, MISSING_BELOW, writeKeys } from './floatKey.ts';

/** Rows that are handled together: their values stay in the first-level cache. */
export const BLOCK_ROWS = 64;
/** Even, and above the number of rows: the slots of categories begin at odd words, which is how nodes tell them. */
const SLOT_WORDS = BLOCK_ROWS + 2;
/** XGBoost's limit of category codes that a float can hold. */
const CATEGORY_LIMIT = 16_777_217;
const NO_SLOT = -1;
/** Beyond the end of every set, and below the bound at which rows wait in a leaf. */
const IMPOSSIBLE = 0x7ffffffe;

/** First word of each feature's slot, by kind; NO_SLOT where no node asks. */
export interface RowSlots {
  /** Numbers' keys; missing values lie below them all and go left. */
  readonly missingBelow: Int32Array;
  /** The same, but missing values lie above and go right. */
  readonly missingAbove: Int32Array;
  /** Categories + 1; 0 for missing values, IMPOSSIBLE for what can be no category. */
  readonly category: Int32Array;
  count: number;
}

/** Memory for a block of rows: the slots as floats and, in the same place, as keys. */
export interface RowBlock {
  readonly floats: Float32Array;
  readonly keys: Int32Array;
}

export function makeSlots(numFeature: number): RowSlots {
  const none = (): Int32Array => new Int32Array(numFeature).fill(NO_SLOT);
  return { missingBelow: none(), missingAbove: none(), category: none(), count: 0 };
}

/** The feature's slot of a kind, new if it had none. */
export function slotFor(
  slots: RowSlots,
  kind: 'missingBelow' | 'missingAbove' | 'category',
  feature: number,
): number {
  if (slots[kind][feature] === NO_SLOT) {
    slots[kind][feature] = slots.count * SLOT_WORDS + (kind === 'category' ? 1 : 0);
    slots.count += 1;
  }
  return slots[kind][feature]!;
}

/** Words of a block. Leaves read the first slot even where there is none. */
export function blockWords({ count }: RowSlots): number {
  return Math.max(1, count) * SLOT_WORDS;
}

export function makeRowBlock(slots: RowSlots): RowBlock {
  const floats = new Float32Array(blockWords(slots));
  return { floats, keys: new Int32Array(floats.buffer) };
}

/** Puts rows [start, start + count) of the columns into their slots; at most BLOCK_ROWS. */
export function fillRowBlock(
  { missingBelow, missingAbove, category }: RowSlots,
  { floats, keys }: RowBlock,
  columns: readonly Float32Array[],
  start: number,
  count: number,
): void {
  for (let feature = 0; feature < missingBelow.length; feature += 1) {
    const column = columns[feature]!;
    const below = missingBelow[feature]!;
    const above = missingAbove[feature]!;
    const codes = category[feature]!;
    if (below !== NO_SLOT) writeKeys(floats, keys, below, column, start, count, MISSING_BELOW);
    if (above !== NO_SLOT) writeKeys(floats, keys, above, column, start, count, MISSING_ABOVE);
    if (codes !== NO_SLOT) {
      for (let i = 0; i < count; i += 1) keys[codes + i] = categoryKey(column[start + i]!);
    }
  }
}

/** XGBoost's rule (src/common/categorical.h): codes that can't be go left, as those do that no set has; fractions are cut off. */
function categoryKey(value: number): number {
  // NaN is the only number unlike itself.
  if (value !== value) return 0;
  return value >= 0 && value < CATEGORY_LIMIT ? Math.trunc(value) + 1 : IMPOSSIBLE;
}
