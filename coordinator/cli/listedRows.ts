// Runs and workers as rows of the tables that commands print.

import { formatMetrics, formatMilliseconds } from '../progress/formatNumbers.ts';
import type { RunSummary } from '../../shared/api/runAnswers.ts';
import type { workersAnswer } from '../../shared/api/workerAnswers.ts';

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

type Worker = ReturnType<typeof workersAnswer.parse>['workers'][number];

export function workerRow(worker: Worker): string[] {
  const { workerId, name, runtime, device, present, leaving, runId, roundTripMs } = worker;
  const { trust, checksPassed = 0 } = worker;
  const state = leaving === undefined ? (present ? 'present' : 'away') : `leaving: ${leaving}`;
  return [
    workerId,
    name ?? '',
    runtime,
    device.reason === undefined ? device.name : `${device.name} (${device.reason})`,
    state,
    runId === undefined ? 'idle' : `run ${runId.slice(0, SHOWN_ID_CHARACTERS)}`,
    roundTripMs === undefined ? '' : formatMilliseconds(roundTripMs),
    trustWords(trust, checksPassed),
  ];
}

function trustWords(trust: Worker['trust'], checksPassed: number): string {
  if (trust === undefined) return '';
  if (trust === 'owners') return "owner's";
  return `${trust}, ${checksPassed === 1 ? '1 check' : `${checksPassed} checks`}`;
}
