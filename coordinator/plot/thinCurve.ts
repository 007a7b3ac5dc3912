// Curves with more points than a picture can show.

export interface PlotPoint {
  readonly x: number;
  readonly y: number;
}

/**
 * At most so many points, in order: the first and the last, and the lowest and the highest of each stretch between, so that no
 * peak is lost. A stretch without any finite value stays a gap.
 * @param most at least 4.
 */
export function thinCurve(points: readonly PlotPoint[], most: number): readonly PlotPoint[] {
  if (points.length <= most) return points;
  const stretches = Math.floor((most - 2) / 2);
  const inner = points.length - 2;
  const kept: PlotPoint[] = [points[0]!];
  for (let stretch = 0; stretch < stretches; stretch++) {
    const first = 1 + Math.floor((stretch * inner) / stretches);
    const after = 1 + Math.floor(((stretch + 1) * inner) / stretches);
    kept.push(...endsOf(points.slice(first, after)));
  }
  kept.push(points.at(-1)!);
  return kept;
}

function endsOf(points: readonly PlotPoint[]): readonly PlotPoint[] {
  const finite = points.filter(({ y }) => Number.isFinite(y));
  if (finite.length === 0) return points.slice(0, 1);
  const lowest = finite.reduce((a, b) => (b.y < a.y ? b : a));
  const highest = finite.reduce((a, b) => (b.y > a.y ? b : a));
  if (lowest === highest) return [lowest];
  return lowest.x <= highest.x ? [lowest, highest] : [highest, lowest];
}
