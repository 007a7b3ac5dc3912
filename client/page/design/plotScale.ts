// Where numbers lie along an axis, and the round ones that are written beside it.

export interface Scale {
  readonly isLogarithmic: boolean;
  readonly min: number;
  readonly max: number;
  /** In [0, 1] between the two. */
  readonly place: (value: number) => number;
  /** The number at a place. */
  readonly at: (place: number) => number;
}

/** From so many times the smallest number on an axis is logarithmic. */
const WIDE = 100;

/** An axis for these numbers: logarithmic where all are above zero and far apart. */
export function scaleOf(values: Iterable<number>, mayBeLogarithmic = true): Scale {
  let [min, max] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (min > max) [min, max] = [0, 1];
  const isLogarithmic = mayBeLogarithmic && min > 0 && max / min >= WIDE;
  if (min === max) [min, max] = min === 0 ? [-1, 1] : [min - Math.abs(min) / 2, max + Math.abs(max) / 2];
  const [from, to] = isLogarithmic ? [Math.log10(min), Math.log10(max)] : [min, max];
  return {
    isLogarithmic,
    min,
    max,
    place: (value) => ((isLogarithmic ? Math.log10(value) : value) - from) / (to - from),
    at: (place) => {
      const value = from + place * (to - from);
      return isLogarithmic ? 10 ** value : value;
    },
  };
}

/** Round numbers along the axis, about as many as asked for. */
export function ticksOf({ isLogarithmic, min, max }: Scale, wanted: number): number[] {
  if (isLogarithmic) {
    const first = Math.ceil(Math.log10(min) - 1e-9);
    const last = Math.floor(Math.log10(max) + 1e-9);
    const every = Math.max(1, Math.ceil((last - first + 1) / wanted));
    return range(first, last, every).map((power) => Number(`1e${power}`));
  }
  const rough = (max - min) / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((times) => times * power >= rough) ?? 10);
  const digits = Math.max(0, -Math.floor(Math.log10(step)) + 1);
  const places = range(Math.ceil(min / step - 1e-9), Math.floor(max / step + 1e-9), 1);
  return places.map((place) => Number((place * step).toFixed(Math.min(digits, 100))));
}

function range(first: number, last: number, every: number): number[] {
  const length = Math.max(0, Math.floor((last - first) / every) + 1);
  return Array.from({ length }, (_, i) => first + i * every);
}
