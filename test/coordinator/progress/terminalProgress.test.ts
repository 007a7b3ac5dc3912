import { describe, expect, it } from 'vitest';
import type { ProgressEvent } from '../../../coordinator/progress/progressEvent.ts';
import { terminalProgress, type ProgressMode } from '../../../coordinator/progress/terminalProgress.ts';
import { Screen } from '../../setup/screen.ts';

const timings = [{ workerId: 'a', computeMs: 75, exchangeMs: 25, bytesSent: 8 }];

/** A run of three rounds on two workers, with a lost one in the middle. Times are those of the manual clock. */
const story: readonly (readonly [number, ProgressEvent])[] = [
  [0, { type: 'preparing', rows: 0, rowsTotal: 2000 }],
  [200, { type: 'preparing', rows: 1000, rowsTotal: 2000 }],
  [400, { type: 'preparing', rows: 2000, rowsTotal: 2000 }],
  [500, { type: 'waiting', reason: '1 more worker needed' }],
  [600, { type: 'waiting', reason: '1 more worker needed' }],
  [
    1000,
    {
      type: 'group',
      generation: 1,
      workers: [
        { workerId: 'a', runtime: 'node', device: 'cpu', rows: 700 },
        { workerId: 'b', runtime: 'browser', device: 'webgpu', rows: 300 },
      ],
    },
  ],
  [1200, { type: 'loading', rowsLoaded: 500, rowsTotal: 1000 }],
  [2000, { type: 'loading', rowsLoaded: 1000, rowsTotal: 1000 }],
  [4000, round(0, 0.5)],
  [5000, { type: 'workerLost', workerId: 'b', reason: 'socket closed', shards: 3 }],
  [
    6000,
    {
      type: 'group',
      generation: 2,
      workers: [{ workerId: 'a', runtime: 'node', device: 'cpu', rows: 1000 }],
    },
  ],
  [8000, round(1, 0.4)],
  [10_000, round(2, 0.3)],
];

function round(index: number, logloss: number): ProgressEvent {
  return {
    type: 'round',
    committed: { round: index, payload: [{ large: 'tree' }], metrics: { 'valid-logloss': logloss } },
    timings,
  };
}

/** Plays the story on a terminal. */
function play(mode: ProgressMode, columns = 120, rows = 24): Screen {
  const stream = new Screen(columns, rows);
  let now = 0;
  const progress = terminalProgress({ stream, mode, roundsTotal: 3, now: () => now });
  for (const [time, event] of story) {
    now = time;
    progress.event(event);
  }
  progress.close();
  return stream;
}

const plainLines = [
  'prepared 2,000 rows',
  'waiting: 1 more worker needed',
  'generation 1: 2 workers',
  '  a  node  cpu  700 rows',
  '  b  browser  webgpu  300 rows',
  'round 1/3  valid-logloss 0.50000  2.0 s',
  'lost worker b: socket closed; 3 of its shards go to others',
  'generation 2: 1 worker',
  '  a  node  cpu  1,000 rows',
  'round 2/3  valid-logloss 0.40000  2.0 s',
  'round 3/3  valid-logloss 0.30000  2.0 s',
  '',
];

