// Numbers as people read them in a terminal.

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 3 });

/** 2100000 → "2,100,000" */
export function formatCount(count: number): string {
  return grouped.format(count);
}

/** 2100000 → "2.1M" */
export function formatShort(count: number): string {
  return short.format(count);
}

/** 740 → "0.7 s", 83000 → "1 min 23 s", 4000000 → "1 h 7 min" */
export function formatDuration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(Math.round(seconds) / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds) % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** 12.3 → "12 ms", 0.42 → "0.4 ms", 12300 → "12 s" */
export function formatMilliseconds(ms: number): string {
  if (ms >= 1000) return formatDuration(ms);
  return ms < 9.95 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

/** { "valid-auc": 0.731234 } → "valid-auc 0.73123" */
export function formatMetrics(metrics: Readonly<Record<string, number>>): string {
  return Object.entries(metrics)
    .map(([name, value]) => `${name} ${formatMetric(value)}`)
    .join('  ');
}

/** 0.731234 → "0.73123", 0.00001234 → "1.2340e-5" */
export function formatMetric(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-4 || size >= 1e6)
    ? value.toExponential(4)
    : value.toFixed(size < 10 ? 5 : 3);
}
