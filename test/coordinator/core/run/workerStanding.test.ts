import { describe, expect, it } from 'vitest';
import { initialRunState, type RunState } from '../../../../coordinator/core/run/runState.ts';
import { workerStandings } from '../../../../coordinator/core/run/workerStanding.ts';

const state = (change: Partial<RunState>): RunState => ({ ...initialRunState(), ...change });

describe('workerStandings', () => {
  it('adds up what the runs have learned of a worker', () => {
    const standings = workerStandings([
      state({
        msPerRow: new Map([
          ['a', 0.02],
          ['b', 0],
        ]),
        worked: new Map([['a', 3]]),
        delays: new Map([['a', 1]]),
        doubts: new Map([['c', 2]]),
      }),
      state({
        worked: new Map([['a', 4]]),
        disturbances: new Map([['a', { level: 1.5, atMs: 0 }]]),
        setAside: new Map([
          ['b', { reason: 'was slow', until: 'forgiven' }],
          ['c', { reason: 'wrong sums', until: 'never' }],
        ]),
      }),
    ]);
    expect(Object.fromEntries(standings)).toEqual({
      a: { rowsPerSecond: 50_000, rounds: 7, disturbances: 1.5, delays: 1, doubts: 0 },
      b: {
        rounds: 0,
        disturbances: 0,
        delays: 0,
        doubts: 0,
        setAside: { reason: 'was slow', isForGood: false },
      },
      c: {
        rounds: 0,
        disturbances: 0,
        delays: 0,
        doubts: 2,
        setAside: { reason: 'wrong sums', isForGood: true },
      },
    });
  });

  it('knows nothing where no run has', () => {
    expect(workerStandings([]).size).toBe(0);
  });
});