describe('terminal progress', () => {
  it('writes a few plain lines and no control characters where there is no terminal', () => {
    const text = play('plain').written.join('');
    expect(text.split('\n')).toEqual(plainLines);
    expect(text).not.toContain('\r');
    expect(text).not.toContain('\u001B');
  });

  it.each([
    [120, 24],
    [120, 5],
    [30, 24],
    [12, 3],
  ])('leaves the same lines on a terminal of %d columns and %d rows, and nothing else', (columns, rows) => {
    const { lines } = play('live', columns, rows);
    const letters = (some: readonly string[]): string => some.join('').replaceAll(' ', '');
    expect(letters(lines)).toBe(letters(plainLines));
  });

  it('shows how far it is, the metrics with their curves, and what each worker does', () => {
    expect(play('live', 120).written.at(-2)).toBe(
      [
        '\r\u001B[2A\u001B[Jround 3/3  valid-logloss 0.30000  2.0 s',
        'round 3/3  [################]  0.0 s left  2.0 s a round  500 rows/s  1 worker  1 lost  generation 2',
        'valid-logloss  █▅▁  0.30000  best 0.30000 in round 3',
        'a  node  cpu  1,000 rows  ██████░░  computing 75 ms, exchange 25 ms',
      ].join('\n'),
    );
  });

  it('shows one line on a terminal of few rows', () => {
    const { written } = play('live', 200, 7);
    expect(written).toContain('\r\u001B[Jpreparing  [########........]  1,000 of 2,000 rows');
    expect(written.at(-2)).toBe(
      '\r\u001B[Jround 3/3  valid-logloss 0.30000  2.0 s\n' +
        'round 3/3  [################]  0.0 s left  valid-logloss 0.30000  2.0 s a round  500 rows/s  1 worker  1 lost  generation 2',
    );
  });

  it('takes away what it drew when the work is called off, and goes on with plain lines', () => {
    const stream = new Screen();
    const interrupt = new AbortController();
    const progress = terminalProgress({
      stream,
      mode: 'live',
      roundsTotal: 3,
      now: () => 0,
      signal: interrupt.signal,
    });
    progress.event(round(0, 0.5));
    expect(stream.lines.length).toBeGreaterThan(2);
    interrupt.abort();
    expect(stream.lines).toEqual(['round 1/3  valid-logloss 0.50000', '']);
    stream.write('Ending in order.\n');
    progress.event(round(1, 0.4));
    progress.close();
    expect(stream.lines).toEqual([
      'round 1/3  valid-logloss 0.50000',
      'Ending in order.',
      'round 2/3  valid-logloss 0.40000  0.0 s',
      '',
    ]);
  });

  it('draws anew when the terminal changes its size, until it is closed', () => {
    const written: string[] = [];
    const listeners = new Set<() => void>();
    const stream = {
      columns: 120,
      rows: 24,
      write: (text: string) => written.push(text),
      on: (_: 'resize', listener: () => void) => listeners.add(listener),
      off: (_: 'resize', listener: () => void) => listeners.delete(listener),
    };
    const progress = terminalProgress({ stream, mode: 'live', roundsTotal: 3, now: () => 0 });
    progress.event({ type: 'preparing', rows: 1000, rowsTotal: 2000 });
    stream.columns = 30;
    for (const listener of listeners) listener();
    expect(written.at(-1)).toBe('\r\u001B[1A\u001B[Jpreparing  [########.......…');
    progress.close();
    expect(listeners.size).toBe(0);
  });

  it('writes one JSON value an event, without the trees', () => {
    const { written } = play('json');
    const values = written.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(values).toHaveLength(story.length);
    expect(values[8]).toEqual({ type: 'round', round: 0, metrics: { 'valid-logloss': 0.5 }, timings });
    expect(written.every((line) => line.endsWith('\n'))).toBe(true);
  });

  it('writes nothing when it is asked to be quiet', () => {
    expect(play('none').written).toEqual([]);
  });

  it('redraws the live line at most once in 80 ms', () => {
    const written: string[] = [];
    let now = 0;
    const progress = terminalProgress({
      stream: { write: (text: string) => written.push(text), columns: 80 },
      mode: 'live',
      roundsTotal: 1,
      now: () => now,
    });
    for (; now < 800; now++) progress.event({ type: 'preparing', rows: now });
    expect(written).toHaveLength(10);
  });

  it('gives a long run at most 25 round lines, the first and the last among them', () => {
    const written: string[] = [];
    const progress = terminalProgress({
      stream: { write: (text: string) => written.push(text) },
      mode: 'plain',
      roundsTotal: 1000,
      now: () => 0,
    });
    for (let index = 0; index < 1000; index++) progress.event(round(index, 0.5));
    expect(written).toHaveLength(26);
    expect(written[0]).toMatch(/^round {4}1\/1000/);
    expect(written.at(-1)).toMatch(/^round 1000\/1000/);
  });
});

describe('progress of a run that is over', () => {
  it('tells no times, since events arrive all at once', () => {
    const written: string[] = [];
    const progress = terminalProgress({
      stream: { write: (text: string) => written.push(text) },
      mode: 'plain',
      roundsTotal: 3,
      now: () => 0,
      timed: false,
    });
    for (const [, event] of story) progress.event(event);
    expect(written.at(-1)).toBe('round 3/3  valid-logloss 0.30000\n');
  });
});
