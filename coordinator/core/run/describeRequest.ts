// What a run was asked for, as its page shows it: without secrets, shards, models and other things of many bytes.

import { runKindOf } from './runKinds.ts';
import type { RunRequest } from './runRequest.ts';

const MAX_TEXT = 200;
const SHOWN_TEXT = 80;
const MAX_ITEMS = 24;
const SHOWN_ITEMS = 8;
const MAX_KEYS = 100;
const MAX_DEPTH = 6;
/** Of owners' own settings, which a loop is given: by what they are called. */
const secretName = /token|secret|passw|credential|api_?key|private_?key|authorization/i;
/** Parts of specs that have views of their own, or none that a person could read. */
const left: ReadonlySet<string> = new Set(['shards', 'topology', 'device', 'modelParts']);

interface DatasetWords {
  readonly rows: number;
  readonly shards: number;
  readonly sizeBytes: number;
}

/** Plain JSON of a few kilobytes. */
export function describeRequest({
  runId,
  name,
  spec,
  shards,
  workers,
  maxFailures,
}: Omit<RunRequest, 'shouldStop'>): Record<string, unknown> {
  const datasets: Record<string, DatasetWords> = {};
  for (const { dataset, rows, sizeBytes } of shards) {
    const sum = datasets[dataset] ?? { rows: 0, shards: 0, sizeBytes: 0 };
    datasets[dataset] = {
      rows: sum.rows + rows,
      shards: sum.shards + 1,
      sizeBytes: sum.sizeBytes + sizeBytes,
    };
  }
  return {
    runId,
    name,
    trainer: spec.trainer,
    totalRounds: runKindOf(spec).totalRounds(spec),
    workers: described(workers),
    maxFailures,
    datasets,
    spec: described(spec),
  };
}

/** The same value, with words in place of what is too long, too deep, or secret by its name. */
export function described(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') {
    return value.length <= MAX_TEXT ? value : `${value.slice(0, SHOWN_TEXT)}… (${value.length} characters)`;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (depth === MAX_DEPTH) return '…';
  if (Array.isArray(value)) {
    if (value.length <= MAX_ITEMS) return value.map((item) => described(item, depth + 1));
    const first = value.slice(0, SHOWN_ITEMS).map((item) => described(item, depth + 1));
    return [...first, `… (${value.length} in all)`];
  }
  const entries = Object.entries(value).filter(([key]) => !left.has(key));
  const shown = entries
    .slice(0, MAX_KEYS)
    .map(([key, item]) => [key, secretName.test(key) ? '(not shown)' : described(item, depth + 1)]);
  if (entries.length > MAX_KEYS) shown.push(['…', `${entries.length} in all`]);
  return Object.fromEntries(shown) as Record<string, unknown>;
}
