import { describe, expect, it } from 'vitest';
import type { WorkerSummary } from '../../../../shared/api/workerAnswers.ts';
import { ringLayout } from '../../../../client/page/swarm/ring.ts';
import {
  ageWords,
  deviceWords,
  distrust,
  linkWords,
  seenWords,
  speedWords,
  trafficWords,
  trustWords,
  workerRow,
} from '../../../../client/page/swarm/workerRow.ts';

const worker: WorkerSummary = {
  workerId: 'w-1',
  runtime: 'browser',
  device: { kind: 'webgpu', name: 'apple metal-3' },
  cores: 8,
  remoteAddress: '192.0.2.7',
  present: true,
  programs: 0,
  joinedAtMs: 0,
};
const standing = { rounds: 3, disturbances: 0.2, delays: 0, doubts: 0 };
const doing = (change: Partial<WorkerSummary>): string =>
  workerRow({ ...worker, ...change }, (runId) => `run ${runId}`).doing;

describe('a worker in the table of the swarm', () => {
  it('says what it does', () => {
    expect(doing({})).toBe('waits for work');
    expect(doing({ runId: 'r' })).toBe('in run r');
    expect(doing({ programs: 2 })).toBe('2 programs');
    expect(doing({ leaving: 'drained by the owner', runId: 'r' })).toBe(
      'leaving: drained by the owner, in run r',
    );
    expect(doing({ present: false, runId: 'r' })).toBe('away');
  });

  it('says nothing of what is not known', () => {
    const words = [speedWords, trustWords, linkWords].map((inWords) => inWords(worker));
    expect(words).toEqual(['', '', '']);
    expect(distrust(worker)).toBe(0);
  });

  it('says how far it is believed, and sorts those up whose work is not proven', () => {
    const those = [
      { ...worker, trust: 'owners', checksPassed: 0 },
      { ...worker, trust: 'proven', checksPassed: 1234 },
      { ...worker, trust: 'unproven', checksPassed: 1, standing },
      { ...worker, trust: 'owners', standing: { ...standing, delays: 1 } },
    ] as const;
    expect(those.map(trustWords)).toEqual([
      'owner’s',
      'proven, 1234 checks passed',
      'unproven, 1 check passed',
      'owner’s, kept others waiting once',
    ]);
    const levels = those.map(distrust);
    expect(levels).toEqual(levels.toSorted((a, b) => a - b));
    expect(new Set(levels).size).toBe(4);
  });

  it('tells of speed, links and why there is no GPU', () => {
    expect(speedWords({ ...worker, standing: { ...standing, rowsPerSecond: 123_456 } })).toBe(
      '123,000 rows/s',
    );
    expect(linkWords({ ...worker, links: { direct: 3, relay: 0 } })).toBe('3 direct');
    expect(linkWords({ ...worker, links: { direct: 3, relay: 2 } })).toBe('3 direct, 2 relayed');
    expect(
      deviceWords({ ...worker, device: { kind: 'cpu', name: 'JavaScript', reason: 'no adapter' } }),
    ).toBe('JavaScript (no adapter)');
  });

  it('tells what is held against it, and sorts by that', () => {
    const setAside = {
      ...standing,
      doubts: 2,
      delays: 1,
      setAside: { reason: 'was slow', isForGood: false },
    };
    expect(trustWords({ ...worker, standing })).toBe('');
    expect(trustWords({ ...worker, standing: setAside })).toBe(
      'set aside: was slow, set aside 2 times without proof, kept others waiting once',
    );
    const forGood = { ...standing, setAside: { reason: 'wrong sums', isForGood: true } };
    const levels = [standing, { ...standing, delays: 3 }, setAside, forGood].map((one) =>
      distrust({ ...worker, standing: one }),
    );
    expect(levels).toEqual(levels.toSorted((a, b) => a - b));
    expect(new Set(levels).size).toBe(4);
  });

  it('tells when it was heard, for how long it is there and what it sent', () => {
    expect(seenWords({ ...worker, silentMs: 14_000 })).toBe('now');
    expect(seenWords({ ...worker, silentMs: 61_000 })).toBe('1 min 1 s ago');
    expect(seenWords({ ...worker, present: false, silentMs: 5_000 })).toBe('5 s ago');
    expect([59_999, 61_000, 3_660_000].map((ageMs) => ageWords({ ...worker, ageMs }))).toEqual([
      'under a minute',
      '1 min',
      '1 h 1 min',
    ]);
    expect(trafficWords({ ...worker, sentBytes: 500, receivedBytes: 500 })).toBe('1 kB control');
    expect(
      trafficWords({ ...worker, sentBytes: 1, receivedBytes: 0, exchangedBytes: 2e6, relayedBytes: 1e6 }),
    ).toBe('2 MB to others, 1 MB of it relayed, 1 B control');
  });
});

describe('ringLayout', () => {
  it('has a ring for each run within the picture, and its workers on it', () => {
    const workers = Array.from({ length: 9 }, (_, i) => ({ workerId: `w${i}`, runId: `r${i % 3}` }));
    const { rings, spots } = ringLayout(workers, 900, 300);
    expect(rings.map(({ runId }) => runId)).toEqual(['r0', 'r1', 'r2']);
    for (const [i, { x, y }] of spots.entries()) {
      const ring = rings[i % 3]!;
      expect(Math.hypot(x - ring.x, y - ring.y)).toBeCloseTo(ring.radius, 9);
      expect(x > 0 && x < 900 && y > 0 && y < 300).toBe(true);
    }
    expect(new Set(spots.map(({ x, y }) => `${x.toFixed(3)} ${y.toFixed(3)}`)).size).toBe(9);
  });

  it('puts a single worker into the middle, and takes none', () => {
    const { rings, spots } = ringLayout([{ workerId: 'w', runId: 'r' }], 300, 300);
    expect(spots).toEqual([{ x: rings[0]!.x, y: rings[0]!.y }]);
    expect(ringLayout([], 300, 300)).toEqual({ rings: [], spots: [] });
  });
});
