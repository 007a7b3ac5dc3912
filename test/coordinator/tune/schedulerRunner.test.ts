import { describe, expect, it } from 'vitest';
import {
  SchedulerRunner,
  type SchedulerDecision,
} from '../../../coordinator/tune/experiment/schedulerRunner.ts';
import { schedulers } from '../../../coordinator/tune/schedule/registry.ts';
import { uniform } from '../../../coordinator/tune/space/domain.ts';
import { resolveSpace } from '../../../coordinator/tune/space/searchSpace.ts';
import { seededRandom } from '../../setup/seededRandom.ts';

const space = resolveSpace({ rate: uniform(0, 1) });

function runnerOf(name: string, options: Record<string, unknown>): SchedulerRunner {
  const kind = schedulers.find((one) => one.name === name)!;
  return new SchedulerRunner(kind.create(kind.options.parse(options), { space, seed: 0 }).judge!);
}

const TRIALS = 12;
const ITERATIONS = 16;

/** Scores by trial and iteration; some trials end early by themselves, some reports have no score. */
function games(seed: number): (number | undefined)[][] {
  const random = seededRandom(seed);
  return Array.from({ length: TRIALS }, () =>
    Array.from({ length: Math.ceil(random() * 2 * ITERATIONS) }, () =>
      random() < 0.1 ? undefined : Math.round(random() * 100),
    ).slice(0, ITERATIONS),
  );
}

/** Feeds the trials' reports, `concurrency` trials side by side at random speeds; where each was stopped. */
function play(
  schedulerRunner: SchedulerRunner,
  scores: readonly (number | undefined)[][],
  concurrency: number,
  seed: number,
) {
  const random = seededRandom(seed);
  const stopped = new Map<number, number>();
  const apply = (decisions: readonly SchedulerDecision[]): void => {
    for (const { trial, iteration } of decisions) {
      expect(stopped.has(trial)).toBe(false);
      stopped.set(trial, iteration);
    }
  };
  const live: { trial: number; done: number }[] = [];
  let begun = 0;
  while (begun < TRIALS || live.length > 0) {
    while (live.length < concurrency && begun < TRIALS) live.push({ trial: begun++, done: 0 });
    const one = live[Math.floor(random() * live.length)]!;
    const list = scores[one.trial]!;
    if (one.done < list.length && !stopped.has(one.trial)) {
      apply(schedulerRunner.report(one.trial, ++one.done, list[one.done - 1]));
    } else {
      live.splice(live.indexOf(one), 1);
      apply(schedulerRunner.end(one.trial));
    }
  }
  return [...stopped].sort(([a], [b]) => a - b);
}

describe('SchedulerRunner', () => {
  it.each([
    ['asha', { reductionFactor: 2, maxT: 100 }],
    ['medianStopping', { gracePeriod: 2, minSamplesRequired: 2 }],
  ])(
    'stops the same trials at the same iterations with %s, however many run side by side at whatever speed',
    (name, options) => {
      let stops = 0;
      for (let seed = 0; seed < 20; seed++) {
        const scores = games(seed);
        const oneByOne = play(runnerOf(name, options), scores, 1, 0);
        stops += oneByOne.length;
        for (const concurrency of [2, 4, TRIALS]) {
          expect(play(runnerOf(name, options), scores, concurrency, seed + concurrency)).toEqual(oneByOne);
        }
      }
      expect(stops).toBeGreaterThan(40);
    },
  );

  it('waits with a judgement until all earlier trials have come as far or ended, and then gives all that are due', () => {
    const schedulerRunner = runnerOf('asha', { reductionFactor: 2 });
    expect(schedulerRunner.report(2, 1, 1)).toEqual([]);
    expect(schedulerRunner.report(1, 1, 5)).toEqual([]);
    expect(schedulerRunner.report(1, 2, 5)).toEqual([]);
    expect(schedulerRunner.report(2, 2, 9)).toEqual([]);
    const reason = expect.stringMatching(/not among the best 1\/2 of 3 at iteration 1/);
    expect(schedulerRunner.report(0, 1, 3)).toEqual([{ trial: 2, iteration: 1, reason }]);
    // Trial 2 is over: what it reports since does not count.
    expect(schedulerRunner.report(2, 3, 100)).toEqual([]);
    expect(schedulerRunner.end(0)).toEqual([]);
  });

  it('does not count a report that is repeated', () => {
    const schedulerRunner = runnerOf('asha', { reductionFactor: 2 });
    schedulerRunner.report(0, 1, 3);
    schedulerRunner.report(0, 2, 3);
    expect(schedulerRunner.report(0, 1, 100)).toEqual([]);
    expect(schedulerRunner.report(1, 1, 4)).toEqual([]);
  });
});
