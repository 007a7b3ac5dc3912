// From values to places on an axis, with ticks at numbers that people count by.

export interface Scale {
  /** Where a value stands; NaN for one that has no place: no finite number, or none above zero on a logarithmic axis. */
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

/** Smallest and largest, both finite. */
export type Extent = readonly [low: number, high: number];

/** Of what has a place; undefined where nothing has. */
export function extentOf(values: Iterable<number>, isLog = false): Extent | undefined {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value) || (isLog && value <= 0)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high] : undefined;
}

/** @param from place of the low end, `to` that of the high one. @param count about so many ticks. */
export function linearScale([low, high]: Extent, from: number, to: number, count = 6): Scale {
  const [bottom, top] = low === high ? apart(low) : [low, high];
  // Halves, so that no difference is beyond the largest number.
  const share = (value: number): number => (value / 2 - bottom / 2) / (top / 2 - bottom / 2);
  return {
    at: (value) => (Number.isFinite(value) ? from + share(value) * (to - from) : NaN),
    ticks: linearTicks(bottom, top, count),
  };
}

/** @param extent of values above zero. */
export function logScale([low, high]: Extent, from: number, to: number, count = 6): Scale {
  const [bottom, top] =
    low === high ? [Math.log10(low) - 0.5, Math.log10(low) + 0.5] : [low, high].map(Math.log10);
  const share = (value: number): number => (Math.log10(value) - bottom!) / (top! - bottom!);
  return {
    at: (value) => (Number.isFinite(value) && value > 0 ? from + share(value) * (to - from) : NaN),
    ticks: logTicks(bottom!, top!, count),
  };
}

function apart(value: number): Extent {
  const by = value === 0 ? 1 : Math.abs(value) / 2;
  return [value - by, value + by];
}

/** Multiples of 1, 2 or 5 times a power of ten. */
export function linearTicks(low: number, high: number, count: number): number[] {
  const span = high - low;
  if (!Number.isFinite(span)) return [low, 0, high];
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((multiple) => multiple * power >= rough * 0.999) ?? 10);
  const ticks: number[] = [];
  const first = Math.ceil(low / step - 1e-9);
  for (let i = 0; i <= 2 * count; i++) {
    // Steps of a tenth and less are no doubles: the nearest short number.
    const tick = Number(((first + i) * step).toPrecision(12));
    if (!(tick <= high + step * 1e-9)) break;
    ticks.push(tick);
  }
  return ticks;
}

/** Powers of ten; where they are few also 2 and 5 times them. */
function logTicks(bottom: number, top: number, count: number): number[] {
  const every = Math.max(1, Math.ceil((top - bottom) / count));
  const multiples = top - bottom < 2.5 ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let power = Math.floor(bottom); power <= Math.ceil(top); power += every)
    for (const multiple of multiples) {
      const tick = Number(`${multiple}e${power}`);
      const place = Math.log10(tick);
      if (tick > 0 && place >= bottom - 1e-9 && place <= top + 1e-9) ticks.push(tick);
    }
  return ticks;
}
