import { beforeEach, describe, expect, it } from 'vitest';
import { ServeReporter } from '../../../../coordinator/serve/report/serveReporter.ts';
import type { ServingReport } from '../../../../shared/api/servingAnswers.ts';
import { ManualClock, settled } from '../../../setup/manualClock.ts';
import { servingReportOf } from '../../core/serving/servingReportOf.ts';

let clock: ManualClock;
let applications: Map<string, ServingReport>;
let told: string[];
let logged: string[];
let answer: () => Promise<void>;
let reporter: ServeReporter;
beforeEach(() => {
  clock = new ManualClock();
  applications = new Map([['late', servingReportOf()]]);
  told = [];
  logged = [];
  answer = () => Promise.resolve();
  reporter = new ServeReporter({
    reports: {
      report: (name, report, host) => {
        told.push(`${name} ${report.status} ${report.byStatus['200'] ?? 0} ${host}`);
        return answer();
      },
      forget: (name) => {
        told.push(`forget ${name}`);
        return answer();
      },
    },
    clock,
    log: ({ message }) => void logged.push(message),
    look: () => ({ host: '127.0.0.1', applications }),
  });
});

describe('A reporter', () => {
  it('tells every two seconds what changed, and every thirty what did not', async () => {
    reporter.start();
    reporter.start();
    await clock.advanceSettled(20_000);
    expect(told).toEqual(['late running 0 127.0.0.1']);
    applications.set('late', servingReportOf({ byStatus: { 200: 5 } }));
    await clock.advanceSettled(2_000);
    expect(told.length).toBe(2);
    await clock.advanceSettled(60_000);
    expect(told).toEqual([
      'late running 0 127.0.0.1',
      'late running 5 127.0.0.1',
      'late running 5 127.0.0.1',
      'late running 5 127.0.0.1',
    ]);
    await reporter.stop();
    expect(clock.pending).toBe(0);
  });

  it('tells one at a time, and the newest when the coordinator is slow', async () => {
    let finish: () => void = () => undefined;
    answer = () => new Promise((resolve) => (finish = resolve));
    reporter.start();
    for (let count = 1; count <= 5; count++) {
      applications.set('late', servingReportOf({ byStatus: { 200: count } }));
      await clock.advanceSettled(2_000);
    }
    expect(told).toEqual(['late running 1 127.0.0.1']);
    finish();
    await clock.advanceSettled(2_000);
    expect(told.at(-1)).toBe('late running 5 127.0.0.1');
  });

  it('goes on while the coordinator is lost, and logs that once each time', async () => {
    answer = () => Promise.reject(new Error('no coordinator'));
    reporter.start();
    await clock.advanceSettled(10_000);
    expect(told.length).toBe(5);
    expect(logged).toEqual(['serve: the coordinator is not told how the applications go: no coordinator']);
    answer = () => Promise.resolve();
    await clock.advanceSettled(4_000);
    expect(told.length).toBe(6);
    answer = () => Promise.reject(new Error('no coordinator'));
    applications.set('late', servingReportOf({ byStatus: { 200: 5 } }));
    await clock.advanceSettled(4_000);
    expect(logged.length).toBe(2);
  });

  it('tells the end, and waits no longer than a second for that', async () => {
    reporter.start();
    await clock.advanceSettled(2_000);
    applications.set('late', servingReportOf({ status: 'stopped' }));
    answer = () => new Promise(() => undefined);
    let isOver = false;
    void reporter.stop().then(() => (isOver = true));
    await settled();
    expect([told.at(-1), isOver]).toEqual(['late stopped 0 127.0.0.1', false]);
    await clock.advanceSettled(1_000);
    expect(isOver).toBe(true);
  });

  it('tells that an application was ended for good, and anew when it comes back', async () => {
    reporter.start();
    await clock.advanceSettled(2_000);
    await reporter.forget('late');
    await clock.advanceSettled(2_000);
    expect(told).toEqual(['late running 0 127.0.0.1', 'forget late', 'late running 0 127.0.0.1']);
  });
});
