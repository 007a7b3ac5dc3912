import { describe, expect, test } from 'vitest';
import {
  bytes,
  duration,
  fraction,
  milliseconds,
  statusWords,
} from '../../../../client/page/words/statusWords.ts';
import type { WorkerStatus } from '../../../../client/runtime/workerStatus.ts';

const status = (part: Partial<WorkerStatus>): WorkerStatus => ({
  phase: 'working',
  workerId: 'w1',
  device: undefined,
  session: { state: 'idle' },
  programs: 0,
  note: undefined,
  ...part,
});

describe('words for the volunteer', () => {
  test('name the round, the company and how far the run is', () => {
    const words = statusWords(
      status({
        session: {
          state: 'training',
          runId: 'r',
          round: 5,
          rounds: 20,
          rows: 1000,
          groupSize: 3,
          rank: 0,
          rowsPerSecond: 1,
          metrics: {},
          links: [],
        },
      }),
    );
    expect(words).toEqual({
      title: 'Training',
      note: 'Round 5 of 20, together with 2 other workers.',
      progress: { fraction: 0.25, words: '25 % of the run' },
    });
  });

  test('say how much of the data has come', () => {
    const session = { state: 'loading', runId: 'r', rowsLoaded: 0, rowsTotal: 0 } as const;
    expect(statusWords(status({ session })).progress?.fraction).toBe(0);
    expect(
      statusWords(status({ session: { ...session, rowsLoaded: 1500, rowsTotal: 3000 } })).progress,
    ).toEqual({
      fraction: 0.5,
      words: '1,500 of 3,000 rows',
    });
  });

  test('pass on why the coordinator is not there', () => {
    const words = statusWords(status({ phase: 'reconnecting', note: 'the connection broke off' }));
    expect(words.note).toContain('the connection broke off');
  });

  test('tell parts as people do', () => {
    expect([1 / 3, 0.34, 0.5, 2 / 3, 0.25, 0.1, 0.42, 0.9, 0.03, 0.001, 0].map(fraction)).toEqual([
      '1/3',
      '1/3',
      '1/2',
      '2/3',
      '1/4',
      '1/10',
      '42 %',
      '90 %',
      '3 %',
      'less than 1 %',
      '0 %',
    ]);
    expect([0, 0.34, 9.96, 12.4].map(milliseconds)).toEqual(['< 0.1 ms', '0.3 ms', '10 ms', '12 ms']);
  });

  test('give sizes three digits and a unit', () => {
    expect([0, 999, 1000, 1234, 65_536, 999_999_999, 5e15].map(bytes)).toEqual([
      '0 B',
      '999 B',
      '1 kB',
      '1.23 kB',
      '65.5 kB',
      '1 GB',
      '5000 TB',
    ]);
  });
});

test.each([
  [0, '0 s'],
  [0, '0 s'],
  [440, '0.4 s'],
  [61_000, '1 min 1 s'],
  [3_600_000, '1 h'],
  [90_061_000, '1 d 1 h'],
])('%i ms are %s', (ms, words) => {
  expect(duration(ms)).toBe(words);
});
