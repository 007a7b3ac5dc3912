// Reads which booster a model file has and where its parts are: trees, DART's trees with what each one weighs, or the
// coefficients of gblinear.

import { ModelUnsupportedError } from '../errors/gbdtErrors.ts';
import type { ModelFormatError } from '../errors/gbdtErrors.ts';
import type { LinearModel } from './model.ts';
import type { JsonObject } from './modelFields.ts';
import { malformed, readArray, readCount, readFloats, readObject } from './modelFields.ts';

const MAX_TREES = 1_000_000;

export interface TreeBooster {
  readonly kind: 'trees';
  readonly model: JsonObject;
  /** Where the file has `model`. */
  readonly field: string;
  readonly treeList: readonly unknown[];
  /** By which the leaves of each tree are multiplied; undefined for 1. */
  readonly scales: Float32Array | undefined;
}

interface LinearBooster {
  readonly kind: 'linear';
  /** Once the outputs are known. @throws ModelFormatError */
  linearOf(outputs: number): LinearModel;
}

/** @throws ModelFormatError; ModelUnsupportedError for other boosters. */
export function readBooster(learner: JsonObject, numFeature: number): TreeBooster | LinearBooster {
  const at = 'learner.gradient_booster';
  const booster = readObject(learner['gradient_booster'], at);
  switch (booster['name']) {
    case 'gbtree': {
      const field = `${at}.model`;
      const model = readObject(booster['model'], field);
      // From 3.4 on DART's weights are beside the trees; models without drop-outs may have the list, empty.
      const value = model['weight_drop'];
      const isPlain = value === undefined || (Array.isArray(value) && value.length === 0);
      return treesOf(model, field, isPlain ? undefined : { value, field: `${field}.weight_drop` });
    }
    case 'dart': {
      const trees = readObject(booster['gbtree'], `${at}.gbtree`);
      const field = `${at}.gbtree.model`;
      const weights = { value: booster['weight_drop'], field: `${at}.weight_drop` };
      return treesOf(readObject(trees['model'], field), field, weights);
    }
    case 'gblinear': {
      const model = readObject(booster['model'], `${at}.model`);
      return { kind: 'linear', linearOf: (outputs) => readLinear(model, `${at}.model`, numFeature, outputs) };
    }
    default:
      throw unsupported('booster', booster['name'], 'gbtree, dart or gblinear');
  }
}

function treesOf(
  model: JsonObject,
  field: string,
  weights: { readonly value: unknown; readonly field: string } | undefined,
): TreeBooster {
  const treeList = readArray(model['trees'], `${field}.trees`);
  if (treeList.length > MAX_TREES) throw malformed(`${field}.trees`, `has ${treeList.length} trees`);
  const scales = weights && readFloats(weights.value, weights.field, treeList.length);
  return { kind: 'trees', model, field, treeList, scales };
}

function readLinear(model: JsonObject, field: string, numFeature: number, outputs: number): LinearModel {
  const weights = readFloats(model['weights'], `${field}.weights`, (numFeature + 1) * outputs);
  const wrong = weights.findIndex((weight) => !Number.isFinite(weight));
  if (wrong !== -1) throw malformed(`${field}.weights[${wrong}]`, 'expected a finite number');
  return {
    weights,
    rounds: readCount(model['boosted_rounds'] ?? '0', `${field}.boosted_rounds`, 2 ** 31 - 1),
  };
}

export function unsupported(
  what: string,
  found: unknown,
  expected: string,
): ModelFormatError | ModelUnsupportedError {
  if (typeof found !== 'string') return malformed(what, 'missing');
  return new ModelUnsupportedError(
    `model file: ${what} "${found.slice(0, 100)}" is not supported, expected ${expected}`,
  );
}
