// Runs as rows of a table.

import { formatMetrics } from '../progress/formatNumbers.ts';
import type { RunSummary } from '../cluster/remote/apiAnswers.ts';

const SHOWN_ID_CHARACTERS = 8;

export function runRow(run: RunSummary): string[] {
  const { runId, name, status, rounds, totalRounds, workers, waiting, lastMetrics, error } = run;
  const remark = error === undefined ? waiting : `${error.code}: ${error.message}`;
  return [
    runId.slice(0, SHOWN_ID_CHARACTERS),
    name,
    status,
    `${rounds}/${totalRounds} rounds`,
    `${workers.length} workers`,
    [formatMetrics(lastMetrics ?? {}), remark ?? ''].filter((piece) => piece !== '').join('  '),
  ];
}
