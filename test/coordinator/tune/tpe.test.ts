import { describe, expect, it } from 'vitest';
import { normalCdf, normalQuantile } from '../../../coordinator/tune/search/tpe/normal.ts';
import {
  choiceParzen,
  kernelWeights,
  kernelWidths,
  numberParzen,
  observationWeights,
} from '../../../coordinator/tune/search/tpe/parzen.ts';
import { goodTrials, splitTrials } from '../../../coordinator/tune/search/splitTrials.ts';
import { randomSearcher } from '../../../coordinator/tune/search/randomSearcher.ts';
import type { Observation, Searcher } from '../../../coordinator/tune/search/searcher.ts';
import { tpeSearcher } from '../../../coordinator/tune/search/tpeSearcher.ts';
import {
  choice,
  gridSearch,
  loguniform,
  qloguniform,
  quniform,
  randint,
  uniform,
} from '../../../coordinator/tune/space/domain.ts';
import type { Domain, ListForm, NumberForm } from '../../../coordinator/tune/space/domain.ts';
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
    // Sorted: 1, 2, 9 → 1 has 1, 2 has max(1, 7), 9 has 7; the least is 10/min(100, 3 + 2) = 2.
    expect(kernelWidths([9, 1, 2], 0, 10)).toEqual([7, 2, 7]);
    // One observation looks at the farther end.
    expect(kernelWidths([2], 0, 10)).toEqual([8]);
    expect(kernelWidths([10], 0, 10)).toEqual([10]);
    expect(kernelWidths([], 0, 10)).toEqual([]);
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

/**
 * Recorded from Optuna 5.0.0: `_ParzenEstimator({"x": observed}, {"x": distribution}, parameters).log_pdf(at)` with
 * prior_weight 1, magic clip, no endpoints, `default_weights`, not multivariate; real values differ, since its order of
 * equal ones is not fixed. Each has what it observed, where it was asked,
 * and what it said.
 */
const optunas: readonly [string, Domain, readonly number[], readonly number[], readonly number[]][] = [
  [
    'FloatDistribution(-3, 5)',
    uniform(-3, 5),
    [2, 4, -1.5],
    [-3, -1, 2, 4.75],
    [-2.47705643286, -2.24133281643, -1.94863728091, -2.00772330094],
  ],
  [
    'FloatDistribution(0, 10.25) after 40 trials',
    uniform(0, 10.25),
    Array.from({ length: 40 }, (_, i) => ((7 * i) % 41) / 4),
    [0, 3.1, 9.9],
    [-3.63652651511, -2.20723053118, -2.20040948782],
  ],
  [
    'FloatDistribution(0.01, 100, log=True)',
    loguniform(0.01, 100),
    [0.1, 3],
    [0.01, 0.5, 80],
    [-2.43231503894, -2.05616464204, -2.63064912474],
  ],
  [
    'IntDistribution(1, 8)',
    randint(1, 9),
    [2, 4, 4],
    [1, 2, 5, 8],
    [-2.16498696904, -1.85759685867, -1.88779863168, -3.20116606587],
  ],
  [
    'IntDistribution(1, 64, log=True)',
    qloguniform(1, 64, 1),
    [2, 30],
    [1, 8, 64],
    [-1.60623150819, -3.5769279385, -5.84122463055],
  ],
  [
    'FloatDistribution(0, 2, step=0.5)',
    quniform(0, 2, 0.5),
    [0.5, 2, 1],
    [0, 0.5, 2],
    [-1.81396483929, -1.44006155728, -1.75956798659],
  ],
  [
    'CategoricalDistribution(["a", "b", "c"])',
    choice(['a', 'b', 'c']),
    [0, 2, 2],
    [0, 1, 2],
    [-1.09861228867, -1.6582280766, -0.741937344729],
  ],
  ['FloatDistribution(0, 1) before anything', uniform(0, 1), [], [0.3], [0.0209778004909]],
];

describe("Optuna's own estimators", () => {
  it.each(optunas)('of %s have these densities', (_name, { form }, observed, at, expected) => {
    const isReal = form.kind === 'number' && form.step === undefined;
    // Ours leave the constant factor of the normal density out: only their ratio counts.
    const constant = isReal ? -Math.log(2 * Math.PI) / 2 : 0;
    const parzen =
      form.kind === 'number'
        ? numberParzen(form, observed)
        : choiceParzen((form as ListForm).values.length, observed);
    for (const [i, value] of at.entries()) {
      expect(parzen.logDensity(value) + constant).toBeCloseTo(expected[i]!, 9);
    }
  });

  it('count as many trials as good', () => {
    // default_gamma(n) for each n.
    const counted = [1, 10, 11, 30, 70, 100, 249, 250, 1000].map(goodTrials);
    expect(counted).toEqual([1, 1, 2, 3, 7, 10, 25, 25, 25]);
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
