// What every database must do for the record, whichever it is.

import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endFacts } from '../../../../coordinator/core/run/facts.ts';
import { RunLog } from '../../../../coordinator/core/run/runLog.ts';
import type { ShownEvent } from '../../../../coordinator/core/run/runLog.ts';
import type { RunRequest } from '../../../../coordinator/core/run/runRequest.ts';
import type { RunFact } from '../../../../coordinator/core/run/runRecord.ts';
import type { RecordedApplication } from '../../../../coordinator/core/store/serveRecord.ts';
import type { DatasetSummary } from '../../../../shared/api/datasetAnswers.ts';
import type { ExperimentUpdate, RecordedTrial } from '../../../../shared/api/experiment.ts';
import type { Store } from '../../../../coordinator/core/store/store.ts';
import { servingReportOf } from '../serving/servingReportOf.ts';
import { committed, requestOf, roundEvent, roundFact } from './storeFacts.ts';

/** A database that outlives the stores that are opened on it. */
export interface TestDatabase {
  open(): Promise<Store>;
  /** Runs SQL while no store is open. */
  execute(sql: string): Promise<void>;
  /** Whether two can be connected at the same time, so that one has to be refused. */
  readonly hasSessions: boolean;
  remove(): Promise<void>;
}

const waiting: RunFact = { type: 'event', event: { type: 'waiting', reason: 'Waiting for „Ünï𝄞\u0001".' } };
const members = [{ workerId: 'w-1', peerId: 'p-1', shards: [0] }];
const never = new AbortController().signal;

async function shown(log: RunLog, after = 0): Promise<ShownEvent[]> {
  const events: ShownEvent[] = [];
  for await (const event of log.follow(after, never)) events.push(event);
  return events;
}

