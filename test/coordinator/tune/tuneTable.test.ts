import { describe, expect, it } from 'vitest';
import { newTrial, type Trial } from '../../../coordinator/tune/trial/trial.ts';
import { tableLines } from '../../../coordinator/tune/progress/tableText.ts';
import { tuneTable } from '../../../coordinator/tune/progress/tuneTable.ts';
import { Screen } from '../../setup/screen.ts';

function trial(index: number, change: Partial<Trial>, auc?: number): Trial {
  const reports = auc === undefined ? [] : [{ iteration: 5, metrics: { auc }, elapsedMs: 2000 }];
  return { ...newTrial(index, {}), reports, ...change };
}
const rows = [
  { trial: trial(0, { status: 'finished' }, 0.7), params: { 'params.max_depth': 4 } },
  { trial: trial(1, { status: 'running' }, 0.712345), params: { 'params.max_depth': 6 } },
  {
    trial: trial(2, { status: 'waiting', waiting: 'trial 2 waits for 2 workers; 1 is free' }),
    params: { 'params.max_depth': 8 },
  },
  {
    trial: trial(3, { status: 'finished', stopReason: 'reached maxT, 5' }, 0.8),
    params: { 'params.max_depth': 9 },
  },
];

describe('table of trials', () => {
  it('has what runs first, then what is best, and says what a trial waits for', () => {
    const lines = tableLines(rows, { metric: 'auc', mode: 'max', planned: 6, width: 100, height: 10 });
    expect(lines).toEqual([
      'trials: 4 of 6 (1 running, 1 waiting, 2 finished)',
      'trial  status    max_depth  iter  time   auc',
      '1      running   6          5     2.0 s  0.71235',
      '2      waiting   8                                trial 2 waits for 2 workers; 1 is free',
      '3      finished  9          5     2.0 s  0.8      reached maxT, 5',
      '0      finished  4          5     2.0 s  0.7',
    ]);
  });

  it('says last why no new trial begins, until it does', () => {
    let text = '';
    const stream = { write: (piece: string) => (text += piece), columns: 60, rows: 20 };
    let time = 0;
    const live = tuneTable({ stream, mode: 'live', metric: 'auc', best: 'max', now: () => (time += 200) });
    const waiting = 'trial 4 waits for trial 1: tpe learns from it';
    live.callback.onEvent?.({ type: 'trial', ...rows[1]! });
    live.callback.onEvent?.({ type: 'queued', index: 4, waiting });
    expect(text.endsWith(`\n${waiting}`)).toBe(true);
    live.callback.onEvent?.({ type: 'trial', trial: trial(4, {}), params: {} });
    expect(text.endsWith(waiting)).toBe(false);
    expect(text.split(waiting)).toHaveLength(2);

    text = '';
    const json = tuneTable({ stream, mode: 'json', metric: 'auc', best: 'max', now: () => time });
    json.callback.onEvent?.({ type: 'queued', index: 4, waiting });
    expect(JSON.parse(text)).toEqual({ type: 'queued', trial: 4, waiting });
  });

  it('fits its place', () => {
    const lines = tableLines(rows, { metric: 'auc', mode: 'min', planned: Infinity, width: 30, height: 2 });
    expect(lines[0]).toBe('trials: 4 (1 running, 1 waiti…');
    expect(lines.at(-1)).toBe('… 2 more');
    expect(lines.every((line) => line.length <= 30)).toBe(true);
  });

  function played(mode: 'live' | 'plain' | 'json' | 'none', interrupt?: AbortController): Screen {
    let time = 0;
    const screen = new Screen(60, 20);
    const now = (): number => (time += 100);
    const signal = interrupt?.signal;
    const table = tuneTable({ stream: screen, mode, metric: 'auc', best: 'max', now, signal });
    table.callback.onEvent?.({ type: 'started', name: 'e', trials: 4 });
    for (const row of rows) table.callback.onEvent?.({ type: 'trial', ...row });
    if (mode === 'live') table.line('warning: slow');
    interrupt?.abort();
    if (interrupt) screen.write('Ending in order.\n');
    const [first] = rows;
    table.callback.onEvent?.({ type: 'report', trial: first!.trial, iteration: 5, metrics: { auc: 0.7 } });
    table.close();
    table.close();
    return screen;
  }

  it('rewrites itself in place on a terminal, and stays below what is written', () => {
    const { lines } = played('live');
    expect(lines).toEqual([
      'warning: slow',
      'trials: 4 of 4 (1 running, 1 waiting, 2 finished)',
      'trial  status    max_depth  iter  time   auc',
      '1      running   6          5     2.0 s  0.71235',
      '2      waiting   8                                trial 2…',
      '3      finished  9          5     2.0 s  0.8      reached…',
      '0      finished  4          5     2.0 s  0.7',
      '',
    ]);
  });

  it('stays as it is where it is called off, and is drawn once more at the end', () => {
    const { lines } = played('live', new AbortController());
    const table = played('live').lines.slice(1, -1);
    expect(lines.filter((line) => line.startsWith('trials: ')).length).toBe(2);
    expect(lines.slice(-8)).toEqual(['Ending in order.', ...table, '']);
  });

  it('writes a line for each trial that ended on a pipe, JSON values for scripts, and nothing when quiet', () => {
    expect(played('plain').written.join('')).toBe(
      'experiment e\n' +
        'trial 0  {"params.max_depth":4}  auc 0.70000  finished\n' +
        'trial 3  {"params.max_depth":9}  auc 0.80000  finished: reached maxT, 5\n',
    );
    const values = played('json')
      .written.join('')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(values.map(({ type }) => type)).toEqual(['started', 'trial', 'trial', 'trial', 'trial', 'report']);
    expect(values[3]).toMatchObject({ trial: 2, waiting: 'trial 2 waits for 2 workers; 1 is free' });
    expect(played('none').written).toEqual([]);
  });
});
