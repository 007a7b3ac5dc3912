// XGBoost's model file (the schema of 1.7, which later versions read), as JSON or UBJSON: the same model is always the same text.
// Traps of real XGBoost: numbers of float arrays need a point or an exponent; base_score is a scalar string; the root's
// parent is 2147483647; leaf values stand in split_conditions.

import { isTrainable, objectiveByName } from '../objective/registry.ts';
import { categoryFields } from './categoryFields.ts';
import type { GbdtModel, LinearModel, ModelTree } from './model.ts';
import { isList, writeUbjson, type FileObject, type FileValue } from './writeUbjson.ts';

const NO_PARENT = 2147483647;

/** Stands where the trees are written: JSON has no such character in any text. */
const TREES = '\u0000';

/** The file's text, one line, UTF-8. */
export function writeModel(model: GbdtModel): string {
  const [before, after] = modelText(model);
  const trees = model.trees.map((tree, id) => json(treeFields(tree, id, model.numFeature)));
  return `${before}${trees.join(',')}${after}`;
}

/** The same in pieces, for models that are not held as a whole: a tree a piece. `model.treeOutputs` says how many come. */
export async function* writeModelPieces(
  model: Omit<GbdtModel, 'trees'>,
  trees: AsyncIterable<ModelTree>,
): AsyncGenerator<string> {
  const [before, after] = modelText(model);
  yield before;
  let id = 0;
  for await (const tree of trees) {
    yield `${id === 0 ? '' : ','}${json(treeFields(tree, id, model.numFeature))}`;
    id += 1;
  }
  yield after;
}

/** The same model as UBJSON, in which XGBoost has saved models by default since 2.1. */
export function writeModelUbjson(model: GbdtModel): Uint8Array<ArrayBuffer> {
  return writeUbjson(
    modelFields(
      model,
      model.trees.map((tree, id) => treeFields(tree, id, model.numFeature)),
    ),
  );
}

/** What stands before and after the trees. */
function modelText(model: Omit<GbdtModel, 'trees'>): [before: string, after: string] {
  const text = json(modelFields(model, [TREES]));
  const place = JSON.stringify(TREES);
  const at = text.indexOf(place);
  // A linear model has no place for trees.
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + place.length)];
}

function modelFields(model: Omit<GbdtModel, 'trees'>, trees: readonly FileValue[]): FileObject {
  return {
    learner: {
      attributes: sorted(model.attributes),
      feature_names: model.featureNames,
      feature_types: model.featureTypes,
      gradient_booster: model.linear ? linearFields(model.linear) : boosterFields(model, trees),
      learner_model_param: {
        base_score: model.baseVector
          ? json(Float32Array.from(model.baseVector))
          : writeFloat(model.baseScore),
        num_class: String(model.numClass),
        num_feature: String(model.numFeature),
        num_target: String(model.numTarget ?? 1),
      },
      objective: objectiveFields(model),
    },
    // XGBoost has vectors of base_score, and names of categories, since 3.1.
    version: model.baseVector || model.categories ? [3, 1, 0] : [1, 7, 5],
  };
}

function objectiveFields(model: Omit<GbdtModel, 'trees'>): FileObject {
  const { objective, objectiveSection } = model;
  if (objectiveSection) return objectiveSection as FileObject;
  if (!isTrainable(objective)) return { name: objective };
  const settings = {
    num_class: model.numClass,
    base_score: model.baseScore,
    scale_pos_weight: model.scalePosWeight,
  };
  return objectiveByName(objective).modelSection(settings) as FileObject;
}

function linearFields({ weights, rounds }: LinearModel): FileObject {
  return { model: { boosted_rounds: rounds, weights }, name: 'gblinear' };
}

function boosterFields(model: Omit<GbdtModel, 'trees'>, trees: readonly FileValue[]): FileObject {
  const cats = categoryFields(model);
  return {
    model: {
      ...(cats && { cats }),
      gbtree_model_param: {
        num_parallel_tree: String(model.parallelTrees),
        num_trees: String(model.treeOutputs.length),
        size_leaf_vector: '0',
      },
      ...(model.roundStarts && { iteration_indptr: model.roundStarts }),
      // XGBoost 1.7 does not take a list of one type there.
      tree_info: model.treeOutputs,
      trees,
    },
    name: 'gbtree',
  };
}

function treeFields(tree: ModelTree, id: number, numFeature: number): FileObject {
  const nodes = tree.left.length;
  const sets = [...tree.categories]
    .sort(([a], [b]) => a - b)
    .map(([node, words]) => ({ node, set: members(words) }));
  let segment = 0;
  const segments = sets.map(({ set }) => (segment += set.length) - set.length);
  return {
    base_weights: tree.weight,
    categories: Int32Array.from(sets.flatMap(({ set }) => set)),
    categories_nodes: Int32Array.from(sets, ({ node }) => node),
    categories_segments: BigInt64Array.from(segments, BigInt),
    categories_sizes: BigInt64Array.from(sets, ({ set }) => BigInt(set.length)),
    default_left: tree.defaultLeft,
    id,
    left_children: tree.left,
    loss_changes: tree.gain,
    parents: tree.parent.map((parent) => (parent === -1 ? NO_PARENT : parent)),
    right_children: tree.right,
    split_conditions: tree.threshold,
    split_indices: tree.feature,
    split_type: Uint8Array.from(tree.left, (_, node) => (tree.categories.has(node) ? 1 : 0)),
    sum_hessian: tree.cover,
    tree_param: {
      num_deleted: '0',
      num_feature: String(numFeature),
      num_nodes: String(nodes),
      size_leaf_vector: '0',
    },
  };
}

function sorted(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function json(value: FileValue): string {
  if (value instanceof Float32Array) return `[${Array.from(value, writeFloat).join(',')}]`;
  if (ArrayBuffer.isView(value)) return `[${value.join(',')}]`;
  if (typeof value !== 'object') return JSON.stringify(value);
  if (isList(value)) return `[${value.map(json).join(',')}]`;
  const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}:${json(member)}`);
  return `{${members.join(',')}}`;
}

/** The shortest text that reads back as the same float32, with a point or an exponent. */
export function writeFloat(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value < 0 ? '-Infinity' : 'Infinity';
  let text = '';
  for (let digits = 6; digits <= 9; digits += 1) {
    text = String(Number(value.toPrecision(digits)));
    if (Math.fround(Number(text)) === value) break;
  }
  if (Object.is(value, -0)) return '-0.0';
  return /[.e]/.test(text) ? text.replace('e', 'E').replace('E+', 'E') : `${text}.0`;
}

/** The categories whose bits are set, ascending. */
function members(words: Uint32Array): number[] {
  const set: number[] = [];
  for (let category = 0; category < words.length * 32; category += 1) {
    if ((words[category >> 5]! >>> (category & 31)) & 1) set.push(category);
  }
  return set;
}
