// What every database must do for the record, whichever it is.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunRequest } from '../../../../coordinator/core/run/runRequest.ts';
import type { RecordedApplication } from '../../../../coordinator/core/store/serveRecord.ts';
import type { DatasetSummary } from '../../../../shared/api/datasetAnswers.ts';
import { servingReportOf } from '../serving/servingReportOf.ts';
import { requestOf } from './storeFacts.ts';
import { describeExperiments } from './experimentContract.ts';
import { describeRuns } from './runContract.ts';
import { StoreWorld, type TestDatabase } from './storeWorld.ts';

export function describeStore(name: string, make: () => Promise<TestDatabase>): void {
  describe(`The record in ${name}`, () => {
    const world = new StoreWorld();
    beforeEach(async () => world.open(await make()));
    afterEach(() => world.close());

    describeRuns(world);
    describeExperiments(world);

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
        return world.store.runs.append(runId, { started, rounds: [], events: [] });
      };
      await start('first', 100, { datasets: [summary] });
      // Tells nothing, and takes nothing away.
      await start('second', 200, { shards: shards.toReversed() });
      await start('other', 150, { shards: [shardAt('train', 0, 'd')] });
      await world.reopen();
      const latest = await world.store.datasets.latest(10);
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
      expect(await world.store.datasets.find(datasetId)).toEqual({ dataset: latest[0], summary });
      expect(await world.store.datasets.find('other')).toBeUndefined();
      expect(await world.store.datasets.latest(1)).toEqual(latest.slice(0, 1));
      expect(await world.store.datasets.summaries(10)).toEqual([summary]);
      expect(await world.store.datasets.shards('first')).toEqual(shards);
      expect((await world.store.runs.unfinished())[0]!.request).toEqual(requestOf('first', { shards }));
    });

    it('keeps what servers told last of their applications', async () => {
      const heard = {
        report: servingReportOf({ version: 'v2' }),
        address: '192.0.2.7',
        heardAtMs: 1_700_000_000_123,
      };
      await world.store.serving.save('late', { ...heard, heardAtMs: 5 });
      await world.store.serving.save('other', { ...heard, heardAtMs: 7 });
      await world.store.serving.save('late', heard);
      await world.reopen();
      expect([...(await world.store.serving.all(10))]).toEqual([
        ['late', heard],
        ['other', { ...heard, heardAtMs: 7 }],
      ]);
      expect([...(await world.store.serving.all(1)).keys()]).toEqual(['late']);
      await world.store.serving.remove('late');
      await world.store.serving.remove('nobody');
      await world.reopen();
      expect([...(await world.store.serving.all(10)).keys()]).toEqual(['other']);
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
      await world.store.deployments.save(application('b', 2));
      await world.store.deployments.save(application('a', 1.5));
      await world.store.deployments.save({ ...application('b', 3), deployments: [] });
      await world.store.deployments.setStatus('a', 'failed', 'no „weights"');
      await world.store.deployments.setStatus('none', 'failed', '');
      await world.reopen();
      const [a, b] = await world.store.deployments.all();
      expect(a).toEqual({ ...application('a', 1.5), status: 'failed', message: 'no „weights"' });
      expect(b).toEqual({ ...application('b', 3), deployments: [] });
      await world.store.deployments.remove('a');
      await world.store.deployments.remove('a');
      expect((await world.store.deployments.all()).map(({ name }) => name)).toEqual(['b']);
    });

    it('keeps bans until they are lifted, each as it was saved last', async () => {
      const ban = {
        kind: 'address',
        value: '192.0.2.7',
        reason: 'spam „Ü"',
        bannedAtMs: 1_700_000_000_123,
      } as const;
      const other = { kind: 'worker', value: '192.0.2.7', reason: 'x', bannedAtMs: 5 } as const;
      await world.store.bans.save({ ...ban, reason: 'first' });
      await world.store.bans.save(other);
      await world.store.bans.save(ban);
      await world.reopen();
      expect(await world.store.bans.all()).toEqual([other, ban]);
      await world.store.bans.remove(other);
      await world.reopen();
      expect(await world.store.bans.all()).toEqual([ban]);
    });

    it('keeps passed checks by worker, and forgets those that changed longest ago', async () => {
      await world.store.trust.saveChecks(new Map([['w-a', 9]]), 3);
      const many = Array.from({ length: 1_201 }, (_, i) => [`w-${i}`, i + 1] as const);
      await world.store.trust.saveChecks(new Map(many), 1);
      await world.store.trust.saveChecks(
        new Map([
          ['w-a', 10],
          ['w-0', 0],
          ['w-new', 1],
        ]),
        2,
      );
      await world.reopen();
      const all = await world.store.trust.checks(10_000);
      expect([all.size, all.get('w-a'), all.get('w-0'), all.get('w-1200')]).toEqual([
        1_202,
        10,
        undefined,
        1_201,
      ]);
      expect([...(await world.store.trust.checks(2)).keys()].sort()).toEqual(['w-a', 'w-new']);
      await world.reopen();
      expect((await world.store.trust.checks(10_000)).size).toBe(2);
      await world.store.trust.saveChecks(new Map(), 4);
      expect((await world.store.trust.checks(10_000)).size).toBe(2);
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
      await world.store.trust.saveChecks(new Map([['w-a', 9]]), 1);
      await world.store.trust.addLie(lie);
      await world.store.trust.addLie(earlier);
      await world.reopen();
      expect(await world.store.trust.lies(10)).toEqual([earlier, lie]);
      await expect(world.store.trust.addLie(lie)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
      await world.store.trust.pardon('w-a', 6);
      await world.reopen();
      expect([await world.store.trust.lies(10), await world.store.trust.checks(10)]).toEqual([
        [earlier],
        new Map(),
      ]);
      await world.store.trust.addLie({ ...earlier, lieId: 'l-2', foundAtMs: 4 });
      expect(await world.store.trust.lies(2)).toEqual([earlier]);
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
      await world.store.invitations.add(invitation);
      await world.store.invitations.add(earlier);
      await expect(world.store.invitations.add(earlier)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
      await world.store.invitations.saveUse('i-1', 'w-a', undefined);
      await world.store.invitations.saveUse('i-1', 'w-a', undefined);
      await world.store.invitations.saveUse('i-1', 'w-b', undefined);
      await world.store.invitations.saveUse('i-1', 'w-c', 'w-a');
      await world.reopen();
      expect(await world.store.invitations.all()).toEqual([
        { invitation: earlier, workerIds: [] },
        { invitation, workerIds: ['w-b', 'w-c'] },
      ]);
      await world.store.invitations.remove('i-1');
      await world.reopen();
      expect(await world.store.invitations.all()).toEqual([{ invitation: earlier, workerIds: [] }]);
    });

    it('changes settings together, and takes them away', async () => {
      expect(await world.store.savedSetting('a')).toBeUndefined();
      expect(await world.store.setting('a', () => 'made')).toBe('made');
      await world.store.changeSettings({ a: 'changed', b: 'new' });
      await world.reopen();
      expect(await world.store.setting('a', () => 'made again')).toBe('changed');
      await world.store.changeSettings({ a: undefined, b: undefined });
      expect([await world.store.savedSetting('a'), await world.store.savedSetting('b')]).toEqual([
        undefined,
        undefined,
      ]);
    });

    it('makes a setting once', async () => {
      expect(await world.store.setting('key', () => 'first')).toBe('first');
      await world.reopen();
      expect(await world.store.setting('key', () => 'second')).toBe('first');
    });

    it('is used by one coordinator at a time', async () => {
      if (world.database.hasSessions) {
        await expect(world.database.open()).rejects.toMatchObject({ code: 'STORAGE_IN_USE' });
      }
      await world.begin('r');
    });

    it('refuses a record of a later version', async () => {
      await world.store.close();
      await world.database.execute(
        "insert into kysely_migration (name, timestamp) values ('9999-later', '2099')",
      );
      await expect(world.database.open()).rejects.toMatchObject({ code: 'STORAGE_VERSION' });
      await world.database.execute("delete from kysely_migration where name = '9999-later'");
      world.store = await world.database.open();
    });
  });
}
