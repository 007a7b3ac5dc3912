// The area under the ROC curve as exact integers: twice the weighted count of (positive, negative) pairs in order, ties
// counting one half.

import { TreeFormatError } from '../errors/gbdtErrors.ts';
import type { RankRuns } from './rankRuns.ts';

/** Sums over a range of margins. */
export interface RankArea {
  /** Twice the ordered pairs within the range. */
  readonly twicePairs: bigint;
  readonly negatives: number;
  readonly positives: number;
}

/** Three numbers in digits, as decodeArea takes them. */
export const MOST_AREA_BYTES = 100;
/** Products up to this stay exact in a double, with room to add many. */
const EXACT_PRODUCT = 2 ** 52;

/** Of runs of several workers or blocks (each ascending) over one range of margins. */
export function areaOfRuns(sources: readonly RankRuns[]): RankArea {
  let rest = sources;
  while (rest.length > 1) {
    const merged: RankRuns[] = [];
    for (let i = 0; i < rest.length; i += 2) {
      const [one, other] = [rest[i]!, rest[i + 1]];
      merged.push(other ? mergeRuns(one, other) : one);
    }
    rest = merged;
  }
  const area = new AreaSum();
  const [all] = rest;
  if (!all) return area.done();
  for (let i = 0; i < all.margins.length; i += 1) area.add(all.negatives[i]!, all.positives[i]!);
  return area.done();
}

function mergeRuns(a: RankRuns, b: RankRuns): RankRuns {
  const most = a.margins.length + b.margins.length;
  const margins = new Int32Array(most);
  const negatives = new Float64Array(most);
  const positives = new Float64Array(most);
  let [i, j, runs] = [0, 0, 0];
  while (i < a.margins.length || j < b.margins.length) {
    const ofA = i < a.margins.length ? a.margins[i]! : Infinity;
    const ofB = j < b.margins.length ? b.margins[j]! : Infinity;
    margins[runs] = Math.min(ofA, ofB);
    if (ofA <= ofB) {
      negatives[runs]! += a.negatives[i]!;
      positives[runs]! += a.positives[i]!;
      i += 1;
    }
    if (ofB <= ofA) {
      negatives[runs]! += b.negatives[j]!;
      positives[runs]! += b.positives[j]!;
      j += 1;
    }
    runs += 1;
  }
  return {
    margins: margins.subarray(0, runs),
    negatives: negatives.subarray(0, runs),
    positives: positives.subarray(0, runs),
  };
}

/** Takes runs in ascending order of their margins. */
class AreaSum {
  #big = 0n;
  // Small products gather in a double before they are added to the big integer.
  #small = 0;
  #negatives = 0;
  #positives = 0;

  add(negatives: number, positives: number): void {
    const below = 2 * this.#negatives + negatives;
    const product = positives * below;
    if (product < EXACT_PRODUCT) this.#small += product;
    else this.#big += BigInt(positives) * BigInt(below);
    if (this.#small >= EXACT_PRODUCT) {
      this.#big += BigInt(this.#small);
      this.#small = 0;
    }
    this.#negatives += negatives;
    this.#positives += positives;
  }

  done(): RankArea {
    return {
      twicePairs: this.#big + BigInt(this.#small),
      negatives: this.#negatives,
      positives: this.#positives,
    };
  }
}

/** Joins the areas of adjacent ranges, in ascending order. @returns NaN when a class has no weight, as XGBoost. */
export function joinAreas(areas: readonly RankArea[]): number {
  let twice = 0n;
  let negatives = 0n;
  let positives = 0n;
  for (const area of areas) {
    const own = BigInt(area.positives);
    twice += area.twicePairs + 2n * own * negatives;
    negatives += BigInt(area.negatives);
    positives += own;
  }
  const all = 2n * negatives * positives;
  if (all === 0n) return NaN;
  // 60 bits after the point, then one rounding to a double.
  return Number((twice << 60n) / all) * 2 ** -60;
}

export function encodeArea(area: RankArea): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${area.twicePairs.toString(16)} ${area.negatives} ${area.positives}`);
}

/** @throws TreeFormatError when a peer's bytes are not an area. */
export function decodeArea(bytes: Uint8Array): RankArea {
  const match = /^([0-9a-f]{1,40}) (\d{1,16}) (\d{1,16})$/.exec(
    new TextDecoder().decode(bytes.subarray(0, MOST_AREA_BYTES)),
  );
  if (match === null) throw new TreeFormatError('malformed rank area of a peer');
  return { twicePairs: BigInt(`0x${match[1]}`), negatives: Number(match[2]), positives: Number(match[3]) };
}
