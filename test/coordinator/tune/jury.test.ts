import { describe, expect, it } from 'vitest';
import { Jury, type Ruling } from '../../../coordinator/tune/experiment/jury.ts';
import { schedulers } from '../../../coordinator/tune/schedule/registry.ts';
import { uniform } from '../../../coordinator/tune/space/domain.ts';
import { resolveSpace } from '../../../coordinator/tune/space/searchSpace.ts';
import { seededRandom } from '../../setup/seededRandom.ts';

const space = resolveSpace({ rate: uniform(0, 1) });

function juryOf(name: string, options: Record<string, unknown>): Jury {
  const kind = schedulers.find((one) => one.name === name)!;
  return new Jury(kind.create(kind.options.parse(options), { space, seed: 0 }).judge!);
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
function play(jury: Jury, scores: readonly (number | undefined)[][], concurrency: number, seed: number) {
  const random = seededRandom(seed);
  const stopped = new Map<number, number>();
  const obey = (rulings: readonly Ruling[]): void => {
    for (const { trial, iteration } of rulings) {
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
      obey(jury.hear(one.trial, ++one.done, list[one.done - 1]));
    } else {
      live.splice(live.indexOf(one), 1);
      obey(jury.end(one.trial));
    }
  }
  return [...stopped].sort(([a], [b]) => a - b);
}

describe('Jury', () => {
  it.each([
    ['asha', { reductionFactor: 2, maxT: 100 }],
    ['medianStopping', { gracePeriod: 2, minSamplesRequired: 2 }],
  ])(
    'stops the same trials at the same iterations with %s, however many run side by side at whatever speed',
    (name, options) => {
      let stops = 0;
      for (let seed = 0; seed < 20; seed++) {
        const scores = games(seed);
        const oneByOne = play(juryOf(name, options), scores, 1, 0);
        stops += oneByOne.length;
        for (const concurrency of [2, 4, TRIALS]) {
          expect(play(juryOf(name, options), scores, concurrency, seed + concurrency)).toEqual(oneByOne);
        }
      }
      expect(stops).toBeGreaterThan(40);
    },
  );

  it('waits with a judgement until all earlier trials have come as far or ended, and then gives all that are due', () => {
    const jury = juryOf('asha', { reductionFactor: 2 });
    expect(jury.hear(2, 1, 1)).toEqual([]);
    expect(jury.hear(1, 1, 5)).toEqual([]);
    expect(jury.hear(1, 2, 5)).toEqual([]);
    expect(jury.hear(2, 2, 9)).toEqual([]);
    const reason = expect.stringMatching(/not among the best 1\/2 of 3 at iteration 1/);
    expect(jury.hear(0, 1, 3)).toEqual([{ trial: 2, iteration: 1, reason }]);
    // Trial 2 is over: what it reports since does not count.
    expect(jury.hear(2, 3, 100)).toEqual([]);
    expect(jury.end(0)).toEqual([]);
  });

  it('does not count a report that is repeated', () => {
    const jury = juryOf('asha', { reductionFactor: 2 });
    jury.hear(0, 1, 3);
    jury.hear(0, 2, 3);
    expect(jury.hear(0, 1, 100)).toEqual([]);
    expect(jury.hear(1, 1, 4)).toEqual([]);
  });
});
