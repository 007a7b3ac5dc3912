// A line over evenly spaced values as the path of an SVG.

/**
 * In a box of `width` to `height`, from left to right; 0 is at its foot and `largest` at its top.
 * @param values null breaks the line; one between two breaks is a short stroke.
 */
export function sparkPath(
  values: readonly (number | null)[],
  largest: number,
  width: number,
  height: number,
): string {
  const step = width / Math.max(1, values.length - 1);
  let path = '';
  for (const [i, value] of values.entries()) {
    if (value === null) continue;
    const x = Number((i * step).toFixed(2));
    const y = Number((height - (largest > 0 ? value / largest : 0) * (height - 2) - 1).toFixed(2));
    const isFirst = (values[i - 1] ?? null) === null;
    path += `${isFirst ? 'M' : 'L'}${x} ${y}`;
    if (isFirst && (values[i + 1] ?? null) === null) path += 'h1';
  }
  return path;
}
