// What every database must do for the record of runs, whichever it is.

import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { endFacts } from '../../../../coordinator/core/run/facts.ts';
import { RunLog } from '../../../../coordinator/core/run/runLog.ts';
import type { ShownEvent } from '../../../../coordinator/core/run/runLog.ts';
import type { RunFact } from '../../../../coordinator/core/run/runRecord.ts';
import { committed, requestOf, roundEvent, roundFact } from './storeFacts.ts';
import { type StoreWorld } from './storeWorld.ts';

const waiting: RunFact = {
  type: 'event',
  event: { type: 'waiting', reason: 'Waiting for „Ünï𝄞\u0001".' },
};
const members = [{ workerId: 'w-1', peerId: 'p-1', shards: [0] }];
const never = new AbortController().signal;

async function shown(log: RunLog, after = 0): Promise<ShownEvent[]> {
  const events: ShownEvent[] = [];
  for await (const event of log.follow(after, never)) events.push(event);
  return events;
}

/** Tests of a suite for one database. */
export function describeRuns(world: StoreWorld): void {
  it('gives an unfinished run back as it was left, to the last bit', async () => {
    const log = await world.begin('r', waiting);
    await log.write([{ type: 'group', generation: 4, members }, roundFact(0), roundEvent(0)]);
    await log.write([roundFact(1)]);
    await world.reopen();
    expect(await world.store.runs.unfinished()).toEqual([
      {
        request: requestOf('r'),
        attended: false,
        generation: 4,
        members,
        rounds: [committed(0), committed(1)],
        announcedRounds: 1,
        lastSequence: 2,
      },
    ]);
  });

  it('forgets rounds that are undone, and what was stored before that', async () => {
    const state = { rounds: 2, sha256: 'b'.repeat(64), sizeBytes: 7 };
    const log = await world.begin('r');
    for (const round of [0, 1, 2, 3]) await log.write([roundFact(round), roundEvent(round)]);
    const later = { type: 'checkpoint', rounds: 4, sha256: 'c'.repeat(64), sizeBytes: 7 } as const;
    await log.write([{ type: 'event', event: later }]);
    // What is decided in one turn is written together, in order.
    await log.write([
      roundFact(4),
      { type: 'undone', rounds: 2 },
      { type: 'event', event: { type: 'undone', rounds: 2, reason: 'w lied', savedState: state } },
      roundFact(2),
    ]);
    const [saved] = await world.store.runs.unfinished();
    expect(saved).toMatchObject({
      rounds: [0, 1, 2].map(committed),
      announcedRounds: 2,
      savedState: state,
    });
    await log.write([roundEvent(2), roundFact(3), roundEvent(3)]);
    expect((await world.store.runs.unfinished())[0]).toMatchObject({ announcedRounds: 4 });
    await log.write([{ type: 'event', event: later }]);
    const { type: _, ...stored } = later;
    expect((await world.store.runs.unfinished())[0]?.savedState).toEqual(stored);
  });

  it('gives runs back in order of starting', async () => {
    for (const [atMs, runId] of ['c', 'a', 'b'].entries()) {
      const started = { request: requestOf(runId), attended: false, atMs };
      await world.store.runs.append(runId, { started, rounds: [], events: [] });
    }
    expect((await world.store.runs.unfinished()).map((run) => run.request.runId)).toEqual(['c', 'a', 'b']);
  });

  it('knows which runs need the process of their owner', async () => {
    const request = requestOf('r', { shouldStop: () => false });
    await new RunLog(world.store.runs, 'r').write([{ type: 'started', request }]);
    expect(await world.store.runs.unfinished()).toMatchObject([{ attended: true }]);
  });

  it('sums ended runs up, the last ones, and finds older ones by their id', async () => {
    const finished = await world.begin('finished', roundFact(0), roundFact(1));
    await finished.write(endFacts({ status: 'finished', rounds: [] }));
    const failed = await world.begin('failed');
    await failed.write(endFacts(Object.assign(new Error('no'), { code: 'WORKER_FAILED' })));
    await world.begin('running');
    await world.reopen();
    const whole = {
      runId: 'finished',
      name: 'name of finished',
      status: 'finished',
      phase: 'ended',
      generation: 0,
      rounds: 2,
      totalRounds: 3,
      workers: [],
      lastMetrics: { loss: 1 / 3 },
    };
    const broken = { runId: 'failed', status: 'failed', error: { code: 'WORKER_FAILED', message: 'no' } };
    expect(await world.store.runs.ended(10)).toMatchObject([whole, broken]);
    expect(await world.store.runs.ended(1)).toMatchObject([broken]);
    expect(await world.store.runs.summary('finished')).toEqual(whole);
    expect(await world.store.runs.summary('other')).toBeUndefined();
    expect((await world.store.runs.unfinished()).map((run) => run.request.runId)).toEqual(['running']);
  });

  it('names the last states of the runs that ended last, and not before a time', async () => {
    const state = (rounds: number): RunFact => {
      const sha256 = String(rounds).repeat(64);
      return { type: 'event', event: { type: 'checkpoint', rounds, sha256, sizeBytes: 8 } };
    };
    const outcome = { status: 'finished', rounds: [] } as const;
    const startedMs = Date.now();
    await (await world.begin('first', state(1), state(2))).write(endFacts(outcome));
    await (await world.begin('trees', roundFact(0))).write(endFacts(outcome));
    await (await world.begin('running', state(3))).write([waiting]);
    await setTimeout(5);
    await (await world.begin('last', state(4))).write(endFacts(new Error('no')));
    await world.reopen();
    expect(await world.store.runs.lastStates(startedMs - 1, 10)).toEqual(['4'.repeat(64), '2'.repeat(64)]);
    expect(await world.store.runs.lastStates(startedMs - 1, 1)).toEqual(['4'.repeat(64)]);
    expect(await world.store.runs.lastStates(Date.now(), 10)).toEqual([]);
  });

  it('takes facts together or not at all', async () => {
    const log = await world.begin('r', roundFact(0));
    await expect(log.write([waiting, roundFact(1), roundFact(0)])).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining('Run r cannot be recorded') as string,
    });
    expect(await world.store.runs.unfinished()).toMatchObject([{ rounds: [{ round: 0 }], lastSequence: 0 }]);
    await log.write([roundFact(1)]);
    expect(await world.store.runs.rounds('r')).toHaveLength(2);
    expect(await world.store.runs.lastRound('r')).toEqual((await world.store.runs.rounds('r'))[1]);
    expect(await world.store.runs.lastRound('none')).toBeUndefined();
  });

  it('refuses a second run of the same id, in a later life too', async () => {
    await world.begin('r');
    await world.reopen();
    await expect(world.begin('r')).rejects.toMatchObject({ code: 'RUN_EXISTS' });
  });

  it('numbers the events of a run without a gap over several lives, and shows each once', async () => {
    const log = await world.begin('r', waiting);
    await log.write([roundEvent(0)]);
    await world.reopen();
    const [saved] = await world.store.runs.unfinished();
    const later = new RunLog(world.store.runs, 'r', saved!.lastSequence);
    const following = shown(later, 1);
    await later.write([roundEvent(1), roundEvent(2)]);
    await later.write(endFacts({ status: 'finished', rounds: [] }));
    expect((await following).map(({ sequence, event }) => [sequence, event.type])).toEqual([
      [2, 'round'],
      [3, 'round'],
      [4, 'round'],
      [5, 'end'],
    ]);
    expect((await shown(later)).map((event) => event.sequence)).toEqual([1, 2, 3, 4, 5]);
    expect(await shown(later, 5)).toEqual([]);
  });

  it('tells of rounds and of what happened between them apart, each with its time', async () => {
    const before = Date.now();
    const log = await world.begin('r', waiting, roundEvent(0), roundEvent(1));
    await log.write([waiting, roundEvent(2), ...endFacts({ status: 'finished', rounds: [] })]);
    const rounds = await world.store.runs.roundEvents('r', 0, 10);
    expect(rounds.map(({ sequence, event }) => [sequence, event.type === 'round' && event.round])).toEqual([
      [2, 0],
      [3, 1],
      [5, 2],
    ]);
    const others = await world.store.runs.otherEvents('r', 1, 10);
    expect(others.map(({ sequence, event }) => [sequence, event.type])).toEqual([
      [4, 'waiting'],
      [6, 'end'],
    ]);
    expect((await world.store.runs.otherEvents('r', 0, 1)).map(({ sequence }) => sequence)).toEqual([1]);
    for (const { atMs } of [...rounds, ...others]) {
      expect(atMs).toBeGreaterThanOrEqual(before);
      expect(atMs).toBeLessThanOrEqual(Date.now());
    }
    const asked = (await world.store.runs.asked('r'))!;
    expect(asked.request).toEqual(requestOf('r'));
    expect(asked.endedAtMs).toBeGreaterThanOrEqual(asked.startedAtMs);
    expect(await world.store.runs.asked('none')).toBeUndefined();
  });

  it('gives recorded rounds page by page', async () => {
    await world.begin('r', roundFact(0), roundFact(1), roundFact(2));
    expect(await world.store.runs.roundsFrom('r', 1, 1)).toEqual([committed(1)]);
    expect(await world.store.runs.roundsFrom('r', 2, 5)).toEqual([committed(2)]);
    expect([
      await world.store.runs.recordedRounds('r'),
      await world.store.runs.recordedRounds('none'),
    ]).toEqual([3, 0]);
  });

  it('shows more events than are read at a time', async () => {
    const log = await world.begin('r');
    for (let batch = 0; batch < 5; batch += 1) {
      await log.write(Array.from({ length: 90 }, (_, i) => roundEvent(batch * 90 + i)));
    }
    await log.write(endFacts({ status: 'stopped', rounds: [] }));
    const events = await shown(log);
    expect(events.map(({ event }) => (event.type === 'round' ? event.round : event.type))).toEqual([
      ...Array.from({ length: 450 }, (_, i) => i),
      'end',
    ]);
  });

  it('shows how far loading has come to those who follow, and keeps nothing of it', async () => {
    const log = await world.begin('r');
    const stop = new AbortController();
    const follower = log.follow(0, stop.signal);
    const next = follower.next();
    await new Promise((resolve) => setImmediate(resolve));
    log.pass({ type: 'loading', rowsLoaded: 1, rowsTotal: 4 });
    expect((await next).value).toEqual({ event: { type: 'loading', rowsLoaded: 1, rowsTotal: 4 } });
    const end = follower.next();
    stop.abort();
    expect((await end).done).toBe(true);
    expect(await world.store.runs.events('r', 0, 10)).toEqual([]);
  });
}
