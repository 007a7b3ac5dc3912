// The scores of a trial over its iterations, thinned so that any number of them takes bounded room: in a message, in the
// record, in an answer and on a page. Iterations fall into spans of one length, and of each span the last one is kept: so
// what is thinned at the owner's, and again where more has come, is what thinning all at once would give.

/** [iteration, score], in ascending order of iterations. */
export type TrialReportPoint = readonly [iteration: number, score: number];

/** The points, at most so many of them: the first and the last one always, and of the others one a span. */
export function thinnedCurve(points: readonly TrialReportPoint[], most: number): readonly TrialReportPoint[] {
  const last = points.at(-1);
  if (!last) return points;
  const span = 2 ** Math.max(0, Math.ceil(Math.log2((last[0] + 1) / (most - 1))));
  const spanOf = (point: TrialReportPoint): number => Math.floor(point[0] / span);
  return points.filter((point, i) => {
    const next = points[i + 1];
    return i === 0 || next === undefined || spanOf(next) !== spanOf(point);
  });
}

/** Points that came later take the place of those from their first iteration on: a trial may do iterations again. */
export function joinedCurve(
  known: readonly TrialReportPoint[],
  added: readonly TrialReportPoint[],
  lastIteration: number,
): readonly TrialReportPoint[] {
  const from = added[0]?.[0] ?? Infinity;
  return [...known.filter(([iteration]) => iteration < from && iteration <= lastIteration), ...added];
}
