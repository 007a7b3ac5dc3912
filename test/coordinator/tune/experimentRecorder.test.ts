import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../setup/manualClock.ts';
import { choice, uniform } from '../../../coordinator/tune/space/domain.ts';
import { newTrial, type Trial } from '../../../coordinator/tune/trial/trial.ts';
import type { ExperimentRecord } from '../../../coordinator/core/store/experimentRecord.ts';
import type { ExperimentUpdate, ExperimentWishes } from '../../../shared/api/experiment.ts';
import { experimentUpdate, MAX_CURVE_POINTS } from '../../../shared/api/experiment.ts';
import {
  ExperimentRecorder,
  HEARTBEAT_MS,
  LAST_WRITE_MS,
  REST_MS,
} from '../../../coordinator/tune/record/experimentRecorder.ts';
import { resolveTuneOptions } from '../../../coordinator/tune/run/tuneOptions.ts';

class Loop {
  readonly #self = this;
  same(): boolean {
    return this.#self === this;
  }
}
const kinds = ['a', new Loop(), { layers: [1, 2] }, NaN, 10n];
const settings = resolveTuneOptions({
  trainable: () => undefined,
  paramSpace: { x: uniform(0, 1), kind: choice(kinds) },
  tuneConfig: { metric: 'loss', mode: 'min' },
  runConfig: { name: 'e', storagePath: '/results' },
});

/** Keeps what it is told; answers when the test lets it, or with the failure it is given. */
class TestRecord implements ExperimentRecord {
  readonly updates: ExperimentUpdate[] = [];
  failure: Error | undefined;
  hold: Promise<void> | undefined;

  wishes: ExperimentWishes = { stop: false, stopTrials: [] };

  async save(experimentId: string, update: ExperimentUpdate): Promise<ExperimentWishes> {
    expect(experimentId).toBe(settings.experimentId);
    await this.hold;
    if (this.failure) throw this.failure;
    // As it is on the wire.
    this.updates.push(experimentUpdate.parse(JSON.parse(JSON.stringify(update))));
    return this.wishes;
  }

  get told(): [string, number[]][] {
    return this.updates.map(({ status, trials }) => [status, trials.map(({ number }) => number)]);
  }
}

let clock: ManualClock;
let record: TestRecord;
let recorder: ExperimentRecorder;
let wished: ExperimentWishes[];

beforeEach(() => {
  clock = new ManualClock();
  record = new TestRecord();
  wished = [];
  recorder = recorderOf([]);
});

function recorderOf(trials: readonly Trial[]): ExperimentRecorder {
  return new ExperimentRecorder({
    settings,
    trials,
    clock,
    date: () => 1000 + clock.now(),
    onWishes: (one) => void wished.push(one),
  });
}

function trial(index: number, change: Partial<Trial> = {}): Trial {
  return { ...newTrial(index, { x: 0.5, kind: 0 }), ...change };
}

function tell(one: Trial): void {
  recorder.callback.onEvent?.({ type: 'trial', trial: one, params: {} });
}

/** What comes of it when the clock runs for as long as it may take. */
async function ended<T>(closing: Promise<T>): Promise<T> {
  for (let passedMs = 0; passedMs <= LAST_WRITE_MS; passedMs += REST_MS) await clock.advanceSettled(REST_MS);
  return closing;
}

