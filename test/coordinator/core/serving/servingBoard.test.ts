import { describe, expect, it } from 'vitest';
import { MAX_APPLICATIONS, ServingBoard } from '../../../../coordinator/core/serving/servingBoard.ts';
import type { HeardReport } from '../../../../coordinator/core/store/heardReport.ts';
import { servingReportOf } from './servingReportOf.ts';

const ADDRESS = '192.0.2.1';

async function board(kept: readonly [string, HeardReport][] = []) {
  const saved: string[] = [];
  const logged: string[] = [];
  const record = new Map(kept);
  const world = { nowMs: 1_000_000, isFull: false, saved, logged, record };
  const made = await ServingBoard.open({
    store: {
      save(name, heard) {
        if (world.isFull) return Promise.reject(new Error('full'));
        saved.push(name);
        record.set(name, heard);
        return Promise.resolve();
      },
      remove: (name) => Promise.resolve(void record.delete(name)),
      all: () => Promise.resolve(new Map(record)),
    },
    log: ({ message }) => void logged.push(message),
    date: () => world.nowMs,
  });
  return { board: made, world };
}

describe('The board of served applications', () => {
  it('records what changes of replicas, and counters once a minute', async () => {
    const { board: made, world } = await board();
    await made.hear('late', servingReportOf(), ADDRESS);
    for (let i = 1; i < 40; i++) {
      world.nowMs += 2_000;
      await made.hear('late', servingReportOf({ byStatus: { 200: i } }), ADDRESS);
    }
    expect(world.saved).toEqual(['late', 'late']);
    await made.hear('late', servingReportOf({ status: 'stopped' }), ADDRESS);
    expect(world.saved.length).toBe(3);
    expect(world.record.get('late')!.report.status).toBe('stopped');
  });

  it('says of a server that is not heard for a while that it is silent, also after a restart', async () => {
    const { board: made, world } = await board();
    await made.hear('late', servingReportOf(), ADDRESS);
    expect(made.applications()).toMatchObject([{ name: 'late', status: 'running' }]);
    world.nowMs += 100_000;
    expect(made.applications()).toMatchObject([{ name: 'late', status: 'silent' }]);
    const { board: next, world: later } = await board([...world.record]);
    later.nowMs = world.nowMs;
    expect(next.applications()).toMatchObject([{ name: 'late', status: 'silent', recent: { requests: 0 } }]);
    await next.hear('late', servingReportOf({ status: 'stopped' }), ADDRESS);
    later.nowMs += 100_000;
    expect(next.applications()).toMatchObject([{ name: 'late', status: 'stopped' }]);
  });

  it('keeps a bounded number of them, those that were heard last', async () => {
    const { board: made, world } = await board();
    for (let i = 0; i < MAX_APPLICATIONS + 5; i++) {
      world.nowMs += 1;
      await made.hear(`app-${i}`, servingReportOf(), ADDRESS);
    }
    expect(made.applications().length).toBe(MAX_APPLICATIONS);
    expect(made.heard('app-4')).toBeUndefined();
    expect(made.heard('app-5')).toBeDefined();
    expect(world.record.size).toBe(MAX_APPLICATIONS);
  });

  it('goes on where the record is full, and says so', async () => {
    const { board: made, world } = await board();
    world.isFull = true;
    await made.hear('late', servingReportOf(), ADDRESS);
    expect(made.applications().length).toBe(1);
    expect(world.logged).toEqual(['serving: full']);
  });

  it('forgets what was ended for good', async () => {
    const { board: made, world } = await board();
    await made.hear('late', servingReportOf(), ADDRESS);
    await made.forget('late');
    expect([made.applications(), world.record.size]).toEqual([[], 0]);
  });
});
