// The columns of the table of trials.

import type { Column } from '../design/dataTable.browser.tsx';
import { dashboardEn } from '../words/dashboardEn.ts';
import { count, numberWords } from '../words/statusWords.ts';
import type { Act, Api } from '../owner/api.browser.ts';
import { addressOf } from '../owner/view.ts';
import { keyOf, plainValue, type RecordedTrial } from './trials.ts';

const words = dashboardEn.tuning;

interface ColumnsOf {
  readonly api: Api;
  readonly act: Act;
  readonly experimentId: string;
  readonly paths: readonly string[];
  /** Trials of an experiment that goes on can be stopped. */
  readonly isRunning: boolean;
}

export function trialColumns(options: ColumnsOf): readonly Column<RecordedTrial>[] {
  const shortNames = options.paths.map((path) => path.split('.').at(-1) ?? path);
  const isOnce = (name: string): boolean => shortNames.indexOf(name) === shortNames.lastIndexOf(name);
  return [
    {
      key: 'trial',
      title: words.trial,
      value: ({ number }) => number,
      isNumber: true,
    },
    {
      key: 'status',
      title: words.status,
      value: ({ status }) => status,
      text: statusOf,
      cell: statusCell,
      isLong: true,
    },
    ...options.paths.map((path, i): Column<RecordedTrial> => ({
      key: keyOf(path),
      title: isOnce(shortNames[i]!) ? shortNames[i]! : path,
      value: ({ assignment }) => plainValue(assignment[path]),
      text: ({ assignment }) => valueWords(plainValue(assignment[path])),
    })),
    numberColumn('iterations', words.iterations, ({ iterations }) => iterations, count),
    numberColumn('score', words.lastScore, ({ lastScore }) => lastScore, scoreWords),
    numberColumn('best', words.bestScore, ({ bestScore }) => bestScore, scoreWords),
    {
      key: 'run',
      title: words.run,
      value: ({ runId }) => runId,
      cell: ({ runId }) => runId !== undefined && <a href={addressOf('runs', runId)}>{words.openRun}</a>,
    },
    ...(options.isRunning ? [stopColumn(options)] : []),
  ];
}

/** More digits than elsewhere: the best trials differ by little. */
export function scoreWords(score: number): string {
  return String(Number(score.toPrecision(6)));
}

function numberColumn(
  key: string,
  title: string,
  value: (trial: RecordedTrial) => number | undefined,
  inWords: (value: number) => string,
): Column<RecordedTrial> {
  const text = (trial: RecordedTrial): string => {
    const known = value(trial);
    return known === undefined ? '' : inWords(known);
  };
  return { key, title, value, text, isNumber: true };
}

function valueWords(value: string | number | undefined): string {
  return typeof value === 'number' ? numberWords(value) : (value ?? '');
}

/** "finished", "finished early", "errored". */
function statusOf({ status, prunedAt, errorCode }: RecordedTrial): string {
  if (errorCode !== undefined) return `${status} ${errorCode}`;
  return prunedAt === undefined ? status : words.early(status);
}

function statusCell(trial: RecordedTrial) {
  const { status, prunedAt, errorCode, stopReason } = trial;
  return (
    <>
      {prunedAt === undefined ? status : words.early(status)}
      {(errorCode ?? stopReason) !== undefined && <small class="block">{errorCode ?? stopReason}</small>}
    </>
  );
}

function stopColumn({ api, act, experimentId }: ColumnsOf): Column<RecordedTrial> {
  const canStop = ({ status }: RecordedTrial): boolean => status !== 'finished' && status !== 'errored';
  return {
    key: 'actions',
    title: words.actions,
    isUnsorted: true,
    value: (trial) => (canStop(trial) ? words.stop : ''),
    cell: (trial) =>
      canStop(trial) && (
        <button
          type="button"
          class="small"
          aria-label={words.stopTrial(trial.number)}
          onClick={() => act(api.post(`/api/v1/experiments/${experimentId}/trials/${trial.number}/stop`, {}))}
        >
          {words.stop}
        </button>
      ),
  };
}
