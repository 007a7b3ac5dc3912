// A trained model in memory: trees over raw values, as XGBoost's model file holds them.

import { linkByName, type ModelObjective } from '../objective/registry.ts';
import type { JsonObject } from './modelFields.ts';

/** Structure of arrays, one entry a node; node 0 is the root; children follow their parents. Every node can be reached. */
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
  /** The nodes' numbers in the file, where they are others than here. */
  readonly ids?: Int32Array;
}

/** The coefficients of booster gblinear. */
export interface LinearModel {
  /** [feature][output], and after the last feature the intercepts. */
  readonly weights: Float32Array;
  readonly rounds: number;
}

/** What the data calls a category: text, or a number that is not its code. */
export type CategoryName = string | number;

export type FeatureType = 'float' | 'int' | 'i' | 'q' | 'c';

export interface GbdtModel {
  readonly objective: ModelObjective;
  /** The objective's section of the file, for objectives that are not trained here. */
  readonly objectiveSection?: JsonObject;
  /** 0 unless the objective has classes. */
  readonly numClass: number;
  /** Labels of a row, where there are several. */
  readonly numTarget?: number;
  readonly numFeature: number;
  /** A probability for binary:logistic; float32. */
  readonly baseScore: number;
  /** Margins before the first tree, one an output, in place of baseScore: models of XGBoost 3.1 and later with classes. */
  readonly baseVector?: readonly number[];
  readonly scalePosWeight: number;
  /** Empty when the file has none. */
  readonly featureNames: readonly string[];
  readonly featureTypes: readonly FeatureType[];
  /** Categories by code, by feature, where the file has them as XGBoost 3.1 and later write them. */
  readonly categories?: ReadonlyMap<string, readonly CategoryName[]>;
  /** learner.attributes: best_iteration, best_score and others, as text. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly trees: readonly ModelTree[];
  /** Output that each tree adds to. */
  readonly treeOutputs: readonly number[];
  /** Trees of an output in a round; 1 unless made by another program. */
  readonly parallelTrees: number;
  /** The first tree of each round and the end of the last, where rounds have different numbers of trees. */
  readonly roundStarts?: readonly number[];
  /** Leaves of the file have a value an output: each of its trees is a tree an output here, of the same nodes. */
  readonly hasVectorLeaves?: true;
  /** In place of trees. */
  readonly linear?: LinearModel;
}

/** Margins of a row. */
export function modelOutputs({ numClass, numTarget = 1 }: Pick<GbdtModel, 'numClass' | 'numTarget'>): number {
  return Math.max(1, numClass, numTarget);
}

/** Predictions of a row. */
export function predictionOutputs(model: Pick<GbdtModel, 'objective' | 'numClass' | 'numTarget'>): number {
  return linkByName(model.objective).predictsClass === true ? 1 : modelOutputs(model);
}

/** Margins before the first tree, one an output; float32. */
export function modelBaseMargins(model: GbdtModel): Float32Array<ArrayBuffer> {
  if (model.baseVector) return Float32Array.from(model.baseVector);
  const margin = linkByName(model.objective).baseMargin(model.baseScore);
  return new Float32Array(modelOutputs(model)).fill(margin);
}

/** Name of a feature: as in XGBoost f0, f1 … in a model without names. */
export function featureName(model: Pick<GbdtModel, 'featureNames'>, index: number): string {
  return model.featureNames[index] ?? `f${index}`;
}

/** Boosting rounds in the model. */
export function modelRounds(model: GbdtModel): number {
  if (model.linear) return model.linear.rounds;
  if (model.roundStarts) return model.roundStarts.length - 1;
  return Math.floor(model.trees.length / (modelOutputs(model) * model.parallelTrees));
}

/** learner.attributes key of the metric that best_score is of, e.g. "valid-logloss". */
const BEST_METRIC_KEY = 'tabgrad_best_metric';

/** A round that early stopping found best, counted from the first of the model. */
export interface BestIteration {
  readonly round: number;
  readonly score: number;
  readonly metric: string;
}

export function bestAttributes({ round, score, metric }: BestIteration): Record<string, string> {
  return { best_iteration: String(round), best_score: String(score), [BEST_METRIC_KEY]: metric };
}

/** What `bestAttributes` wrote, if it did. */
export function bestIteration({ attributes }: GbdtModel): BestIteration | undefined {
  const { best_iteration: iteration, best_score: text, [BEST_METRIC_KEY]: metric } = attributes;
  if (iteration === undefined || text === undefined || metric === undefined) return undefined;
  const [round, score] = [Number(iteration), Number(text)];
  return Number.isInteger(round) && Number.isFinite(score) ? { round, score, metric } : undefined;
}

/** learner.attributes key of the category names: JSON, feature name to names by code. */
const CATEGORIES_KEY = 'tabgrad_categories';

export function categoriesAttribute(
  categories: Readonly<Record<string, readonly string[]>>,
): Record<string, string> {
  return Object.keys(categories).length === 0 ? {} : { [CATEGORIES_KEY]: JSON.stringify(categories) };
}

/** Categories by feature, in the order of their codes; empty when the model does not tell. */
export function modelCategories(model: GbdtModel): ReadonlyMap<string, readonly CategoryName[]> {
  if (model.categories) return model.categories;
  try {
    const parsed: unknown = JSON.parse(model.attributes[CATEGORIES_KEY] ?? '{}');
    if (typeof parsed !== 'object' || parsed === null) return new Map();
    const entries = Object.entries(parsed).filter(
      (entry): entry is [string, string[]] =>
        Array.isArray(entry[1]) && entry[1].every((name: unknown) => typeof name === 'string'),
    );
    return new Map(entries);
  } catch {
    return new Map();
  }
}
