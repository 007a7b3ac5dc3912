// Experiments and their trials as rows of a table.

import { formatDuration, formatMetrics } from '../progress/formatNumbers.ts';
import { SILENT_MS, type RecordedExperiment } from '../../shared/api/experiment.ts';
import { textTable } from './textTable.ts';

const SHOWN_ID_CHARACTERS = 8;

/** @param nowMs milliseconds since 1970. */
export function experimentRow(experiment: RecordedExperiment, nowMs: number): string[] {
  const { experimentId, name, folder, status, errorCode, metric, mode, trialCount } = experiment;
  const silentMs = nowMs - experiment.heardAtMs;
  const isSilent = status === 'running' && silentMs > SILENT_MS;
  return [
    experimentId.slice(0, SHOWN_ID_CHARACTERS),
    name,
    isSilent ? `running, not heard of for ${formatDuration(silentMs)}` : status,
    `${trialCount} ${trialCount === 1 ? 'trial' : 'trials'}`,
    metric === undefined ? '' : `${metric} ${mode ?? ''}`,
    [errorCode, folder].filter((piece) => piece !== undefined).join('  '),
  ];
}

/** A line for the experiment, and below it one for each trial. */
export function experimentLines(experiment: RecordedExperiment, nowMs: number): string {
  const { trials, trialCount } = experiment;
  const rows = trials.map(trialRow);
  if (trialCount > trials.length) rows.push(['', `… ${trialCount - trials.length} more`]);
  return textTable([experimentRow(experiment, nowMs)]) + textTable(rows);
}

function trialRow(trial: RecordedExperiment['trials'][number]): string[] {
  const { number, status, assignment, iterations, lastScore, bestScore, runId, errorCode } = trial;
  const values = Object.entries(assignment).map(
    ([path, value]) => `${path.split('.').at(-1) ?? path}=${String(value)}`,
  );
  return [
    '',
    `trial ${number}`,
    status,
    values.join(' '),
    `${iterations} iterations`,
    lastScore === undefined ? '' : formatMetrics({ last: lastScore }),
    bestScore === undefined ? '' : formatMetrics({ best: bestScore }),
    errorCode ?? (runId === undefined ? '' : `run ${runId.slice(0, SHOWN_ID_CHARACTERS)}`),
  ];
}
