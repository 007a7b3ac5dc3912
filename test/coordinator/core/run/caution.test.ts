// Newcomers that keep the others waiting and go just before they are given up, under a new name each time.

import { describe, expect, it } from 'vitest';
import { Bench, makeWorker } from './runBench.ts';

const others = [makeWorker('a'), makeWorker('b')];

/** A group of two that has recorded a round, and a newcomer that has got a place in it. */
function withNewcomer(): Bench {
  const bench = new Bench({ workers: { min: 2, max: 3 }, totalRounds: 1_000 });
  bench.workers(...others);
  if (bench.state.phase === 'waiting') bench.tick();
  bench.ready('a', 'b');
  bench.allCommitted(0);
  bench.workers(...others, makeWorker('m'));
  bench.prepared('m');
  bench.atMs = bench.state.joinAtMs!;
  bench.input({ type: 'tick', atMs: bench.atMs });
  for (const workerId of ['a', 'b']) {
    bench.committed(workerId, 1);
    bench.halted(workerId, 2, 1);
  }
  expect(bench.group).toEqual(['a', 'b', 'm']);
  return bench;
}

/** How long no newcomer is waited for. */
const cautionMs = ({ state, atMs }: Bench): number => Math.max(0, state.cautiousUntilMs - atMs);

/** The ways to go, for a member that has kept the others waiting for three seconds. */
const exits: Readonly<Record<string, (bench: Bench) => void>> = {
  'loses its socket': (bench) => {
    bench.workers(...others, makeWorker('m', { present: false }));
    bench.tick();
  },
  'is gone': (bench) => bench.workers(...others),
  'is leaving': (bench) => bench.workers(...others, makeWorker('m', { leaving: true })),
  'comes over a new socket': (bench) => bench.workers(...others, makeWorker('m', { session: 2 })),
  'gives up': (bench) =>
    bench.message('m', { type: 'stalled', missing: [], code: 'DEVICE_LOST', message: 'it is gone' }),
  'names another': (bench) =>
    bench.message('m', { type: 'stalled', missing: ['a'], code: 'PEER_LOST', message: 'no answer' }),
  'says that it can not': (bench) => bench.message('m', { type: 'failed', code: 'INTERNAL', message: 'no' }),
  'says what can not be': (bench) => bench.says('m', 2, { metrics: undefined }),
};

describe('a newcomer that keeps the group waiting in its first round', () => {
  it.each(Object.keys(exits))('and then %s: that is worked off four times', (name) => {
    const bench = withNewcomer();
    bench.ready('a', 'b', 'm');
    bench.atMs += 3_000;
    exits[name]!(bench);
    expect(bench.state.phase).toBe('halting');
    expect(cautionMs(bench)).toBeGreaterThanOrEqual(4 * 3_000);
  });

  it('and tells of a round before it goes: that is worked off all the same', () => {
    const bench = withNewcomer();
    bench.ready('a', 'b', 'm');
    bench.atMs += 3_000;
    bench.committed('m', 2);
    bench.workers(...others);
    expect(cautionMs(bench)).toBeGreaterThanOrEqual(4 * 3_000);
  });
});

describe('a newcomer that keeps the group waiting while it loads', () => {
  it('and loses its socket: that is worked off four times', () => {
    const bench = withNewcomer();
    bench.ready('a', 'b');
    bench.message('m', { type: 'loading', rowsLoaded: 0, rowsTotal: 1_000 });
    bench.atMs += 3_000;
    exits['loses its socket']!(bench);
    expect(cautionMs(bench)).toBeGreaterThanOrEqual(4 * 3_000);
  });
});

describe('a member that has worked', () => {
  it('and is killed in the middle of a round costs no newcomer anything', () => {
    const bench = withNewcomer();
    bench.ready('a', 'b', 'm');
    bench.atMs += 100;
    bench.allCommitted(2);
    bench.atMs += 100;
    bench.workers(makeWorker('a'), makeWorker('m'));
    expect(cautionMs(bench)).toBe(0);
  });
});
