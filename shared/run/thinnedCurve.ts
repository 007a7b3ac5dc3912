// A curve as a screen can show it: of ever so many points at most N remain, and no peak is lost. Points are added one after
// the other in bounded memory, so that curves are thinned where they are read and go on where they are drawn.

export interface CurvePoint {
  /** Rounds or steps until then. */
  readonly at: number;
  readonly value: number;
  /** Milliseconds since 1970, where it is known. */
  readonly atMs?: number;
}

/** Points whose places lie in [index · width, (index + 1) · width). */
interface Bucket {
  readonly index: number;
  readonly lowest: CurvePoint;
  readonly highest: CurvePoint;
}

const lower = (a: CurvePoint, b: CurvePoint): CurvePoint => (b.value < a.value ? b : a);
const higher = (a: CurvePoint, b: CurvePoint): CurvePoint => (b.value > a.value ? b : a);

export class ThinnedCurve {
  readonly #maxBuckets: number;
  #buckets: Bucket[] = [];
  /** A power of two, so that buckets become wider by joining pairs. */
  #width = 1;
  #count = 0;
  #first: CurvePoint | undefined;
  #last: CurvePoint | undefined;
  #lowest: CurvePoint | undefined;
  #highest: CurvePoint | undefined;

  /** @param maxPoints that remain, at least 4. */
  constructor(maxPoints: number) {
    this.#maxBuckets = Math.max(1, Math.floor((maxPoints - 2) / 2));
  }

  /** Points that were added. */
  get count(): number {
    return this.#count;
  }

  get first(): CurvePoint | undefined {
    return this.#first;
  }

  get last(): CurvePoint | undefined {
    return this.#last;
  }

  /** Of several equal ones the first. */
  get lowest(): CurvePoint | undefined {
    return this.#lowest;
  }

  get highest(): CurvePoint | undefined {
    return this.#highest;
  }

  /** Adds a point. Left out are values that are no numbers, and places that do not lie after the last. */
  add(point: CurvePoint): void {
    if (!Number.isFinite(point.value) || !Number.isFinite(point.at)) return;
    if (this.#last && point.at <= this.#last.at) return;
    this.#count += 1;
    this.#first ??= point;
    this.#last = point;
    this.#lowest = this.#lowest ? lower(this.#lowest, point) : point;
    this.#highest = this.#highest ? higher(this.#highest, point) : point;
    const index = Math.floor(point.at / this.#width);
    const open = this.#buckets.at(-1);
    if (open?.index === index) {
      const joined = { index, lowest: lower(open.lowest, point), highest: higher(open.highest, point) };
      this.#buckets[this.#buckets.length - 1] = joined;
      return;
    }
    this.#buckets.push({ index, lowest: point, highest: point });
    while (this.#buckets.length > this.#maxBuckets) this.#widen();
  }

  /** What remains, oldest first: the lowest and the highest point of each bucket, the first and the last of all. */
  points(): CurvePoint[] {
    const remaining: CurvePoint[] = [];
    const push = (point: CurvePoint | undefined): void => {
      if (point && point.at > (remaining.at(-1)?.at ?? -Infinity)) remaining.push(point);
    };
    push(this.#first);
    for (const { lowest, highest } of this.#buckets) {
      const isRising = lowest.at <= highest.at;
      push(isRising ? lowest : highest);
      push(isRising ? highest : lowest);
    }
    push(this.#last);
    return remaining;
  }

  #widen(): void {
    this.#width *= 2;
    const wider: Bucket[] = [];
    for (const { index: narrow, lowest, highest } of this.#buckets) {
      const index = Math.floor(narrow / 2);
      const before = wider.at(-1);
      if (before?.index !== index) wider.push({ index, lowest, highest });
      else {
        wider[wider.length - 1] = {
          index,
          lowest: lower(before.lowest, lowest),
          highest: higher(before.highest, highest),
        };
      }
    }
    this.#buckets = wider;
  }
}
