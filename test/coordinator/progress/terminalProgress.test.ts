import { describe, expect, it } from 'vitest';
import type { ProgressEvent } from '../../../coordinator/progress/progressEvent.ts';
import { terminalProgress, type ProgressMode } from '../../../coordinator/progress/terminalProgress.ts';

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
    timings: [],
  };
}

/** Plays the story on a collecting stream and returns everything that was written. */
function play(mode: ProgressMode, columns?: number): string[] {
  const written: string[] = [];
  let now = 0;
  const progress = terminalProgress({
    stream: { write: (text: string) => written.push(text), columns },
    mode,
    roundsTotal: 3,
    now: () => now,
  });
  for (const [time, event] of story) {
    now = time;
    progress.event(event);
  }
  progress.close();
  return written;
}

/** What a terminal shows at the end, which knows carriage returns and "erase to the end of the line". */
function screen(written: readonly string[]): string[] {
  return written
    .join('')
    .split('\n')
    .map((line) => line.split('\r\u001B[K').at(-1) ?? '');
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
    const text = play('plain').join('');
    expect(text.split('\n')).toEqual(plainLines);
    expect(text).not.toContain('\r');
    expect(text).not.toContain('\u001B');
  });

  it('leaves the same lines on a terminal, and no live line behind', () => {
    expect(screen(play('live', 120))).toEqual(plainLines);
  });

  it('shows round, time left, metrics, speed, workers, losses and generation in the live line', () => {
    const lines = play('live', 200);
    expect(lines).toContain('\r\u001B[Kpreparing  [########........]  1,000 of 2,000 rows');
    const last = lines.findLast((text) => text.includes('left'));
    expect(last).toBe(
      'round 3/3  [################]  0.0 s left  valid-logloss 0.30000  500 rows/s  1 worker  1 lost  generation 2',
    );
  });

  it('never writes a live line as wide as the terminal', () => {
    const written = play('live', 30);
    for (const text of written.filter((piece) => !piece.endsWith('\n')))
      expect(text.replace('\r\u001B[K', '').length).toBeLessThan(30);
  });

  it('writes one JSON value an event, without the trees', () => {
    const written = play('json');
    const values = written.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(values).toHaveLength(story.length);
    expect(values[8]).toEqual({ type: 'round', round: 0, metrics: { 'valid-logloss': 0.5 }, timings: [] });
    expect(written.every((line) => line.endsWith('\n'))).toBe(true);
  });

  it('writes nothing when it is asked to be quiet', () => {
    expect(play('none')).toEqual([]);
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
