// The axes of parallel coordinates: one for each searched value that differs between trials, and one for the score.

import { scaleOf, ticksOf, type Scale } from '../design/plotScale.ts';
import { numberWords } from '../words/statusWords.ts';
import { keyOf, plainValue, type RecordedTrial } from './trials.ts';

export interface ParallelAxis {
  /** As filters call it. */
  readonly key: string;
  readonly title: string;
  /** In [0, 1] from below; undefined for trials without a value. */
  readonly place: (trial: RecordedTrial) => number | undefined;
  readonly ticks: readonly { readonly place: number; readonly text: string }[];
  /** Comparisons of a filter that fit what lies between two places. */
  readonly between: (from: number, to: number) => readonly string[];
}

const MAX_AXES = 12;
/** Words of a category axis; further ones share the place above them. */
const MAX_CATEGORIES = 24;
const TICKS = 5;

/** Of those values alone that differ, the first ones where there are many; the score comes last. */
export function parallelAxes(
  trials: readonly RecordedTrial[],
  paths: readonly string[],
  scoreTitle: string,
): readonly ParallelAxis[] {
  const axes = paths.flatMap((path) => {
    const valueOf = (trial: RecordedTrial): string | number | undefined => plainValue(trial.assignment[path]);
    const values = new Set(trials.map(valueOf).filter((value) => value !== undefined));
    if (values.size < 2) return [];
    const title = path.split('.').at(-1) ?? path;
    const isNumeric = [...values].every((value) => typeof value === 'number');
    return isNumeric
      ? [numberAxis(keyOf(path), title, scaleOf(values as Set<number>), valueOf as NumberOf)]
      : [wordAxis(keyOf(path), title, [...values].map(String), valueOf)];
  });
  const scores = trials.flatMap(({ lastScore }) => lastScore ?? []);
  const score =
    scores.length === 0
      ? []
      : [numberAxis('score', scoreTitle, scaleOf(scores), ({ lastScore }) => lastScore)];
  return [...axes.slice(0, MAX_AXES - 1), ...score];
}

type NumberOf = (trial: RecordedTrial) => number | undefined;

function numberAxis(key: string, title: string, scale: Scale, valueOf: NumberOf): ParallelAxis {
  const bound = (place: number): string => String(Number(scale.at(place).toPrecision(4)));
  return {
    key,
    title,
    place: (trial) => {
      const value = valueOf(trial);
      return value === undefined ? undefined : scale.place(value);
    },
    ticks: [...new Set([scale.min, ...ticksOf(scale, TICKS), scale.max])].map((value) => ({
      place: scale.place(value),
      text: numberWords(value),
    })),
    between: (from, to) => [
      ...(from <= 0 ? [] : [`>=${bound(from)}`]),
      ...(to >= 1 ? [] : [`<=${bound(to)}`]),
    ],
  };
}

function wordAxis(
  key: string,
  title: string,
  words: readonly string[],
  valueOf: (trial: RecordedTrial) => string | number | undefined,
): ParallelAxis {
  const known = words
    .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .slice(0, MAX_CATEGORIES);
  const places = new Map(known.map((word, i) => [word, known.length === 1 ? 0.5 : i / (known.length - 1)]));
  return {
    key,
    title,
    place: (trial) => {
      const value = valueOf(trial);
      return value === undefined ? undefined : (places.get(String(value)) ?? 1);
    },
    ticks: known.map((word) => ({ place: places.get(word)!, text: word })),
    between: (from, to) => {
      const nearest = known.find((word) => places.get(word)! >= from && places.get(word)! <= to);
      return nearest === undefined ? [] : [`=${nearest}`];
    },
  };
}
