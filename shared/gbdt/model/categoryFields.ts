// Names of categories as XGBoost 3.1 and later write them (src/data/cat_container.cc): what readCategoryNames reads.

import { featureName, type CategoryName, type GbdtModel } from './model.ts';
import type { FileObject } from './writeUbjson.ts';

/** XGBoost's numbers of the types of arrays: Value::ValueKind in include/xgboost/json.h. */
const F64_ARRAY = 8;
const I64_ARRAY = 15;

/** `cats` of the model; undefined where the model does not keep names in this way. */
export function categoryFields(model: Omit<GbdtModel, 'trees'>): FileObject | undefined {
  const { categories } = model;
  if (!categories) return undefined;
  const lists = Array.from(
    { length: model.numFeature },
    (_, i) => categories.get(featureName(model, i)) ?? [],
  );
  let end = 0;
  return {
    enc: lists.map(encoding),
    feature_segments: Int32Array.from([0, ...lists.map((list) => (end += list.length))]),
    sorted_idx: Int32Array.from(lists.flatMap(sortedPlaces)),
  };
}

function encoding(names: readonly CategoryName[]): FileObject {
  const numbers = names.filter((name) => typeof name === 'number');
  if (numbers.length > 0) {
    return numbers.every(Number.isSafeInteger)
      ? { type: I64_ARRAY, values: BigInt64Array.from(numbers, BigInt) }
      : { type: F64_ARRAY, values: Float64Array.from(numbers) };
  }
  const texts = names.map((name) => new TextEncoder().encode(String(name)));
  let end = 0;
  return {
    offsets: Int32Array.from(texts.length === 0 ? [] : [0, ...texts.map((text) => (end += text.length))]),
    values: Int8Array.from(texts.flatMap((text) => [...text])),
  };
}

/** Codes in the order of their names; text by its bytes, which is the order of code points. */
function sortedPlaces(names: readonly CategoryName[]): number[] {
  const isBefore = (a: CategoryName, b: CategoryName): boolean =>
    typeof a === 'number' || typeof b === 'number' ? Number(a) < Number(b) : bytesBefore(a, b);
  return [...names.keys()].sort((a, b) => (isBefore(names[a]!, names[b]!) ? -1 : 1));
}

function bytesBefore(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => new TextEncoder().encode(text)) as [Uint8Array, Uint8Array];
  const at = left.findIndex((byte, i) => byte !== right[i]);
  return at === -1 ? left.length < right.length : left[at]! < (right[at] ?? -1);
}
