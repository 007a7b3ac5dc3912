// Quantiles as numpy has them (linear interpolation).

/** @param share 0 to 1. Undefined without values. */
export function quantile(values: readonly number[], share: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)];
  const high = sorted[Math.ceil(at)];
  if (low === undefined || high === undefined) return undefined;
  const part = at - Math.floor(at);
  if (part === 0) return low;
  // Between an infinity and a number there is nothing to interpolate.
  return Number.isFinite(high - low) ? low + (high - low) * part : high;
}
