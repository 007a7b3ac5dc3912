import { describe, expect, it } from 'vitest';
import type { ComputeStatus } from '../../../../client/runtime/computeApi.ts';
import {
  addContributions,
  ContributionCounter,
  noContribution,
  readContribution,
} from '../../../../client/page/join/contribution.ts';

type Session = Extract<ComputeStatus['session'], { state: 'training' }>;

const training = (change: Partial<Session> = {}, downloadedBytes = 0): ComputeStatus => ({
  phase: 'working',
  workerId: 'w',
  device: undefined,
  programs: 0,
  note: undefined,
  downloadedBytes,
  session: {
    state: 'training',
    runId: 'r',
    round: 1,
    rounds: 50,
    rows: 100,
    groupSize: 2,
    rank: 0,
    rowsPerSecond: 1,
    metrics: {},
    links: [],
    ...change,
  },
});
const idle: ComputeStatus = { ...training(), phase: 'waiting', session: { state: 'idle' } };
const link = (peer: string, bytesSent: number, bytesReceived: number) => ({
  peer,
  path: 'direct',
  bytesSent,
  bytesReceived,
});

describe('what a tab gave', () => {
  it('counts rounds, rows and time of the work that it took part in, and none from before', () => {
    const counter = new ContributionCounter();
    counter.count(idle, 0);
    counter.count(training({ round: 41 }), 1000);
    counter.count(training({ round: 42 }), 1500);
    counter.count(training({ round: 43, rows: 250 }), 2100);
    counter.count(training({ round: 43, rows: 250 }), 2200);
    counter.count(idle, 3000);
    counter.count(training({ runId: 'next', round: 1, rows: 7 }), 9000);
    expect(counter.total).toEqual({ ...noContribution, rounds: 4, rows: 457, runs: 2, workedMs: 1200 });
  });

  it('counts the bytes of links, also of those that are made anew, and of downloads', () => {
    const counter = new ContributionCounter();
    counter.count(training({ links: [link('a', 10, 1)] }, 1000), 0);
    counter.count(training({ round: 2, links: [link('a', 30, 5), link('b', 2, 2)] }, 1000), 1);
    counter.count(training({ round: 3, links: [link('a', 4, 1), link('b', 2, 2)] }, 1500), 2);
    expect(counter.total).toMatchObject({ sentBytes: 30 + 2 + 4, receivedBytes: 5 + 2 + 1 + 1500 });
  });

  it('is kept over visits, and begins at nothing where what was kept is damaged', () => {
    const given = { rounds: 1, rows: 2, runs: 3, workedMs: 4, receivedBytes: 5, sentBytes: 6 };
    expect(readContribution(JSON.stringify(given))).toEqual(given);
    expect(addContributions(given, given)).toEqual({
      rounds: 2,
      rows: 4,
      runs: 6,
      workedMs: 8,
      receivedBytes: 10,
      sentBytes: 12,
    });
    for (const text of [null, '', '{', 'null', '{"rounds":-1,"rows":"9","runs":1e999}']) {
      expect(readContribution(text)).toEqual(noContribution);
    }
  });
});
