import { describe, expect, it } from 'vitest';
import { normalCdf, normalQuantile } from '../../../coordinator/tune/search/tpe/normal.ts';
import {
  choiceParzen,
  kernelWeights,
  kernelWidths,
  numberParzen,
  observationWeights,
} from '../../../coordinator/tune/search/tpe/parzen.ts';
import { goodTrials, splitTrials } from '../../../coordinator/tune/search/tpe/splitTrials.ts';
import { randomSearcher } from '../../../coordinator/tune/search/randomSearcher.ts';
import type { Observation, Searcher } from '../../../coordinator/tune/search/searcher.ts';
import { tpeSearcher } from '../../../coordinator/tune/search/tpeSearcher.ts';
import { choice, gridSearch, loguniform, randint, uniform } from '../../../coordinator/tune/space/domain.ts';
import type { NumberForm } from '../../../coordinator/tune/space/domain.ts';
import { configOf, resolveSpace, type ParamSpace } from '../../../coordinator/tune/space/searchSpace.ts';
import { seededRandom } from '../../setup/seededRandom.ts';

const done = (score: number, x = score): Observation => ({
  assignment: { x },
  state: 'complete',
  score,
  iteration: 1,
});

describe('normal distribution', () => {
  it.each([
    [0, 0.5],
    [1, 0.841344746068543],
    [-1.959963984540054, 0.025],
    [-3, 0.0013498980316301],
    [4, 0.9999683287581669],
    [-6, 9.865876450377e-10],
  ])('P(X <= %f) is %f', (z, probability) => {
    expect(normalCdf(z) / probability).toBeCloseTo(1, 10);
    expect(normalQuantile(probability)).toBeCloseTo(z, 8);
  });
});

describe("Optuna's published rules, worked by hand", () => {
  it.each([
    [1, 1],
    [10, 1],
    [11, 2],
    [100, 10],
    [249, 25],
    [1000, 25],
  ])('of %i trials %i are good', (n, good) => expect(goodTrials(n)).toBe(good));

  it('weighs 25 or fewer trials alike, and fades older ones in from 1/n', () => {
    expect(observationWeights(3)).toEqual([1, 1, 1]);
    expect(observationWeights(26)).toEqual([1 / 26, ...Array<number>(25).fill(1)]);
    // linspace(1/28, 1, 3), then 25 ones
    expect(observationWeights(28).slice(0, 4)).toEqual([1 / 28, 1 / 28 + (1 - 1 / 28) / 2, 1, 1]);
    expect(kernelWeights(3)).toEqual([0.25, 0.25, 0.25, 0.25]);
  });

  it('makes kernels as wide as the farther neighbour, clipped; the ends look at their one neighbour', () => {
    // Sorted with the prior's 5: 1, 2, 5, 9 → 1 has 1, 2 has max(1, 3), 9 has 4; the least is 10/min(100, 3 + 2) = 2.
    expect(kernelWidths([9, 1, 2], 0, 10)).toEqual([4, 2, 3]);
    // One observation: its one neighbour is the prior.
    expect(kernelWidths([2], 0, 10)).toEqual([10 / 3]);
    expect(kernelWidths([0], 0, 10)).toEqual([5]);
  });

  it('smooths choices by 1/(n+1) each', () => {
    // Two observations of "0" among 2 choices: kernels (1/3 + 1, 1/3) / (5/3) = (0.8, 0.2), twice, and the prior's half.
    const parzen = choiceParzen(2, [0, 0]);
    expect(Math.exp(parzen.logDensity(0))).toBeCloseTo((0.8 + 0.8 + 0.5) / 3, 12);
    expect(Math.exp(parzen.logDensity(1))).toBeCloseTo((0.2 + 0.2 + 0.5) / 3, 12);
  });

  it('takes the best tenth as good, in order of time; stopped trials come after finished ones, running ones last', () => {
    const trials: Observation[] = [
      ...Array.from({ length: 9 }, (_, i) => done(i)),
      { ...done(100), state: 'pruned', iteration: 5 },
      { ...done(50), state: 'pruned', iteration: 9 },
      { ...done(1000), state: 'running' },
    ];
    const { good, other } = splitTrials(trials);
    // 11 have ended, so 2 are good.
    expect(good.map(({ score }) => score)).toEqual([7, 8]);
    expect(other.map(({ score }) => score)).toEqual([0, 1, 2, 3, 4, 5, 6, 100, 50, 1000]);
    const stopped = splitTrials(trials.slice(9));
    expect(stopped.good.map(({ score }) => score)).toEqual([50]);
  });

  it('counts a NaN score as worst', () => {
    expect(splitTrials([done(NaN, 1), done(-5, 2)]).good.map(({ assignment }) => assignment)).toEqual([
      { x: 2 },
    ]);
  });
});

