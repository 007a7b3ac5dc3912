// Bars of a histogram as the path of an SVG.

/** Between two bars, as a share of a bar's width. */
const GAP = 0.12;

/**
 * In a box of `width` to `height`. A bin that has something is seen, however little that is.
 * @param bins counts; the largest is as high as the box.
 */
export function histogramPath(bins: readonly number[], width: number, height: number): string {
  const largest = Math.max(...bins, 0);
  if (largest === 0) return '';
  const step = width / bins.length;
  const gap = bins.length > 1 ? step * GAP : 0;
  return bins
    .flatMap((count, i) => {
      if (count === 0) return [];
      const barHeight = Math.max(1, (count / largest) * height);
      const left = i * step + gap / 2;
      return `M${rounded(left)} ${height}v${rounded(-barHeight)}h${rounded(step - gap)}v${rounded(barHeight)}z`;
    })
    .join('');
}

/** The first and last bin of the shortest stretch around the largest that has half of all. */
export function denseBins(bins: readonly number[]): readonly [first: number, last: number] {
  const half = bins.reduce((sum, count) => sum + count, 0) / 2;
  let first = bins.indexOf(Math.max(...bins));
  let last = first;
  let held = bins[first] ?? 0;
  while (held < half) {
    const [before = -1, after = -1] = [bins[first - 1], bins[last + 1]];
    if (before >= after) held += bins[--first] ?? 0;
    else held += bins[++last] ?? 0;
    if (first === 0 && last === bins.length - 1) break;
  }
  return [first, last];
}

function rounded(value: number): number {
  return Number(value.toFixed(2));
}
