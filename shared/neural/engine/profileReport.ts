// What a profile says to people: a table of ops by the time they took, and a trace that chrome://tracing and Perfetto
// open.

import type { ProfileEntry } from '../trainingEngine.ts';

interface Line {
  readonly name: string;
  runs: number;
  ns: number;
  flop: number;
  bytes: number;
}

function linesOf(entries: readonly ProfileEntry[]): Line[] {
  const lines = new Map<string, Line>();
  for (const { name, startNs, endNs, flop, bytes } of entries) {
    const line = lines.get(name) ?? { name, runs: 0, ns: 0, flop: 0, bytes: 0 };
    line.runs += 1;
    line.ns += endNs - startNs;
    line.flop += flop;
    line.bytes += bytes;
    lines.set(name, line);
  }
  return [...lines.values()].sort((a, b) => b.ns - a.ns);
}

/** Ops by time: share, milliseconds, runs, GFLOP/s, GB/s, name. Empty where the device has no timestamps. */
export function profileTable(entries: readonly ProfileEntry[]): string {
  const lines = linesOf(entries);
  const total = lines.reduce((sum, { ns }) => sum + ns, 0);
  const rate = (amount: number, ns: number): string => (ns > 0 ? (amount / ns).toFixed(1) : '–').padStart(9);
  const rows = lines.map(({ name, runs, ns, flop, bytes }) => {
    const share = `${((100 * ns) / Math.max(1, total)).toFixed(1)} %`.padStart(7);
    const took = (ns / 1e6).toFixed(3).padStart(10);
    return `${share} ${took} ${String(runs).padStart(6)} ${rate(flop, ns)} ${rate(bytes, ns)}  ${name}`;
  });
  return rows.length === 0 ? '' : ['  share         ms   runs   GFLOP/s      GB/s  op', ...rows].join('\n');
}

/** JSON in the Trace Event Format: a complete event an op, in microseconds from the first. */
export function profileTrace(entries: readonly ProfileEntry[]): string {
  const first = entries.reduce((least, { startNs }) => Math.min(least, startNs), Infinity);
  const traceEvents = entries.map(({ name, layer, phase, startNs, endNs, flop, bytes }) => ({
    name,
    cat: phase,
    ph: 'X',
    ts: (startNs - first) / 1e3,
    dur: (endNs - startNs) / 1e3,
    pid: 1,
    tid: 1,
    args: { layer, flop, bytes },
  }));
  return JSON.stringify({ traceEvents, displayTimeUnit: 'ns' });
}
