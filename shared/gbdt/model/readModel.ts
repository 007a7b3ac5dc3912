// Reads model files that XGBoost (1.0 and later) or tabgrad saved as JSON. Nothing in the file is trusted: a model that
// passes can be walked without bounds checks.

import { ModelUnsupportedError } from '../errors.ts';
import type { ModelFormatError } from '../errors.ts';
import { objectiveByName, objectiveNames } from '../objective/registry.ts';
import type { FeatureType, GbdtModel, ModelTree } from './model.ts';
import type { JsonObject } from './modelFields.ts';
import {
  malformed,
  parseModelText,
  readArray,
  readCount,
  readFloats,
  readInts,
  readNumber,
  readObject,
} from './modelFields.ts';

const MAX_FEATURES = 1_000_000;
const MAX_NODES = 1 << 24;
const MAX_TREES = 1_000_000;
/** XGBoost's largest category code. */
const MAX_CATEGORY = 1 << 24;
const NO_PARENT = 2147483647;
const featureTypes: readonly string[] = ['float', 'int', 'i', 'q', 'c'] satisfies readonly FeatureType[];

/**
 * Reads the text of a model file.
 * @throws ModelFormatError naming the field that is wrong; ModelUnsupportedError for other boosters and objectives.
 */
export function readModel(text: string): GbdtModel {
  const root = readObject(parseModelText(text), '(root)');
  const learner = readObject(root['learner'], 'learner');
  const booster = readObject(learner['gradient_booster'], 'learner.gradient_booster');
  if (booster['name'] !== 'gbtree') throw unsupported('booster', booster['name'], 'gbtree');
  const objectiveSection = readObject(learner['objective'], 'learner.objective');
  const objective = objectiveNames.find((name) => name === objectiveSection['name']);
  if (objective === undefined)
    throw unsupported('objective', objectiveSection['name'], objectiveNames.join(', '));

  const settings = readObject(learner['learner_model_param'], 'learner.learner_model_param');
  const setting = (name: string, max: number): number =>
    readCount(settings[name] ?? '0', `learner.learner_model_param.${name}`, max);
  const numFeature = setting('num_feature', MAX_FEATURES);
  const numClass = setting('num_class', 1_000_000);
  if (setting('num_target', 1_000_000) > 1) throw unsupported('num_target', settings['num_target'], '1');
  const baseScore = Math.fround(readNumber(settings['base_score'], 'learner.learner_model_param.base_score'));
  checkBaseScore(objective, baseScore);

  const field = 'learner.gradient_booster.model';
  const model = readObject(booster['model'], field);
  const treeList = readArray(model['trees'], `${field}.trees`);
  if (treeList.length > MAX_TREES) throw malformed(`${field}.trees`, `has ${treeList.length} trees`);
  const outputs = Math.max(1, numClass);
  const treeParam = readObject(model['gbtree_model_param'] ?? {}, `${field}.gbtree_model_param`);
  const treeOutputs = readInts(model['tree_info'], `${field}.tree_info`, {
    min: 0,
    max: outputs - 1,
    length: treeList.length,
  });
  const names = readNames(learner['feature_names'], 'learner.feature_names', numFeature);
  const types = readNames(learner['feature_types'], 'learner.feature_types', numFeature);
  const wrong = types.find((type) => !featureTypes.includes(type));
  if (wrong !== undefined) throw malformed('learner.feature_types', `"${wrong}" is no feature type`);
  return {
    objective,
    numClass,
    numFeature,
    baseScore,
    scalePosWeight: readScalePosWeight(objectiveSection),
    featureNames: names,
    featureTypes: types as readonly FeatureType[],
    attributes: readAttributes(learner['attributes']),
    trees: treeList.map((tree, i) => readTree(tree, `${field}.trees[${i}]`, numFeature)),
    treeOutputs: Array.from(treeOutputs),
    parallelTrees: Math.max(
      1,
      readCount(
        treeParam['num_parallel_tree'] ?? '1',
        `${field}.gbtree_model_param.num_parallel_tree`,
        MAX_TREES,
      ),
    ),
  };
}

function unsupported(
  what: string,
  found: unknown,
  expected: string,
): ModelFormatError | ModelUnsupportedError {
  if (typeof found !== 'string') return malformed(what, 'missing');
  return new ModelUnsupportedError(
    `model file: ${what} "${found.slice(0, 100)}" is not supported, expected ${expected}`,
  );
}

