// Where the values of a searched parameter stand on its axis: numbers by size, everything else by the order in which it came.

import { plotNumber } from './plotNumber.ts';
import { extentOf, linearScale, logScale } from './scale.ts';

export interface ParamAxis {
  /** NaN for a value that has no place. */
  readonly at: (value: unknown) => number;
  readonly ticks: readonly { readonly at: number; readonly words: string }[];
}

/** Numbers that span more than this, all above zero, stand by their logarithm. */
const LOG_SPAN = 50;
const MOST_WORDS = 12;

/** @param from place of the low end. */
export function paramAxis(values: readonly unknown[], from: number, to: number): ParamAxis {
  const present = values.filter((value) => value !== undefined);
  const numbers = present.filter((value) => typeof value === 'number');
  const extent = extentOf(numbers);
  if (numbers.length === present.length && extent) {
    const isLog = extent[0] > 0 && extent[1] / extent[0] >= LOG_SPAN;
    const scale = (isLog ? logScale : linearScale)(extent, from, to, 5);
    // One tick at least: between few neighbours there may be no power of ten.
    const ticks = scale.ticks.length > 0 ? scale.ticks : extent;
    return {
      at: (value) => (typeof value === 'number' ? scale.at(value) : NaN),
      ticks: ticks.map((tick) => ({ at: scale.at(tick), words: plotNumber(tick) })),
    };
  }
  const words = [...new Set(present.map(paramText))];
  const place = (i: number): number =>
    words.length === 1 ? (from + to) / 2 : from + (i / (words.length - 1)) * (to - from);
  const places = new Map(words.map((word, i) => [word, place(i)]));
  const every = Math.ceil(words.length / MOST_WORDS);
  return {
    at: (value) => (value === undefined ? NaN : (places.get(paramText(value)) ?? NaN)),
    ticks: words.map((word, i) => ({ at: place(i), words: word })).filter((_, i) => i % every === 0),
  };
}

/** A value as people read it, cut where it is long. */
export function paramText(value: unknown): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return plotNumber(value);
  if (typeof value === 'string') return value.slice(0, 200);
  if (typeof value === 'function') return value.name === '' ? 'function' : value.name.slice(0, 200);
  try {
    return (JSON.stringify(value) ?? typeof value).slice(0, 200);
  } catch {
    return typeof value;
  }
}