export function describeStore(name: string, make: () => Promise<TestDatabase>): void {
  describe(`The record in ${name}`, () => {
    let database: TestDatabase;
    let store: Store;

    beforeEach(async () => {
      database = await make();
      store = await database.open();
    });
    afterEach(async () => {
      await store.close();
      await database.remove();
    });

    async function reopen(): Promise<void> {
      await store.close();
      store = await database.open();
    }

    async function begin(runId: string, ...facts: RunFact[]): Promise<RunLog> {
      const log = new RunLog(store.runs, runId);
      await log.write([{ type: 'started', request: requestOf(runId) }, ...facts]);
      return log;
    }

    it('gives an unfinished run back as it was left, to the last bit', async () => {
      const log = await begin('r', waiting);
      await log.write([{ type: 'group', generation: 4, members }, roundFact(0), roundEvent(0)]);
      await log.write([roundFact(1)]);
      await reopen();
      expect(await store.runs.unfinished()).toEqual([
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
      const log = await begin('r');
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
      const [saved] = await store.runs.unfinished();
      expect(saved).toMatchObject({
        rounds: [0, 1, 2].map(committed),
        announcedRounds: 2,
        savedState: state,
      });
      await log.write([roundEvent(2), roundFact(3), roundEvent(3)]);
      expect((await store.runs.unfinished())[0]).toMatchObject({ announcedRounds: 4 });
      await log.write([{ type: 'event', event: later }]);
      const { type: _, ...stored } = later;
      expect((await store.runs.unfinished())[0]?.savedState).toEqual(stored);
    });

    it('gives runs back in order of starting', async () => {
      for (const [atMs, runId] of ['c', 'a', 'b'].entries()) {
        const started = { request: requestOf(runId), attended: false, atMs };
        await store.runs.append(runId, { started, rounds: [], events: [] });
      }
      expect((await store.runs.unfinished()).map((run) => run.request.runId)).toEqual(['c', 'a', 'b']);
    });

    it('knows which runs need the process of their owner', async () => {
      const request = requestOf('r', { shouldStop: () => false });
      await new RunLog(store.runs, 'r').write([{ type: 'started', request }]);
      expect(await store.runs.unfinished()).toMatchObject([{ attended: true }]);
    });

    it('sums ended runs up, the last ones, and finds older ones by their id', async () => {
      const finished = await begin('finished', roundFact(0), roundFact(1));
      await finished.write(endFacts({ status: 'finished', rounds: [] }));
      const failed = await begin('failed');
      await failed.write(endFacts(Object.assign(new Error('no'), { code: 'WORKER_FAILED' })));
      await begin('running');
      await reopen();
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
      expect(await store.runs.ended(10)).toMatchObject([whole, broken]);
      expect(await store.runs.ended(1)).toMatchObject([broken]);
      expect(await store.runs.summary('finished')).toEqual(whole);
      expect(await store.runs.summary('other')).toBeUndefined();
      expect((await store.runs.unfinished()).map((run) => run.request.runId)).toEqual(['running']);
    });

    it('names the last states of the runs that ended last, and not before a time', async () => {
      const state = (rounds: number): RunFact => {
        const sha256 = String(rounds).repeat(64);
        return { type: 'event', event: { type: 'checkpoint', rounds, sha256, sizeBytes: 8 } };
      };
      const outcome = { status: 'finished', rounds: [] } as const;
      const startedMs = Date.now();
      await (await begin('first', state(1), state(2))).write(endFacts(outcome));
      await (await begin('trees', roundFact(0))).write(endFacts(outcome));
      await (await begin('running', state(3))).write([waiting]);
      await setTimeout(5);
      await (await begin('last', state(4))).write(endFacts(new Error('no')));
      await reopen();
      expect(await store.runs.lastStates(startedMs - 1, 10)).toEqual(['4'.repeat(64), '2'.repeat(64)]);
      expect(await store.runs.lastStates(startedMs - 1, 1)).toEqual(['4'.repeat(64)]);
      expect(await store.runs.lastStates(Date.now(), 10)).toEqual([]);
    });

    it('keeps the datasets of runs with what was told of them, and which runs used them', async () => {
      const shardAt = (dataset: string, index: number, sha: string): RunRequest['shards'][number] => ({
        dataset,
        index,
        firstRow: 4 * index,
        rows: 4,
        sha256: sha.repeat(64),
        sizeBytes: 9,
      });
      const shards = [shardAt('train', 1, 'b'), shardAt('train', 0, 'a'), shardAt('valid', 0, 'c')];
      const summary: DatasetSummary = {
        name: 'train',
        rows: 8,
        columnCount: 2,
        columns: [{ name: 'Ünï𝄞', role: 'label', type: 'class', looked: 8, missing: 0 }],
      };
      const start = (runId: string, atMs: number, change: Partial<RunRequest>): Promise<void> => {
        const started = { request: requestOf(runId, { shards, ...change }), attended: false, atMs };
        return store.runs.append(runId, { started, rounds: [], events: [] });
      };
      await start('first', 100, { datasets: [summary] });
      // Tells nothing, and takes nothing away.
      await start('second', 200, { shards: shards.toReversed() });
      await start('other', 150, { shards: [shardAt('train', 0, 'd')] });
      await reopen();
      const latest = await store.datasets.latest(10);
      expect(latest.map(({ name, runCount }) => [name, runCount])).toEqual([
        ['train', 2],
        ['valid', 2],
        ['train', 1],
      ]);
      const { datasetId } = latest[0]!;
      expect(latest[0]).toEqual({
        datasetId,
        name: 'train',
        rows: 8,
        sizeBytes: 18,
        shardCount: 2,
        columnCount: 2,
        runs: [
          { runId: 'second', runName: 'name of second', usedAtMs: 200 },
          { runId: 'first', runName: 'name of first', usedAtMs: 100 },
        ],
        runCount: 2,
      });
      expect(await store.datasets.find(datasetId)).toEqual({ dataset: latest[0], summary });
      expect(await store.datasets.find('other')).toBeUndefined();
      expect(await store.datasets.latest(1)).toEqual(latest.slice(0, 1));
      expect(await store.datasets.summaries(10)).toEqual([summary]);
      expect(await store.datasets.shards('first')).toEqual(shards);
      expect((await store.runs.unfinished())[0]!.request).toEqual(requestOf('first', { shards }));
    });

    it('keeps what servers told last of their applications', async () => {
      const heard = {
        report: servingReportOf({ version: 'v2' }),
        address: '192.0.2.7',
        heardAtMs: 1_700_000_000_123,
      };
      await store.serving.save('late', { ...heard, heardAtMs: 5 });
      await store.serving.save('other', { ...heard, heardAtMs: 7 });
      await store.serving.save('late', heard);
      await reopen();
      expect([...(await store.serving.all(10))]).toEqual([
        ['late', heard],
        ['other', { ...heard, heardAtMs: 7 }],
      ]);
      expect([...(await store.serving.all(1)).keys()]).toEqual(['late']);
      await store.serving.remove('late');
      await store.serving.remove('nobody');
      await reopen();
      expect([...(await store.serving.all(10)).keys()]).toEqual(['other']);
    });

    it('keeps bans until they are lifted, each as it was saved last', async () => {
      const ban = {
        kind: 'address',
        value: '192.0.2.7',
        reason: 'spam „Ü"',
        bannedAtMs: 1_700_000_000_123,
      } as const;
      const other = { kind: 'worker', value: '192.0.2.7', reason: 'x', bannedAtMs: 5 } as const;
      await store.bans.save({ ...ban, reason: 'first' });
      await store.bans.save(other);
      await store.bans.save(ban);
      await reopen();
      expect(await store.bans.all()).toEqual([other, ban]);
      await store.bans.remove(other);
      await reopen();
      expect(await store.bans.all()).toEqual([ban]);
    });

    it('keeps passed checks by worker, and forgets those that changed longest ago', async () => {
      await store.trust.saveChecks(new Map([['w-a', 9]]), 3);
      const many = Array.from({ length: 1_201 }, (_, i) => [`w-${i}`, i + 1] as const);
      await store.trust.saveChecks(new Map(many), 1);
      await store.trust.saveChecks(
        new Map([
          ['w-a', 10],
          ['w-0', 0],
          ['w-new', 1],
        ]),
        2,
      );
      await reopen();
      const all = await store.trust.checks(10_000);
      expect([all.size, all.get('w-a'), all.get('w-0'), all.get('w-1200')]).toEqual([
        1_202,
        10,
        undefined,
        1_201,
      ]);
      expect([...(await store.trust.checks(2)).keys()].sort()).toEqual(['w-a', 'w-new']);
      await reopen();
      expect((await store.trust.checks(10_000)).size).toBe(2);
      await store.trust.saveChecks(new Map(), 4);
      expect((await store.trust.checks(10_000)).size).toBe(2);
    });

    it('keeps lies with their evidence until they are pardoned, and with them the checks go', async () => {
      const evidence = {
        what: 'another „histogram"',
        runId: 'r',
        round: 3,
        shards: ['train/1'],
        claimed: 'a',
      };
      const lie = { lieId: 'l-1', workerId: 'w-a', evidence, foundAtMs: 1_700_000_000_123 };
      const earlier = { ...lie, lieId: 'l-0', workerId: 'w-b', foundAtMs: 5 };
      await store.trust.saveChecks(new Map([['w-a', 9]]), 1);
      await store.trust.addLie(lie);
      await store.trust.addLie(earlier);
      await reopen();
      expect(await store.trust.lies(10)).toEqual([earlier, lie]);
      await expect(store.trust.addLie(lie)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
      await store.trust.pardon('w-a', 6);
      await reopen();
      expect([await store.trust.lies(10), await store.trust.checks(10)]).toEqual([[earlier], new Map()]);
      await store.trust.addLie({ ...earlier, lieId: 'l-2', foundAtMs: 4 });
      expect(await store.trust.lies(2)).toEqual([earlier]);
    });

    it('keeps invitations with the workers that joined by them, until they are revoked', async () => {
      const invitation = {
        invitationId: 'i-1',
        name: 'Klasse „7b"',
        token: 't-1',
        count: 25,
        isTrusted: false,
        createdAtMs: 1_700_000_000_123,
        endsAtMs: 1_700_003_600_123,
      };
      const earlier = {
        ...invitation,
        invitationId: 'i-0',
        name: undefined,
        isTrusted: true,
        createdAtMs: 5,
      };
      await store.invitations.add(invitation);
      await store.invitations.add(earlier);
      await expect(store.invitations.add(earlier)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
      await store.invitations.saveUse('i-1', 'w-a', undefined);
      await store.invitations.saveUse('i-1', 'w-a', undefined);
      await store.invitations.saveUse('i-1', 'w-b', undefined);
      await store.invitations.saveUse('i-1', 'w-c', 'w-a');
      await reopen();
      expect(await store.invitations.all()).toEqual([
        { invitation: earlier, workerIds: [] },
        { invitation, workerIds: ['w-b', 'w-c'] },
      ]);
      await store.invitations.remove('i-1');
      await reopen();
      expect(await store.invitations.all()).toEqual([{ invitation: earlier, workerIds: [] }]);
    });

    it('changes settings together, and takes them away', async () => {
      expect(await store.savedSetting('a')).toBeUndefined();
      expect(await store.setting('a', () => 'made')).toBe('made');
      await store.changeSettings({ a: 'changed', b: 'new' });
      await reopen();
      expect(await store.setting('a', () => 'made again')).toBe('changed');
      await store.changeSettings({ a: undefined, b: undefined });
      expect([await store.savedSetting('a'), await store.savedSetting('b')]).toEqual([undefined, undefined]);
    });

    it('takes facts together or not at all', async () => {
      const log = await begin('r', roundFact(0));
      await expect(log.write([waiting, roundFact(1), roundFact(0)])).rejects.toMatchObject({
        code: 'STORAGE_FAILED',
        message: expect.stringContaining('Run r cannot be recorded') as string,
      });
      expect(await store.runs.unfinished()).toMatchObject([{ rounds: [{ round: 0 }], lastSequence: 0 }]);
      await log.write([roundFact(1)]);
      expect(await store.runs.rounds('r')).toHaveLength(2);
      expect(await store.runs.lastRound('r')).toEqual((await store.runs.rounds('r'))[1]);
      expect(await store.runs.lastRound('none')).toBeUndefined();
    });

    it('refuses a second run of the same id, in a later life too', async () => {
      await begin('r');
      await reopen();
      await expect(begin('r')).rejects.toMatchObject({ code: 'RUN_EXISTS' });
    });

    it('numbers the events of a run without a gap over several lives, and shows each once', async () => {
      const log = await begin('r', waiting);
      await log.write([roundEvent(0)]);
      await reopen();
      const [saved] = await store.runs.unfinished();
      const later = new RunLog(store.runs, 'r', saved!.lastSequence);
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
      const log = await begin('r', waiting, roundEvent(0), roundEvent(1));
      await log.write([waiting, roundEvent(2), ...endFacts({ status: 'finished', rounds: [] })]);
      const rounds = await store.runs.roundEvents('r', 0, 10);
      expect(rounds.map(({ sequence, event }) => [sequence, event.type === 'round' && event.round])).toEqual([
        [2, 0],
        [3, 1],
        [5, 2],
      ]);
      const others = await store.runs.otherEvents('r', 1, 10);
      expect(others.map(({ sequence, event }) => [sequence, event.type])).toEqual([
        [4, 'waiting'],
        [6, 'end'],
      ]);
      expect((await store.runs.otherEvents('r', 0, 1)).map(({ sequence }) => sequence)).toEqual([1]);
      for (const { atMs } of [...rounds, ...others]) {
        expect(atMs).toBeGreaterThanOrEqual(before);
        expect(atMs).toBeLessThanOrEqual(Date.now());
      }
      const asked = (await store.runs.asked('r'))!;
      expect(asked.request).toEqual(requestOf('r'));
      expect(asked.endedAtMs).toBeGreaterThanOrEqual(asked.startedAtMs);
      expect(await store.runs.asked('none')).toBeUndefined();
    });

    it('gives recorded rounds page by page', async () => {
      await begin('r', roundFact(0), roundFact(1), roundFact(2));
      expect(await store.runs.roundsFrom('r', 1, 1)).toEqual([committed(1)]);
      expect(await store.runs.roundsFrom('r', 2, 5)).toEqual([committed(2)]);
      expect([await store.runs.recordedRounds('r'), await store.runs.recordedRounds('none')]).toEqual([3, 0]);
    });

    it('shows more events than are read at a time', async () => {
      const log = await begin('r');
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
      const log = await begin('r');
      const stop = new AbortController();
      const follower = log.follow(0, stop.signal);
      const next = follower.next();
      await new Promise((resolve) => setImmediate(resolve));
      log.pass({ type: 'loading', rowsLoaded: 1, rowsTotal: 4 });
      expect((await next).value).toEqual({ event: { type: 'loading', rowsLoaded: 1, rowsTotal: 4 } });
      const end = follower.next();
      stop.abort();
      expect((await end).done).toBe(true);
      expect(await store.runs.events('r', 0, 10)).toEqual([]);
    });

    it('gives served applications back in the order of their deployment, each as it was saved last', async () => {
      const application = (name: string, deployedAtMs: number): RecordedApplication => ({
        name,
        routePrefix: `/${name}`,
        modelName: 'late',
        recipe: { reason: 'an „Ünï𝄞' },
        status: 'running',
        message: '',
        deployedAtMs,
        deployments: [
          { name: 'Model', version: undefined, replicas: 2 },
          { name: 'Front', version: 'v„1"', replicas: 1 },
        ],
      });
      await store.deployments.save(application('b', 2));
      await store.deployments.save(application('a', 1.5));
      await store.deployments.save({ ...application('b', 3), deployments: [] });
      await store.deployments.setStatus('a', 'failed', 'no „weights"');
      await store.deployments.setStatus('none', 'failed', '');
      await reopen();
      const [a, b] = await store.deployments.all();
      expect(a).toEqual({ ...application('a', 1.5), status: 'failed', message: 'no „weights"' });
      expect(b).toEqual({ ...application('b', 3), deployments: [] });
      await store.deployments.remove('a');
      await store.deployments.remove('a');
      expect((await store.deployments.all()).map(({ name }) => name)).toEqual(['b']);
    });

    it('gives experiments back as they were last told, each trial as it was last told', async () => {
      const id = (last: number): string => `0b0e7b1c-0000-4000-8000-00000000000${last}`;
      const experiment = (startedAtMs: number, trials: RecordedTrial[]): ExperimentUpdate => ({
        name: 'an „Ünï𝄞',
        folder: '/results/an',
        metric: 'valid-auc',
        mode: 'max',
        status: 'running',
        startedAtMs,
        trials,
      });
      const begun = (number: number): RecordedTrial => ({
        number,
        status: 'running',
        assignment: { 'params.eta': 1 / 3, kind: '„a"', flag: true, none: null },
        iterations: 0,
      });
      const ended: RecordedTrial = {
        ...begun(1),
        status: 'finished',
        iterations: 20,
        lastScore: -1 / 3,
        bestScore: 0.75,
        runId: 'r-1',
        stopReason: 'not among the „best"',
        prunedAt: 20,
      };
      const many = Array.from({ length: 130 }, (_, number) => begun(number));
      const first = Date.now();
      await store.experiments.save(id(2), experiment(2.5, many));
      await store.experiments.save(id(3), {
        name: 'bare',
        folder: '/b',
        status: 'running',
        startedAtMs: 3,
        trials: [],
      });
      await store.experiments.save(id(1), experiment(1, [{ ...begun(0), errorCode: 'ABORTED' }]));
      await store.experiments.save(id(2), {
        ...experiment(99, [ended]),
        status: 'failed',
        errorCode: 'TUNE_METRIC_MISSING',
        endedAtMs: 7,
      });
      await reopen();
      const [a, b, c] = await store.experiments.latest(10, 200);
      expect(a).toEqual({
        ...experiment(1, [{ ...begun(0), errorCode: 'ABORTED' }]),
        experimentId: id(1),
        heardAtMs: expect.any(Number) as number,
        silentMs: expect.any(Number) as number,
        trialCount: 1,
        counts: { running: 1 },
      });
      expect(b!.counts).toEqual({ finished: 1, running: 129 });
      expect(b!.best).toEqual({ number: 1, score: -1 / 3 });
      expect(a!.heardAtMs).toBeGreaterThanOrEqual(first);
      expect(b).toMatchObject({
        status: 'failed',
        errorCode: 'TUNE_METRIC_MISSING',
        startedAtMs: 2.5,
        endedAtMs: 7,
      });
      expect(b!.trials).toEqual(many.map((trial) => (trial.number === 1 ? ended : trial)));
      expect(Object.keys(c!)).not.toContain('metric');
      const short = await store.experiments.latest(2, 1);
      expect(
        short.map(({ experimentId, trialCount, trials }) => [experimentId, trialCount, trials.length]),
      ).toEqual([
        [id(2), 130, 1],
        [id(3), 0, 0],
      ]);
    });

    it('keeps the scores of trials over iterations, thinned, as they were last told', async () => {
      const id = '0b0e7b1c-0000-4000-8000-000000000001';
      const reports = (from: number, to: number, score: number): [number, number][] =>
        Array.from({ length: to - from + 1 }, (_, i) => [from + i, score]);
      const save = async (trials: ExperimentUpdate['trials'], mode: 'max' | 'min' = 'max'): Promise<void> => {
        const head = {
          name: 'n',
          folder: '/',
          metric: 'm',
          mode,
          status: 'running',
          startedAtMs: 1,
        } as const;
        await store.experiments.save(id, { ...head, trials });
      };
      const trial = (number: number, iterations: number, lastScore: number): RecordedTrial => ({
        number,
        status: 'running',
        assignment: {},
        iterations,
        lastScore,
      });
      await save([{ ...trial(0, 3, 1 / 3), reports: reports(1, 3, 1 / 3) }, trial(1, 0, 0)]);
      await save([{ ...trial(0, 4, 2), reports: [[4, 2]] }]);
      // Without new ones, what is known stays.
      await save([trial(0, 4, 2)]);
      await reopen();
      expect(await store.experiments.curves(id)).toEqual({
        trialCount: 1,
        curves: [{ number: 0, points: [...reports(1, 3, 1 / 3), [4, 2]] }],
      });
      // Done again from iteration 3 on.
      await save([{ ...trial(0, 3, 5), reports: [[3, 5]] }]);
      expect((await store.experiments.curves(id))!.curves[0]!.points).toEqual([
        ...reports(1, 2, 1 / 3),
        [3, 5],
      ]);
      for (let first = 1; first < 10_000; first += 250)
        await save([{ ...trial(1, first + 249, 7), reports: reports(first, first + 249, 7) }]);
      const { curves } = (await store.experiments.curves(id))!;
      expect(curves[1]!.points.length).toBeLessThanOrEqual(256);
      expect(curves[1]!.points.at(-1)).toEqual([10_000, 7]);
      // Of many trials less of each.
      await save(
        Array.from({ length: 300 }, (_, i) => ({ ...trial(i + 2, 200, i), reports: reports(1, 200, i / 3) })),
      );
      const many = (await store.experiments.curves(id))!;
      expect([many.trialCount, many.curves.length]).toEqual([302, 302]);
      expect(Math.max(...many.curves.map(({ points }) => points.length))).toBeLessThanOrEqual(32);
      expect(many.curves[299]!.points.at(-1)).toEqual([200, 99]);
      expect(await store.experiments.curves(id.replace(/1$/, '2'))).toBeUndefined();
    });

    it('gives an experiment in parts', async () => {
      const id = '0b0e7b1c-0000-4000-8000-000000000001';
      const trials = [0, 1, 2, 5, 9].map((number): RecordedTrial => ({
        number,
        status: number === 2 ? 'errored' : 'finished',
        assignment: { x: number },
        iterations: 1,
        lastScore: -number,
      }));
      await store.experiments.save(id, {
        name: 'n',
        folder: '/',
        metric: 'm',
        mode: 'min',
        status: 'running',
        startedAtMs: 1,
        trials,
      });
      const part = async (after: number): Promise<[number[], number | undefined]> => {
        const { trials: told, nextAfter } = (await store.experiments.find(id, after, 2))!;
        return [told.map(({ number }) => number), nextAfter];
      };
      expect([await part(-1), await part(1), await part(5)]).toEqual([
        [[0, 1], 1],
        [[2, 5], 5],
        [[9], undefined],
      ]);
      const [summary] = await store.experiments.summaries(3);
      expect(summary).toMatchObject({
        trialCount: 5,
        counts: { errored: 1, finished: 4 },
        best: { number: 9, score: -9 },
        trials: [],
      });
      expect(await store.experiments.find(id.replace(/1$/, '2'), -1, 2)).toBeUndefined();
    });

    it('tells the process of an experiment that it, or a trial, is wished to end, and no later process', async () => {
      const id = '0b0e7b1c-0000-4000-8000-000000000001';
      const { experiments } = store;
      const trial = (number: number, status: RecordedTrial['status']): RecordedTrial => ({
        number,
        status,
        assignment: {},
        iterations: 0,
      });
      const update: ExperimentUpdate = {
        name: 'n',
        folder: '/',
        status: 'running',
        startedAtMs: 1,
        trials: [trial(0, 'finished'), trial(1, 'running'), trial(2, 'pending')],
      };
      const none = { stop: false, stopTrials: [] };
      expect(await experiments.wishStop(id)).toBe('unknown');
      expect(await experiments.save(id, update)).toEqual(none);
      expect(await experiments.wishTrialStop(id, 7)).toBe('unknown');
      expect(await experiments.wishTrialStop(id, 0)).toBe('over');
      expect(await experiments.wishTrialStop(id, 1)).toBe('wished');
      expect(await experiments.wishTrialStop(id, 2)).toBe('wished');
      await reopen();
      const again = { ...update, trials: [] };
      expect(await store.experiments.save(id, again)).toEqual({ stop: false, stopTrials: [1, 2] });
      const ended = { ...update, trials: [trial(1, 'finished')] };
      expect(await store.experiments.save(id, ended)).toEqual({ stop: false, stopTrials: [2] });
      expect(await store.experiments.wishStop(id)).toBe('wished');
      expect((await store.experiments.summaries(1))[0]).toMatchObject({ isStopWished: true });
      expect(await store.experiments.save(id, again)).toEqual({ stop: true, stopTrials: [2] });
      // The process is gone, and another goes on with it.
      expect(await store.experiments.save(id, { ...again, startedAtMs: 2 })).toEqual(none);
      expect((await store.experiments.summaries(1))[0]).not.toHaveProperty('isStopWished');
      await store.experiments.save(id, { ...again, startedAtMs: 2, status: 'stopped', endedAtMs: 3 });
      expect(await store.experiments.wishStop(id)).toBe('over');
      expect(await store.experiments.wishTrialStop(id, 2)).toBe('over');
    });

    it('takes an experiment with all its trials or not at all', async () => {
      const id = '0b0e7b1c-0000-4000-8000-000000000001';
      const update: ExperimentUpdate = {
        name: 'n',
        folder: '/',
        status: 'running',
        startedAtMs: 1,
        trials: [],
      };
      const broken = { number: null, status: 'running', assignment: {}, iterations: 0 };
      await expect(
        store.experiments.save(id, { ...update, trials: [broken as unknown as RecordedTrial] }),
      ).rejects.toMatchObject({
        code: 'STORAGE_FAILED',
        message: expect.stringContaining(`Experiment ${id} cannot be recorded`) as string,
      });
      expect(await store.experiments.latest(10, 10)).toEqual([]);
    });

    it('makes a setting once', async () => {
      expect(await store.setting('key', () => 'first')).toBe('first');
      await reopen();
      expect(await store.setting('key', () => 'second')).toBe('first');
    });

    it('is used by one coordinator at a time', async () => {
      if (database.hasSessions) {
        await expect(database.open()).rejects.toMatchObject({ code: 'STORAGE_IN_USE' });
      }
      await begin('r');
    });

    it('refuses a record of a later version', async () => {
      await store.close();
      await database.execute("insert into kysely_migration (name, timestamp) values ('9999-later', '2099')");
      await expect(database.open()).rejects.toMatchObject({ code: 'STORAGE_VERSION' });
      await database.execute("delete from kysely_migration where name = '9999-later'");
      store = await database.open();
    });
  });
}
