// A curve as a row of eighths of blocks.

const BLOCKS = '▁▂▃▄▅▆▇█';

/**
 * One cell a value, of more values than cells the mean of those in each; from the lowest to the highest. What is not finite is
 * a blank.
 * @param cells most of them.
 */
export function sparkline(values: readonly number[], cells: number): string {
  const count = Math.min(cells, values.length);
  const means = Array.from({ length: count }, (_, cell) => {
    const first = Math.floor((cell * values.length) / count);
    const after = Math.floor(((cell + 1) * values.length) / count);
    const finite = values.slice(first, after).filter(Number.isFinite);
    return finite.reduce((sum, value) => sum + value / finite.length, 0) / (finite.length === 0 ? 0 : 1);
  });
  const finite = means.filter(Number.isFinite);
  const lowest = Math.min(...finite);
  const highest = Math.max(...finite);
  // Halves, so that no difference is beyond the largest number.
  return means.map((mean) => block((mean / 2 - lowest / 2) / (highest / 2 - lowest / 2), mean)).join('');
}

/** @param height from 0 to 1; NaN where all values are equal. */
function block(height: number, mean: number): string {
  if (!Number.isFinite(mean)) return ' ';
  return BLOCKS[Number.isNaN(height) ? 3 : Math.min(7, Math.floor(height * 8))]!;
}
