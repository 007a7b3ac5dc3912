import { expect, it } from 'vitest';
import { LinkSpeeds } from '../../../../client/page/join/linkSpeeds.ts';

it('tells how many bytes a second go over a link, and forgets links that are gone', () => {
  const speeds = new LinkSpeeds();
  const link = (peer: string, bytesSent: number, bytesReceived = 0) => ({ peer, bytesSent, bytesReceived });
  speeds.measure([link('a', 0), link('b', 100)], 0);
  expect(speeds.of('a')).toBe(0);
  speeds.measure([link('a', 500), link('b', 100)], 1000);
  expect(speeds.of('a')).toBe(0);
  speeds.measure([link('a', 3000, 1000), link('b', 100)], 2000);
  expect([speeds.of('a'), speeds.of('b')]).toEqual([2000, 0]);
  // Made anew: its bytes count from 0 again.
  speeds.measure([link('a', 10)], 4000);
  expect([speeds.of('a'), speeds.of('b')]).toEqual([0, 0]);
  speeds.measure([link('a', 8010)], 6000);
  expect(speeds.of('a')).toBe(4000);
});