function checkBaseScore(objective: GbdtModel['objective'], baseScore: number): void {
  const margin = objectiveByName(objective).baseMargin(baseScore);
  if (!Number.isFinite(margin)) {
    throw malformed('learner.learner_model_param.base_score', `${baseScore} is not valid for ${objective}`);
  }
}

function readScalePosWeight(section: JsonObject): number {
  const param = section['reg_loss_param'];
  if (typeof param !== 'object' || param === null) return 1;
  return readNumber(
    (param as JsonObject)['scale_pos_weight'] ?? '1',
    'learner.objective.reg_loss_param.scale_pos_weight',
  );
}

function readNames(value: unknown, field: string, numFeature: number): readonly string[] {
  if (value === undefined) return [];
  const names = readArray(value, field);
  if (names.length !== 0 && names.length !== numFeature) {
    throw malformed(field, `has ${names.length} entries, expected ${numFeature}`);
  }
  return names.map((name, i) => {
    if (typeof name !== 'string') throw malformed(`${field}[${i}]`, 'expected text');
    return name;
  });
}

function readAttributes(value: unknown): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  const entries = Object.entries(readObject(value, 'learner.attributes'));
  return Object.fromEntries(entries.map(([key, text]) => [key, String(text)]));
}

function readTree(value: unknown, field: string, numFeature: number): ModelTree {
  const tree = readObject(value, field);
  const at = (name: string): string => `${field}.${name}`;
  const nodes = readArray(tree['left_children'], at('left_children')).length;
  if (nodes === 0 || nodes > MAX_NODES) throw malformed(at('left_children'), `has ${nodes} nodes`);
  const ints = (name: string, min: number, max: number): Int32Array =>
    readInts(tree[name], at(name), { min, max, length: nodes });
  const floats = (name: string): Float32Array => readFloats(tree[name], at(name), nodes);
  const left = ints('left_children', -1, nodes - 1);
  const right = ints('right_children', -1, nodes - 1);
  const hasParent = new Uint8Array(nodes);
  for (let node = 0; node < nodes; node += 1) {
    // Children after their parents: walks end. One parent each: a tree has no more paths than nodes.
    const leaf = left[node] === -1;
    if (leaf !== (right[node] === -1) || (!leaf && (left[node]! <= node || right[node]! <= node))) {
      throw malformed(at(`left_children[${node}]`), 'children do not follow their parent');
    }
    if (leaf) continue;
    for (const child of [left[node]!, right[node]!]) {
      if (hasParent[child] === 1) throw malformed(at(`left_children[${node}]`), 'a child has two parents');
      hasParent[child] = 1;
    }
  }
  const parents = ints('parents', -1, NO_PARENT);
  return {
    left,
    right,
    parent: parents.map((parent) => (parent >= nodes ? -1 : parent)),
    feature: ints('split_indices', 0, Math.max(0, numFeature - 1)),
    threshold: floats('split_conditions'),
    defaultLeft: Uint8Array.from(ints('default_left', 0, 1)),
    categories: readCategories(tree, field, nodes),
    gain: floats('loss_changes'),
    cover: floats('sum_hessian'),
    weight: floats('base_weights'),
  };
}

function readCategories(tree: JsonObject, field: string, nodes: number): ReadonlyMap<number, Uint32Array> {
  const sets = new Map<number, Uint32Array>();
  if (tree['categories_nodes'] === undefined) return sets;
  const at = (name: string): string => `${field}.${name}`;
  const all = readInts(tree['categories'], at('categories'), { min: 0, max: MAX_CATEGORY });
  const owners = readInts(tree['categories_nodes'], at('categories_nodes'), { min: 0, max: nodes - 1 });
  const range = { min: 0, max: all.length, length: owners.length };
  const starts = readInts(tree['categories_segments'], at('categories_segments'), range);
  const sizes = readInts(tree['categories_sizes'], at('categories_sizes'), range);
  owners.forEach((node, i) => {
    const set = all.subarray(starts[i], starts[i]! + sizes[i]!);
    if (set.length !== sizes[i]) throw malformed(at('categories_sizes'), 'reaches beyond categories');
    const words = new Uint32Array(set.reduce((most, category) => Math.max(most, (category >> 5) + 1), 0));
    for (const category of set) words[category >> 5]! |= 1 << (category & 31);
    sets.set(node, words);
  });
  return sets;
}
