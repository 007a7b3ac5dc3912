// XGBoost's model file (JSON, the schema of 1.7, which later versions read): the same model is always the same text.
// Traps of real XGBoost: numbers of float arrays need a point or an exponent; base_score is a scalar string; the root's
// parent is 2147483647; leaf values stand in split_conditions.

import { objectiveByName } from '../objective/registry.ts';
import type { GbdtModel, ModelTree } from './model.ts';

const NO_PARENT = 2147483647;

/** Stands where the trees are written: JSON has no such character in any text. */
const TREES = '\u0000';

/** The file's text, one line, UTF-8. */
export function writeModel(model: GbdtModel): string {
  const [before, after] = modelText(model);
  return `${before}${model.trees.map((tree, id) => writeTree(tree, id, model.numFeature)).join(',')}${after}`;
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
    yield `${id === 0 ? '' : ','}${writeTree(tree, id, model.numFeature)}`;
    id += 1;
  }
  yield after;
}

/** What stands before and after the trees. */
function modelText(model: Omit<GbdtModel, 'trees'>): [before: string, after: string] {
  const objective = objectiveByName(model.objective).modelSection({
    num_class: model.numClass,
    base_score: model.baseScore,
    scale_pos_weight: model.scalePosWeight,
  });
  const learner = object({
    attributes: JSON.stringify(sorted(model.attributes)),
    feature_names: JSON.stringify(model.featureNames),
    feature_types: JSON.stringify(model.featureTypes),
    gradient_booster: object({
      model: object({
        gbtree_model_param: JSON.stringify({
          num_parallel_tree: String(model.parallelTrees),
          num_trees: String(model.treeOutputs.length),
          size_leaf_vector: '0',
        }),
        tree_info: JSON.stringify(model.treeOutputs),
        trees: `[${TREES}]`,
      }),
      name: '"gbtree"',
    }),
    learner_model_param: JSON.stringify({
      base_score: model.baseVector ? floats(model.baseVector) : writeFloat(model.baseScore),
      num_class: String(model.numClass),
      num_feature: String(model.numFeature),
      num_target: '1',
    }),
    objective: JSON.stringify(objective),
  });
  // XGBoost has vectors of base_score since 3.1.
  const text = object({ learner, version: model.baseVector ? '[3,1,0]' : '[1,7,5]' });
  const at = text.indexOf(TREES);
  return [text.slice(0, at), text.slice(at + TREES.length)];
}

function writeTree(tree: ModelTree, id: number, numFeature: number): string {
  const nodes = tree.left.length;
  const sets = [...tree.categories]
    .sort(([a], [b]) => a - b)
    .map(([node, words]) => ({ node, set: members(words) }));
  let segment = 0;
  const segments = sets.map(({ set }) => (segment += set.length) - set.length);
  return object({
    base_weights: floats(tree.weight),
    categories: ints(sets.flatMap(({ set }) => set)),
    categories_nodes: ints(sets.map(({ node }) => node)),
    categories_segments: ints(segments),
    categories_sizes: ints(sets.map(({ set }) => set.length)),
    default_left: ints(tree.defaultLeft),
    id: String(id),
    left_children: ints(tree.left),
    loss_changes: floats(tree.gain),
    parents: ints(Array.from(tree.parent, (parent) => (parent === -1 ? NO_PARENT : parent))),
    right_children: ints(tree.right),
    split_conditions: floats(tree.threshold),
    split_indices: ints(tree.feature),
    split_type: ints(Array.from(tree.left, (_, node) => (tree.categories.has(node) ? 1 : 0))),
    sum_hessian: floats(tree.cover),
    tree_param: JSON.stringify({
      num_deleted: '0',
      num_feature: String(numFeature),
      num_nodes: String(nodes),
      size_leaf_vector: '0',
    }),
  });
}

function object(fields: Readonly<Record<string, string>>): string {
  return `{${Object.entries(fields)
    .map(([key, text]) => `"${key}":${text}`)
    .join(',')}}`;
}

function sorted(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function ints(values: ArrayLike<number>): string {
  return `[${Array.from(values).join(',')}]`;
}

function floats(values: ArrayLike<number>): string {
  return `[${Array.from(values, writeFloat).join(',')}]`;
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