describe('Parzen estimators', () => {
  const forms: [string, NumberForm][] = [
    ['a real range', uniform(-3, 5).form as NumberForm],
    ['a logarithmic range', loguniform(0.01, 100).form as NumberForm],
    ['whole numbers', randint(1, 9).form as NumberForm],
  ];
  it.each(forms)('have a density that adds up to 1 over %s, and draw by it', (_name, form) => {
    const parzen = numberParzen(form, form.log ? [0.1, 3] : [2, 4]);
    const random = seededRandom(3);
    const drawn = Array.from({ length: 4000 }, () => parzen.sample(random));
    expect(drawn.every((value) => value >= form.low && value <= form.high)).toBe(true);
    if (form.step !== undefined) {
      const values = Array.from({ length: 8 }, (_, i) => i + 1);
      const chances = values.map((value) => Math.exp(parzen.logDensity(value)));
      expect(chances.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 10);
      for (const [i, value] of values.entries()) {
        const share = drawn.filter((one) => one === value).length / drawn.length;
        expect(Math.abs(share - chances[i]!)).toBeLessThan(0.03);
      }
      return;
    }
    // Steps of equal size on the scale that the kernels live on.
    const scale = form.log ? Math.log : (value: number) => value;
    const unscale = form.log ? Math.exp : (value: number) => value;
    const low = scale(form.low);
    const width = (scale(form.high) - low) / 4000;
    const points = Array.from({ length: 4000 }, (_, i) => unscale(low + (i + 0.5) * width));
    const masses = points.map((value) => Math.exp(parzen.logDensity(value)) * width);
    const total = masses.reduce((a, b) => a + b, 0);
    expect(total).toBeCloseTo(1 / Math.sqrt(1 / (2 * Math.PI)), 3);
    const below = masses.slice(0, 2000).reduce((a, b) => a + b, 0) / total;
    const share = drawn.filter((value) => value < points[2000]!).length / drawn.length;
    expect(Math.abs(share - below)).toBeLessThan(0.03);
  });
});

interface Problem {
  readonly name: string;
  readonly space: ParamSpace;
  readonly loss: (config: Record<string, unknown>) => number;
}
const numberOf = (value: unknown): number => value as number;

const problems: readonly Problem[] = [
  {
    name: 'sphere',
    space: { x: uniform(-5, 5), y: uniform(-5, 5) },
    loss: ({ x, y }) => numberOf(x) ** 2 + numberOf(y) ** 2,
  },
  {
    name: 'Branin',
    space: { x: uniform(-5, 10), y: uniform(0, 15) },
    loss: ({ x, y }) => {
      const a = numberOf(x);
      const b = numberOf(y) - (5.1 / (4 * Math.PI ** 2)) * a ** 2 + (5 / Math.PI) * a - 6;
      return b ** 2 + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(a) + 10;
    },
  },
  {
    name: 'Rosenbrock',
    space: { x: uniform(-2, 2), y: uniform(-1, 3) },
    loss: ({ x, y }) => (1 - numberOf(x)) ** 2 + 100 * (numberOf(y) - numberOf(x) ** 2) ** 2,
  },
  {
    name: 'one of words, a logarithm and whole numbers',
    space: { kind: choice(['a', 'b', 'c', 'd', 'e']), rate: loguniform(1e-5, 1), depth: randint(1, 21) },
    loss: ({ kind, rate, depth }) =>
      (kind === 'd' ? 0 : 1) + (Math.log10(numberOf(rate)) + 3) ** 2 + ((numberOf(depth) - 7) / 5) ** 2,
  },
];

/** Best loss after so many trials, `atOnce` of them side by side. */
function minimise(
  { space: paramSpace, loss }: Problem,
  searcher: Searcher,
  seed: number,
  trials: number,
  atOnce = 1,
) {
  const space = resolveSpace(paramSpace);
  const observations: Observation[] = [];
  let best = Infinity;
  while (observations.length < trials) {
    const batch: Observation[] = [];
    for (let i = 0; i < atOnce; i++) {
      const index = observations.length + batch.length;
      const seen = [...observations, ...batch];
      const assignment = searcher.propose({ space, seed, index, observations: seen });
      batch.push({ assignment, state: 'running', score: undefined, iteration: 0 });
    }
    for (const { assignment } of batch) {
      const value = loss(configOf(space, assignment));
      best = Math.min(best, value);
      observations.push({ assignment, state: 'complete', score: -value, iteration: 1 });
    }
  }
  return best;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

describe('TPE against random search, 60 trials, 15 seeds', () => {
  const seeds = Array.from({ length: 15 }, (_, i) => i);
  it.each(problems.map((problem) => [problem.name, problem] as const))(
    'is better on %s',
    (_name, problem) => {
      const optimum = problem.name === 'Branin' ? 0.397887 : 0;
      const gap = (searcher: Searcher) =>
        seeds.map((seed) => minimise(problem, searcher, seed, 60) - optimum);
      const tpe = gap(tpeSearcher);
      const random = gap(randomSearcher);
      expect(median(tpe)).toBeLessThan(median(random) * 0.75);
      expect(tpe.filter((value, i) => value < random[i]!).length).toBeGreaterThanOrEqual(9);
    },
  );

  it('spreads trials that run side by side, and still beats random search', () => {
    const [sphere] = problems;
    const side = seeds.map((seed) => minimise(sphere!, tpeSearcher, seed, 60, 4));
    const random = seeds.map((seed) => minimise(sphere!, randomSearcher, seed, 60));
    expect(median(side)).toBeLessThan(median(random));
  });

  it('begins with 10 random trials and gives the same trials for the same past', () => {
    const space = resolveSpace({ x: uniform(0, 1) });
    const past = Array.from({ length: 9 }, (_, i) => done(i, i / 10));
    const ask = (observations: readonly Observation[]) => ({ space, seed: 1, index: 9, observations });
    expect(tpeSearcher.propose(ask(past))).toEqual(randomSearcher.propose(ask(past)));
    const more = [...past, done(9, 0.9)];
    expect(tpeSearcher.propose(ask(more))).not.toEqual(randomSearcher.propose(ask(more)));
    expect(tpeSearcher.propose(ask(more))).toEqual(tpeSearcher.propose(ask(more)));
  });

  it('refuses a gridSearch and names its path', () => {
    expect(() => tpeSearcher.check(resolveSpace({ a: { b: gridSearch([1]) } }))).toThrow(
      /paramSpace\.a\.b is a gridSearch/,
    );
  });
});
