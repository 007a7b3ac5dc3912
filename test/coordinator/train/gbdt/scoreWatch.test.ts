import { describe, expect, it } from 'vitest';
import { ScoreWatch } from '../../../../coordinator/train/gbdt/scoreWatch.ts';

function stopsAt(metric: string, scores: readonly number[], patience: number): number {
  const watch = new ScoreWatch({ evaluationSets: ['train', 'valid'], metrics: ['error', metric] }, patience);
  return scores.findIndex((score, round) =>
    watch.observe({ round, metrics: { [`valid-${metric}`]: score, [`train-${metric}`]: -round } }),
  );
}

describe('ScoreWatch', () => {
  it('stops a loss after as many rounds as its patience without a strictly lower one', () => {
    expect(stopsAt('logloss', [5, 4, 4, 4.5, 3, 3, 3], 2)).toBe(3);
    expect(stopsAt('logloss', [5, 4, 4, 4.5, 3, 3, 3], 3)).toBe(-1);
    expect(stopsAt('logloss', [5, 4, 4.5, 4.5, 3, 3, 3, 3], 3)).toBe(7);
  });

  it('stops a metric that should grow the other way round', () => {
    expect(stopsAt('auc', [0.5, 0.6, 0.55, 0.6, 0.7], 2)).toBe(3);
    expect(stopsAt('auc', [0.5, 0.4], 1)).toBe(1);
  });

  it('never counts NaN as an improvement', () => {
    expect(stopsAt('logloss', [3, NaN, NaN], 2)).toBe(2);
  });

  it('does not stop while the metric has no value', () => {
    const watch = new ScoreWatch({ evaluationSets: ['valid'], metrics: ['auc'] }, 1);
    expect([0, 1, 2].map((round) => watch.observe({ round, metrics: {} }))).toEqual([false, false, false]);
  });

  it('goes on from the best round of a run that was cut short', () => {
    const watch = new ScoreWatch({ evaluationSets: ['valid'], metrics: ['logloss'] }, 3, () => false, {
      round: -2,
      score: 1,
    });
    expect(
      [1.5, 1.2].map((score, round) => watch.observe({ round, metrics: { 'valid-logloss': score } })),
    ).toEqual([false, true]);
    expect(watch.best).toMatchObject({ round: -2, score: 1 });
  });

  it('does not count a round twice, and remembers the best one', () => {
    const watch = new ScoreWatch({ evaluationSets: ['train'], metrics: ['rmse'] }, 2);
    const rounds = [3, 1, 2].map((rmse, round) => ({ round, metrics: { 'train-rmse': rmse } }));
    for (const round of rounds) {
      expect(watch.observe(round)).toBe(false);
      expect(watch.observe(round)).toBe(false);
    }
    expect(watch.best).toEqual({ round: 1, score: 1, metrics: { 'train-rmse': 1 } });
  });

  it('gives one who hears of a round later the answer of the first', () => {
    const rounds = [3, 4, 5].map((rmse, round) => ({ round, metrics: { 'train-rmse': rmse } }));
    const impatient = new ScoreWatch({ evaluationSets: ['train'], metrics: ['rmse'] }, 2);
    const asked: number[] = [];
    const told = new ScoreWatch({ evaluationSets: ['train'], metrics: ['rmse'] }, Infinity, (round) => {
      asked.push(round);
      return round === 2;
    });
    for (const watch of [impatient, told]) {
      expect(rounds.map((round) => watch.observe(round))).toEqual([false, false, true]);
      expect(rounds.map((round) => watch.observe(round))).toEqual([false, false, true]);
    }
    expect(asked).toEqual([0, 1, 2]);
  });
});
