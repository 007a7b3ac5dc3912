// Several runs as rows of a table that can be sorted by any of its columns.

import type { Point } from '../design/curve.ts';
import { bestOf } from './smooth.ts';

export interface ComparedRun {
  readonly runId: string;
  readonly name: string;
  readonly status: string;
  readonly rounds: number;
  readonly tookMs: number;
  readonly curve: (metric: string) =>
    | {
        readonly last: Point | undefined;
        readonly lowest: Point | undefined;
        readonly highest: Point | undefined;
      }
    | undefined;
}

export interface ComparedColumn {
  readonly key: string;
  /** Undefined where a run has nothing of it: those come last. */
  readonly value: (run: ComparedRun) => number | string | undefined;
  /** The round that the value is of. */
  readonly at?: (run: ComparedRun) => number | undefined;
}

/** Names beyond these are in the charts alone. */
const MAX_METRICS = 6;

/** Last and, where the name says which is better, best of each metric. */
export function metricColumns(
  metrics: readonly string[],
): readonly (ComparedColumn & { metric: string; kind: 'best' | 'last' })[] {
  return metrics.slice(0, MAX_METRICS).flatMap((metric) => {
    const column = (kind: 'best' | 'last', pointOf: (run: ComparedRun) => Point | undefined) => ({
      key: `${kind} ${metric}`,
      metric,
      kind,
      value: (run: ComparedRun) => pointOf(run)?.value,
      at: (run: ComparedRun) => pointOf(run)?.at,
    });
    return [
      column('last', (run) => run.curve(metric)?.last),
      column('best', (run) => {
        const curve = run.curve(metric);
        return curve && bestOf(metric, curve);
      }),
    ];
  });
}

export function sortedBy(
  runs: readonly ComparedRun[],
  { value }: Pick<ComparedColumn, 'value'>,
  isDescending: boolean,
): ComparedRun[] {
  const compare = (a: number | string, b: number | string): number =>
    typeof a === 'number' && typeof b === 'number'
      ? a - b
      : String(a) < String(b)
        ? -1
        : String(a) > String(b)
          ? 1
          : 0;
  return runs.toSorted((first, second) => {
    const [a, b] = [value(first), value(second)];
    if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
    return isDescending ? compare(b, a) : compare(a, b);
  });
}
