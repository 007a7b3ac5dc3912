import { describe, expect, it } from 'vitest';
import type { TabgradError } from '../../../kernels/errors.ts';
import { effectiveMetrics, resolveParams } from '../../../shared/gbdt/params.ts';
import { parameterDefinitions } from '../../../shared/gbdt/parameterRegistry.ts';

function failure(raw: Record<string, unknown>): TabgradError {
  try {
    resolveParams(raw);
  } catch (error) {
    return error as TabgradError;
  }
  throw new Error(`accepted ${JSON.stringify(raw)}`);
}

describe('parameters', () => {
  it("take XGBoost's defaults when nothing is said", () => {
    expect(resolveParams({})).toMatchObject({
      objective: 'reg:squarederror',
      eta: Math.fround(0.3),
      gamma: 0,
      max_depth: 6,
      min_child_weight: 1,
      lambda: 1,
      alpha: 0,
      subsample: 1,
      max_bin: 256,
      base_score: 0.5,
      seed: 0,
    });
  });

  it('may be written by their aliases, and as text', () => {
    const params = resolveParams({
      learning_rate: '0.1',
      reg_lambda: 2,
      reg_alpha: 1,
      min_split_loss: 3,
      random_state: 7,
    });
    expect(params).toMatchObject({ eta: Math.fround(0.1), lambda: 2, alpha: 1, gamma: 3, seed: 7 });
  });

  it('that are unknown are refused with the nearest name', () => {
    const error = failure({ max_dept: 3 });
    expect(error.code).toBe('PARAMETER_UNKNOWN');
    expect(error.place.field).toBe('params.max_dept');
    expect(error.message).toContain('did you mean max_depth?');
    expect(failure({ learning_rat: 0.1 }).message).toContain('learning_rate');
  });

  it('that belong beside the parameters are told so', () => {
    expect(failure({ n_estimators: 100 }).message).toContain('set numBoostRound beside params');
    expect(failure({ early_stopping_rounds: 3 }).message).toContain('set earlyStoppingRounds beside params');
  });

  it('with the one value that they have here are accepted, in all forms', () => {
    const pasted = { device: 'cpu', num_parallel_tree: '1', max_leaves: 0, process_type: 'default' };
    const switches = { validate_parameters: 1, seed_per_iteration: 'False', disable_default_eval_metric: 0 };
    expect(resolveParams({ ...pasted, ...switches })).toEqual(resolveParams({}));
  });

  it('that are given twice under two names are refused', () => {
    expect(failure({ eta: 0.1, learning_rate: 0.2 }).message).toContain('same parameter');
  });

  it.each([
    [{ eta: -0.1 }, 'eta', '[0, 1]'],
    [{ eta: NaN }, 'eta', '[0, 1]'],
    [{ learning_rate: 1.5 }, 'learning_rate', '[0, 1]'],
    [{ max_depth: 2.5 }, 'max_depth', '[1, 24]'],
    [{ max_depth: 0 }, 'max_depth', '[1, 24]'],
    [{ max_bin: 257 }, 'max_bin', '[2, 256]'],
    [{ subsample: 0 }, 'subsample', '(0, 1]'],
    [{ lambda: Infinity }, 'lambda', '[0, inf)'],
    [{ lambda: 1e308 }, 'lambda', 'that float32 can hold, at most 3.4e38'],
    [{ objective: 'binary:logistic', num_class: 2 }, 'num_class', '0 for binary:logistic'],
    [{ device: 'cuda' }, 'device', '"cpu", which changes nothing'],
    [{ num_parallel_tree: 4 }, 'num_parallel_tree', '1, which changes nothing'],
    [{ max_leaves: 31 }, 'max_leaves', '0, which changes nothing'],
    [
      { objective: 'binary:hinge' },
      'objective',
      'models with this one predict, but it can not be trained yet',
    ],
    [{ objective: 'binary:what' }, 'objective', 'binary:logistic'],
    [{ tree_method: 'exact' }, 'tree_method', 'hist'],
    [{ objective: 'binary:logistic', base_score: 1 }, 'base_score', '(0, 1)'],
    [{ objective: 'multi:softprob' }, 'num_class', 'at least 2'],
    [{ objective: 'multi:softprob', num_class: 3, scale_pos_weight: 2 }, 'scale_pos_weight', '1'],
    [{ eval_metric: 'logloss' }, 'eval_metric', 'rmse, mae'],
    [{ eval_metric: ['rmse', 'ndcg'] }, 'eval_metric', 'rmse'],
    [{ monotone_constraints: '(1,2)' }, 'monotone_constraints', '-1, 0 or 1'],
    [{ monotone_constraints: [1, 'up'] }, 'monotone_constraints', '-1, 0 or 1'],
  ])('out of range are refused with the valid range: %j', (raw, name, range) => {
    const error = failure(raw);
    expect(error.code).toBe('PARAMETER_OUT_OF_RANGE');
    expect(error.place.field).toBe(`params.${name}`);
    expect(error.message).toContain(range);
  });

  it('take monotone constraints in all of their forms', () => {
    expect(resolveParams({ monotone_constraints: '(1, 0,-1)' }).monotone_constraints).toEqual([1, 0, -1]);
    expect(resolveParams({ monotone_constraints: [0, 1] }).monotone_constraints).toEqual([0, 1]);
    expect(resolveParams({ monotone_constraints: { age: 1 } }).monotone_constraints).toEqual({ age: 1 });
  });

  it("report the objective's metric unless others are named", () => {
    expect(effectiveMetrics(resolveParams({ objective: 'binary:logistic' }))).toEqual(['logloss']);
    expect(
      effectiveMetrics(resolveParams({ objective: 'binary:logistic', eval_metric: ['auc', 'error'] })),
    ).toEqual(['auc', 'error']);
  });

  it('have a default within their own range, a range in words and a line of documentation', () => {
    for (const [name, definition] of Object.entries(parameterDefinitions)) {
      expect(definition.parse(definition.default, name), name).toEqual(definition.default);
      expect(definition.doc.length, name).toBeGreaterThan(10);
      expect(definition.range.length, name).toBeGreaterThan(5);
    }
  });
});
