// What is kept of a metric while a run goes on: its last value, its best, and a curve that stays short however long the run is.

import { higherIsBetter, isMeasure } from '../../shared/run/metricNames.ts';

interface CurvePoint {
  /** Rounds or steps until then. */
  readonly round: number;
  readonly value: number;
}

export interface MetricTrack {
  readonly name: string;
  readonly last: number;
  /** Undefined where the name does not say which end is best, and before the first finite value. */
  readonly best: CurvePoint | undefined;
  /** Oldest first; the last value may be missing. */
  readonly curve: readonly CurvePoint[];
  /** Only every so manieth value becomes a point. */
  readonly everyNth: number;
  /** Values since the last point. */
  readonly skipped: number;
}

/** Points of a curve at most; every second one goes then. */
export const MAX_CURVE_POINTS = 96;
/** Metrics that are kept at most: names come from others. */
export const MAX_TRACKS = 16;

/** The tracks after the metrics of a round. What tells of progress alone has none. @param round counted from 1. */
export function afterMetrics(
  tracks: readonly MetricTrack[],
  metrics: Readonly<Record<string, number>>,
  round: number,
): readonly MetricTrack[] {
  const known = tracks.map((track) => {
    const value = metrics[track.name];
    return value === undefined ? track : afterValue(track, { round, value });
  });
  const names = new Set(tracks.map(({ name }) => name));
  const begun = Object.entries(metrics)
    .filter(([name]) => isMeasure(name) && !names.has(name))
    .slice(0, Math.max(0, MAX_TRACKS - tracks.length))
    .map(([name, value]) =>
      afterValue(
        { name, last: value, best: undefined, curve: [], everyNth: 1, skipped: 0 },
        { round, value },
      ),
    );
  return begun.length === 0 ? known : [...known, ...begun];
}

function afterValue(track: MetricTrack, point: CurvePoint): MetricTrack {
  const { name, everyNth } = track;
  const next = { name, last: point.value, best: betterOf(track, point), everyNth };
  if (track.skipped + 1 < everyNth) return { ...next, curve: track.curve, skipped: track.skipped + 1 };
  const curve = [...track.curve, point];
  if (curve.length <= MAX_CURVE_POINTS) return { ...next, curve, skipped: 0 };
  return { ...next, curve: curve.filter((_, i) => i % 2 === 0), everyNth: everyNth * 2, skipped: 0 };
}

/** The first of equals. */
function betterOf({ name, best }: MetricTrack, point: CurvePoint): CurvePoint | undefined {
  const isMore = higherIsBetter(name);
  if (isMore === undefined || !Number.isFinite(point.value)) return best;
  if (best === undefined) return point;
  return (isMore ? point.value > best.value : point.value < best.value) ? point : best;
}
