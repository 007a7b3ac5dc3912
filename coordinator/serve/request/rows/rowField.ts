// What may stand in a column, and how it is read into it: as featureNumber takes a value that was parsed.

import type { ModelFeature } from '../../../../shared/gbdt/model/modelFeatures.ts';
import { CategoryTable } from './categoryTable.ts';
import { afterString, afterWord, QUOTE, STOP, stringText } from './jsonBytes.ts';
import { afterNumber } from './jsonNumber.ts';

const NINE = 0x39;

export class RowField {
  readonly index: number;
  /** Of categories with names, which are texts. */
  readonly #categories: CategoryTable | undefined;
  /** Of categories whose names are numbers. */
  readonly #numberCodes: ModelFeature['codes'];
  readonly #value = new Float64Array(1);

  /** Without a feature it is a field that the model does not know: any value that is no array and no object will do. */
  constructor(feature?: ModelFeature, index = -1) {
    this.index = index;
    if (!feature?.codes) return;
    if (feature.hasNumberNames) this.#numberCodes = feature.codes;
    else this.#categories = new CategoryTable(feature.codes);
  }

  /** Reads a value into its column. @returns the position behind it; STOP where it is none that the feature takes. */
  after(bytes: Uint8Array, at: number, column: Float32Array, row: number): number {
    const value = this.#value;
    const first = bytes[at]!;
    let end: number;
    if (first === QUOTE) {
      if (this.#categories) end = this.#categories.after(bytes, at, value);
      else return this.index < 0 ? afterAnyString(bytes, at) : STOP;
      column[row] = value[0]!;
    } else if (first > NINE) {
      end = afterWord(bytes, at, value);
      column[row] = value[0]!;
      if ((this.#categories ?? this.#numberCodes) !== undefined && !Number.isNaN(value[0])) return STOP;
    } else if (this.#numberCodes) {
      end = afterNumber(bytes, at, false, value);
      column[row] = this.#numberCodes.get(value[0]!) ?? NaN;
    } else {
      if (this.#categories) return STOP;
      end = afterNumber(bytes, at, true, value);
      const number = Math.fround(value[0]!);
      column[row] = number;
      // An infinity is refused, but where it is not looked at.
      if (number - number !== 0 && this.index >= 0) return STOP;
    }
    return end;
  }
}

function afterAnyString(bytes: Uint8Array, at: number): number {
  const end = afterString(bytes, at);
  return end !== STOP && stringText(bytes, at, end) !== undefined ? end : STOP;
}
