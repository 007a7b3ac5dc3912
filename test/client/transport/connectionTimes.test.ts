import { describe, expect, it } from 'vitest';
import { connectionTime } from '../../../client/transport/connectionTimes.ts';

const report = (kinds: readonly [string, string], pair: object, more: readonly [string, object][] = []) =>
  new Map<string, unknown>([
    ['other', { type: 'candidate-pair', currentRoundTripTime: 9, state: 'failed' }],
    ['l', { type: 'local-candidate', candidateType: kinds[0] }],
    ['r', { type: 'remote-candidate', candidateType: kinds[1] }],
    ['pair', { type: 'candidate-pair', localCandidateId: 'l', remoteCandidateId: 'r', ...pair }],
    ...more,
  ]);
const transport: [string, object] = ['t', { type: 'transport', selectedCandidatePairId: 'pair' }];

describe('what WebRTC knows of a connection', () => {
  it('is the round trip of the pair in use, and the kind of its addresses', () => {
    const time = { currentRoundTripTime: 0.0125 };
    const routes = (kinds: readonly [string, string]) => connectionTime(report(kinds, time, [transport]));
    expect(routes(['host', 'host'])).toEqual({ roundTripMs: 12.5, route: 'host' });
    expect(routes(['host', 'prflx'])?.route).toBe('reflexive');
    expect(routes(['srflx', 'relay'])?.route).toBe('relay');
  });

  it('is found without statistics of transports, too', () => {
    const time = { currentRoundTripTime: 0.002 };
    expect(connectionTime(report(['host', 'host'], { ...time, selected: true }))?.roundTripMs).toBe(2);
    const nominated = { ...time, nominated: true, state: 'succeeded' };
    expect(connectionTime(report(['host', 'host'], nominated))?.roundTripMs).toBe(2);
  });

  it('is nothing before it has been measured', () => {
    expect(connectionTime(new Map())).toBeUndefined();
    expect(connectionTime(report(['host', 'host'], {}, [transport]))).toBeUndefined();
  });
});
