import { describe, expect, it } from 'vitest';
import type { PoolWorker } from '../../../../coordinator/core/pool/poolWorker.ts';
import { chooseWorker, waitingReason } from '../../../../coordinator/core/programs/placement.ts';

const worker = (workerId: string, change: Partial<PoolWorker> = {}): PoolWorker => ({
  workerId,
  name: undefined,
  runtime: 'node',
  device: { kind: 'cpu', name: 'x' },
  cores: 4,
  remoteAddress: 'memory',
  peerId: workerId,
  present: true,
  leaving: undefined,
  session: 1,
  life: 1,
  runId: undefined,
  programs: 0,
  isOwners: false,
  checksPassed: 0,
  takesPrograms: 'any',
  joinedAtMs: 0,
  roundTripMs: undefined,
  ...change,
});
const demand = { name: 'a program', ownersCode: false };
const chosen = (workers: readonly PoolWorker[], more: object = {}): string | undefined =>
  chooseWorker(workers, { ...demand, ...more }, new Map())?.workerId;

describe('the worker of a program', () => {
  it('has the fewest programs, and joined first of those', () => {
    expect(
      chosen([worker('a', { programs: 2 }), worker('b', { programs: 1 }), worker('c', { programs: 1 })]),
    ).toBe('b');
  });

  it('takes no more than its cores, and few however many it claims', () => {
    const places = (cores: number): number => {
      let programs = 0;
      while (chosen([worker('a', { cores, programs })]) !== undefined) programs += 1;
      return programs;
    };
    expect([0, 1, 4, 16, 4096].map(places)).toEqual([1, 1, 4, 16, 16]);
  });

  it('is none whose answers could not be, and one that vanished only where there is no other', () => {
    const workers = [worker('a'), worker('b', { programs: 3 })];
    expect(chosen(workers, { excluded: ['a'] })).toBe('b');
    expect(chosen(workers, { avoided: ['a'] })).toBe('b');
    expect(chosen([worker('a')], { avoided: ['a'] })).toBe('a');
    expect(chosen([worker('a')], { excluded: ['a'] })).toBeUndefined();
    expect(waitingReason([worker('a')], { ...demand, excluded: ['a'] }, new Map())).toBe(
      'a program waits for 1 worker; 0 of 1 are free (1 whose answers could not be).',
    );
  });
});
