// Makes the model of a run: binned trees get the float thresholds of the cuts; a continued model keeps its trees.

import type { BinnedTree } from '../../../kernels/gbdt/binnedTree.ts';
import type { FeatureCuts } from '../cuts.ts';
import { ModelUnsupportedError } from '../errors/gbdtErrors.ts';
import { objectiveByName } from '../objective/registry.ts';
import type { GbdtParams } from '../params.ts';
import type { BestIteration, GbdtModel, ModelTree } from './model.ts';
import { bestAttributes, categoriesAttribute, modelOutputs, modelRounds } from './model.ts';

interface ModelFeature {
  readonly name: string;
  readonly cuts: FeatureCuts;
  /** Names of the categories by code, for categorical features. */
  readonly categories?: readonly string[];
}

export interface ModelInput {
  readonly params: GbdtParams;
  readonly features: readonly ModelFeature[];
  /** Committed rounds, each with a tree an output. */
  readonly rounds: readonly (readonly BinnedTree[])[];
  /** The best round (early stopping), counted from this run's first: negative in a run that was resumed after it. */
  readonly best?: BestIteration;
  /** The model that the run went on from. */
  readonly continued?: GbdtModel;
  /** Further facts to keep in learner.attributes. */
  readonly attributes?: Readonly<Record<string, string>>;
}

export function buildModel(input: ModelInput): GbdtModel {
  const { continued, rounds } = input;
  const trees = [...(continued?.trees ?? []), ...rounds.flatMap((round) => modelTrees(round, input))];
  return { ...modelFrame(input, rounds.length), trees };
}

/** The trees of a round, over raw values. */
export function modelTrees(
  round: readonly BinnedTree[],
  { features, params }: Pick<ModelInput, 'features' | 'params'>,
): ModelTree[] {
  const cuts = features.map((feature) => feature.cuts);
  return round.map((tree) => toModelTree(tree, cuts, params.eta));
}

/** All of a model but its trees. @param rounds of this run that it has. */
export function modelFrame(input: Omit<ModelInput, 'rounds'>, rounds: number): Omit<GbdtModel, 'trees'> {
  const { params, features, continued, best } = input;
  const outputs = objectiveByName(params.objective).outputs(params);
  const categories = Object.fromEntries(
    features.flatMap(({ name, categories: names }) => (names ? [[name, names] as const] : [])),
  );
  const earlierRounds = continued === undefined ? 0 : modelRounds(continued);
  return {
    objective: params.objective,
    numClass: outputs > 1 ? outputs : 0,
    numFeature: features.length,
    baseScore: continued?.baseScore ?? params.base_score,
    ...(continued?.baseVector && { baseVector: continued.baseVector }),
    scalePosWeight: params.scale_pos_weight,
    featureNames: features.map(({ name }) => name),
    featureTypes: features.map((feature) => (feature.cuts.categorical ? 'c' : 'float')),
    attributes: {
      ...(best && bestAttributes({ ...best, round: earlierRounds + best.round })),
      ...categoriesAttribute(categories),
      ...input.attributes,
    },
    treeOutputs: [
      ...(continued?.treeOutputs ?? []),
      ...Array.from({ length: rounds * outputs }, (_, i) => i % outputs),
    ],
    parallelTrees: 1,
  };
}

/**
 * Refuses a model that a run with these parameters and features can't continue.
 * @throws ModelUnsupportedError naming what differs.
 */
export function checkContinues(model: GbdtModel, params: GbdtParams, featureNames: readonly string[]): void {
  const differs = (what: string, found: unknown, expected: unknown): ModelUnsupportedError =>
    new ModelUnsupportedError(
      `the model to continue from has ${what} ${String(found)}, the run has ${String(expected)}`,
    );
  const outputs = objectiveByName(params.objective).outputs(params);
  if (model.linear) throw differs('booster', 'gblinear', 'gbtree');
  if (model.objective !== params.objective) throw differs('objective', model.objective, params.objective);
  if (model.numTarget !== undefined) throw differs('num_target', model.numTarget, 1);
  if (modelOutputs(model) !== outputs) throw differs('num_class', modelOutputs(model), outputs);
  if (model.numFeature !== featureNames.length)
    throw differs('num_feature', model.numFeature, featureNames.length);
  if (model.parallelTrees !== 1) throw differs('num_parallel_tree', model.parallelTrees, 1);
  if (model.roundStarts)
    throw differs('iteration_indptr', 'rounds of different numbers of trees', 'one tree an output');
  if (model.hasVectorLeaves) throw differs('size_leaf_vector', modelOutputs(model), 1);
  model.featureNames.forEach((name, i) => {
    if (name !== featureNames[i]) throw differs(`feature ${i} named`, `"${name}"`, `"${featureNames[i]}"`);
  });
}

/** A binned tree over raw values. Inner nodes get their weight before the learning rate `eta`, as XGBoost keeps it. */
function toModelTree(tree: BinnedTree, cuts: readonly FeatureCuts[], eta: number): ModelTree {
  const categories = new Map<number, Uint32Array>();
  const threshold = Float32Array.from(tree.value, (value, node) => {
    if (tree.left[node] === -1) return value;
    const feature = cuts[tree.feature[node]!]!;
    if (tree.isCategorical[node] === 1) {
      categories.set(node, tree.categories.slice(node * 8, node * 8 + 8));
      return 0;
    }
    const bin = tree.splitBin[node]!;
    return bin < 0 ? feature.belowAll : feature.cuts[bin]!;
  });
  return {
    left: tree.left,
    right: tree.right,
    parent: tree.parent,
    feature: tree.feature,
    threshold,
    defaultLeft: tree.missingGoesLeft,
    categories,
    gain: tree.gain,
    cover: tree.cover,
    weight: tree.value.map((value, node) => (tree.left[node] === -1 || eta === 0 ? value : value / eta)),
  };
}
