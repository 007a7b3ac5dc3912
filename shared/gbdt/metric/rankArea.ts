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

/** Merges runs of several workers (each ascending) over one range of margins. */
export function areaOfRuns(sources: readonly RankRuns[]): RankArea {
  const area = new AreaSum();
  const [first] = sources;
  if (first && sources.length === 1) {
    for (let i = 0; i < first.margins.length; i += 1) area.add(first.negatives[i]!, first.positives[i]!);
    return area.done();
  }
  const next = sources.map(() => 0);
  for (;;) {
    let margin = Infinity;
    for (let s = 0; s < sources.length; s += 1) {
      const { margins } = sources[s]!;
      if (next[s]! < margins.length) margin = Math.min(margin, margins[next[s]!]!);
    }
    if (margin === Infinity) return area.done();
    let runNegatives = 0;
    let runPositives = 0;
    for (let s = 0; s < sources.length; s += 1) {
      const source = sources[s]!;
      while (source.margins[next[s]!] === margin) {
        runNegatives += source.negatives[next[s]!]!;
        runPositives += source.positives[next[s]!]!;
        next[s]! += 1;
      }
    }
    area.add(runNegatives, runPositives);
  }
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
