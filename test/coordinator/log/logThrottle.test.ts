import { describe, expect, it } from 'vitest';
import { LogThrottle } from '../../../coordinator/log/logThrottle.ts';
import type { LogEntry } from '../../../coordinator/log/log.ts';

const refused = (source: string, nth = 0): LogEntry => ({
  level: 'warn',
  kind: 'refused',
  source,
  message: `Refused a worker at ${source}: reason ${nth}`,
});

describe('a throttled log', () => {
  it('writes the first three of a source, and tells how many more there were', () => {
    const throttle = new LogThrottle();
    const written = Array.from({ length: 495 }, (_, nth) => refused('203.0.113.7', nth)).filter((entry) =>
      throttle.admits(entry),
    );
    expect(written.map(({ message }) => message.slice(-8))).toEqual(['reason 0', 'reason 1', 'reason 2']);
    expect(throttle.endWindow(10_000)).toEqual([
      {
        ...refused('203.0.113.7', 0),
        message: '492 more like this from 203.0.113.7 in 10 s: Refused a worker at 203.0.113.7: reason 0',
      },
    ]);
  });

  it('begins anew with each window', () => {
    const throttle = new LogThrottle({ perSource: 1 });
    expect([1, 2].map((nth) => throttle.admits(refused('a', nth)))).toEqual([true, false]);
    expect(throttle.endWindow(10_000)).toHaveLength(1);
    expect(throttle.endWindow(10_000)).toEqual([]);
    expect(throttle.admits(refused('a'))).toBe(true);
  });

  it('writes what is of other kinds or sources in the midst of a flood', () => {
    const throttle = new LogThrottle();
    for (let nth = 0; nth < 1_000; nth++) throttle.admits(refused('a'));
    expect(throttle.admits(refused('b'))).toBe(true);
    expect(throttle.admits({ ...refused('a'), kind: 'malformed' })).toBe(true);
    expect(throttle.admits({ level: 'error', message: 'The disk is full' })).toBe(true);
  });

  it('tells entries without a kind apart by their words', () => {
    const throttle = new LogThrottle({ perSource: 1 });
    const entry = (message: string): LogEntry => ({ level: 'warn', message });
    const admitted = ['a', 'b', 'a', 'c', 'a'].map((message) => throttle.admits(entry(message)));
    expect(admitted).toEqual([true, true, false, true, false]);
    expect(throttle.endWindow(10_000).map(({ message }) => message)).toEqual(['2 more like this in 10 s: a']);
  });

  it('is bounded in lines and in memory when very many sources flood it', () => {
    const throttle = new LogThrottle({ perKind: 30, maxSources: 256, maxSummaries: 20 });
    let lines = 0;
    const sources = 100_000;
    for (let nth = 0; nth < sources; nth++)
      if (throttle.admits(refused(`10.0.${nth >> 8}.${nth & 255}`))) lines++;
    expect(lines).toBe(30);
    const summaries = throttle.endWindow(10_000);
    expect(summaries).toHaveLength(21);
    // The most are those that were not told apart.
    expect(summaries[0]!.message).toMatch(/^99744 more like this from others in 10 s: Refused a worker/);
    const counted = summaries.map(({ message }) => Number(/^\d+/.exec(message)));
    expect(counted.reduce((sum, count) => sum + count, 0)).toBe(sources - lines);
    expect(summaries.at(-1)!.message).toMatch(/^207 more entries from 207 others in 10 s$/);
  });
});