describe('ExperimentRecorder', () => {
  it('writes what changed together, at most twice a second, and at the end how it ended', async () => {
    const one = trial(0);
    tell(one);
    tell(trial(1));
    recorder.writeTo(record);
    await clock.advanceSettled(0);
    expect(record.told).toEqual([['running', [0, 1]]]);
    one.reports.push({ iteration: 1, metrics: { loss: 3 }, elapsedMs: 1 });
    one.reports.push({ iteration: 2, metrics: { loss: 1.5 }, elapsedMs: 2 });
    one.reports.push({ iteration: 3, metrics: { loss: 2 }, elapsedMs: 3 });
    one.reports.push({ iteration: 4, metrics: { loss: NaN }, elapsedMs: 4 });
    one.runId = 'r';
    tell(one);
    tell(one);
    await clock.advanceSettled(REST_MS - 1);
    expect(record.updates).toHaveLength(1);
    await clock.advanceSettled(1);
    expect(record.updates[1]!.trials).toEqual([
      {
        number: 0,
        status: 'pending',
        assignment: { x: 0.5, kind: 'a' },
        iterations: 4,
        lastScore: 2,
        bestScore: 1.5,
        runId: 'r',
        reports: [
          [1, 3],
          [2, 1.5],
          [3, 2],
        ],
      },
    ]);
    const lost = await ended(recorder.close({ status: 'failed', errorCode: 'TUNE_METRIC_MISSING' }));
    expect(lost).toBeUndefined();
    expect(record.updates.at(-1)).toMatchObject({
      name: 'e',
      folder: '/results/e',
      metric: 'loss',
      mode: 'min',
      status: 'failed',
      errorCode: 'TUNE_METRIC_MISSING',
      startedAtMs: 1000,
      endedAtMs: 1000 + REST_MS,
      trials: [],
    });
  });

  it('is heard of every few seconds while nothing happens', async () => {
    recorder.writeTo(record);
    await clock.advanceSettled(REST_MS + HEARTBEAT_MS);
    expect(record.told).toEqual([
      ['running', []],
      ['running', []],
    ]);
  });

  it('writes an earlier process’s trials, many in parts, and values that JSON has no word for', async () => {
    const trials = Array.from({ length: 1200 }, (_, index) =>
      trial(index, { assignment: { x: 1, kind: index % 5 } }),
    );
    recorder = recorderOf(trials);
    recorder.writeTo(record);
    await ended(recorder.close({ status: 'finished' }));
    expect(record.updates.map((update) => update.trials.length)).toEqual([500, 500, 200]);
    expect(record.updates.at(-1)!.status).toBe('finished');
    const shown = record.updates[0]!.trials.slice(0, 5).map(({ assignment }) => assignment['kind']);
    expect(shown).toEqual(['a', '[object Object]', '{"layers":[1,2]}', 'NaN', '[object BigInt]']);
  });

  it('tries a record that is away again, and loses nothing', async () => {
    record.failure = new Error('away');
    recorder.writeTo(record);
    tell(trial(0));
    await clock.advanceSettled(3 * REST_MS);
    tell(trial(1));
    record.failure = undefined;
    await clock.advanceSettled(2 * REST_MS);
    expect(record.told.flatMap(([, numbers]) => numbers).toSorted((a, b) => a - b)).toEqual([0, 1]);
  });

  it('ends without a record that stays away, or never answers, and says so', async () => {
    record.failure = new Error('away');
    tell(trial(0));
    recorder.writeTo(record);
    await clock.advanceSettled(0);
    expect(await ended(recorder.close({ status: 'finished' }))).toMatchObject({ message: 'away' });

    recorder = recorderOf([]);
    record.hold = new Promise(() => undefined);
    recorder.writeTo(record);
    expect(await ended(recorder.close({ status: 'finished' }))).toMatchObject({
      message: expect.stringContaining('did not answer') as string,
    });
  });

  it('tells scores once, and all anew where the trial has taken back what was told', async () => {
    const one = trial(0);
    const report = (...iterations: number[]): void => {
      for (const iteration of iterations)
        one.reports.push({ iteration, metrics: { loss: iteration / 2 }, elapsedMs: iteration });
      tell(one);
    };
    const told = async (): Promise<unknown> => {
      await clock.advanceSettled(REST_MS);
      return record.updates.at(-1)!.trials[0]?.reports;
    };
    recorder.writeTo(record);
    report(1, 2);
    expect(await told()).toEqual([
      [1, 0.5],
      [2, 1],
    ]);
    report(3);
    expect(await told()).toEqual([[3, 1.5]]);
    tell(one);
    expect(await told()).toBeUndefined();
    // It begins anew from a checkpoint: iteration 3 is done again.
    one.reports.length = 2;
    report(3);
    expect(await told()).toEqual([
      [1, 0.5],
      [2, 1],
      [3, 1.5],
    ]);
    one.reports.length = 0;
    tell(one);
    expect(await told()).toEqual([]);
    record.failure = new Error('away');
    report(1);
    await told();
    record.failure = undefined;
    report(2);
    expect(await told()).toEqual([
      [1, 0.5],
      [2, 1],
    ]);
  });

  it('tells no more scores at a time than an update has room for', async () => {
    const one = trial(0);
    for (let iteration = 1; iteration <= 10_000; iteration++)
      one.reports.push({ iteration, metrics: { loss: iteration }, elapsedMs: iteration });
    recorder = recorderOf([one]);
    recorder.writeTo(record);
    await clock.advanceSettled(0);
    const { reports } = record.updates[0]!.trials[0]!;
    expect(reports!.length).toBeLessThanOrEqual(MAX_CURVE_POINTS);
    expect([reports![0], reports!.at(-1)]).toEqual([
      [1, 1],
      [10_000, 10_000],
    ]);
  });

  it('passes on what others wish while it goes on, and nothing after its end', async () => {
    recorder.writeTo(record);
    await clock.advanceSettled(0);
    expect(wished).toEqual([]);
    record.wishes = { stop: false, stopTrials: [3] };
    await clock.advanceSettled(REST_MS + HEARTBEAT_MS);
    record.wishes = { stop: true, stopTrials: [] };
    await clock.advanceSettled(REST_MS + HEARTBEAT_MS);
    expect(wished).toEqual([
      { stop: false, stopTrials: [3] },
      { stop: true, stopTrials: [] },
    ]);
    await ended(recorder.close({ status: 'stopped' }));
    expect(wished).toHaveLength(2);
  });

  it('writes nothing where trials need no coordinator', async () => {
    tell(trial(0));
    expect(await recorder.close({ status: 'finished' })).toBeUndefined();
    expect(record.updates).toEqual([]);
    expect(clock.step()).toBe(false);
  });
});
