// Numbers on axes and in tables of plots.

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 6 });

/** 0.731234567 → "0.731235", 12000 → "12,000", 1.5e-7 → "1.5e-7" */
export function plotNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e9))
    return value
      .toExponential(5)
      .replace(/\.?0+e/, 'e')
      .replace('e+', 'e');
  const short = Number(value.toPrecision(6));
  return size >= 1000 ? grouped.format(short) : String(short);
}
