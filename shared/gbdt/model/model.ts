// A trained model in memory: trees over raw values, as XGBoost's model file holds them.

import type { ObjectiveName } from '../objective/objective.ts';

/** Structure of arrays, one entry a node; node 0 is the root; children follow their parents. */
export interface ModelTree {
  /** -1 for a leaf. */
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** -1 for the root. */
  readonly parent: Int32Array;
  readonly feature: Int32Array;
  /** Inner nodes: value < threshold goes left. Leaves: the leaf's value. */
  readonly threshold: Float32Array;
  readonly defaultLeft: Uint8Array;
  /** Categorical nodes: a set bit sends the category right. */
  readonly categories: ReadonlyMap<number, Uint32Array>;
  readonly gain: Float32Array;
  readonly cover: Float32Array;
  readonly weight: Float32Array;
}

export type FeatureType = 'float' | 'int' | 'i' | 'q' | 'c';

export interface GbdtModel {
  readonly objective: ObjectiveName;
  /** 0 unless the objective has classes. */
  readonly numClass: number;
  readonly numFeature: number;
  /** A probability for binary:logistic; float32. */
  readonly baseScore: number;
  readonly scalePosWeight: number;
  /** Empty when the file has none. */
  readonly featureNames: readonly string[];
  readonly featureTypes: readonly FeatureType[];
  /** learner.attributes: best_iteration, best_score and others, as text. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly trees: readonly ModelTree[];
  /** Output that each tree adds to. */
  readonly treeOutputs: readonly number[];
  /** Trees of an output in a round; 1 unless made by another program. */
  readonly parallelTrees: number;
}

export function modelOutputs(model: GbdtModel): number {
  return Math.max(1, model.numClass);
}

/** Boosting rounds in the model. */
export function modelRounds(model: GbdtModel): number {
  return Math.floor(model.trees.length / (modelOutputs(model) * model.parallelTrees));
}

/** learner.attributes key of the category names: JSON, feature name to names by code. */
const CATEGORIES_KEY = 'tabgrad_categories';

export function categoriesAttribute(
  categories: Readonly<Record<string, readonly string[]>>,
): Record<string, string> {
  return Object.keys(categories).length === 0 ? {} : { [CATEGORIES_KEY]: JSON.stringify(categories) };
}

/** Category names by feature, in the order of their codes; empty when the model does not tell. */
export function modelCategories(model: GbdtModel): Readonly<Record<string, readonly string[]>> {
  try {
    const parsed: unknown = JSON.parse(model.attributes[CATEGORIES_KEY] ?? '{}');
    if (typeof parsed !== 'object' || parsed === null) return {};
    const entries = Object.entries(parsed).filter(
      (entry): entry is [string, string[]] =>
        Array.isArray(entry[1]) && entry[1].every((name: unknown) => typeof name === 'string'),
    );
    return Object.fromEntries(entries);
  } catch {
    return {};
  }
}
