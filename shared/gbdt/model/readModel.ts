// Reads model files that XGBoost (1.0 and later) or tabgrad saved as JSON. Nothing in the file is trusted: a model that
// passes can be walked without bounds checks, and takes memory in proportion to its file.

import { ModelUnsupportedError } from '../errors/gbdtErrors.ts';
import type { ModelFormatError } from '../errors/gbdtErrors.ts';
import { objectiveByName, objectiveNames } from '../objective/registry.ts';
import type { CategoryName, FeatureType, GbdtModel } from './model.ts';
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
import { readCategoryNames } from './readCategoryNames.ts';
import { readTree, type TreeReading } from './readTree.ts';

const MAX_FEATURES = 1_000_000;
const MAX_TREES = 1_000_000;
/** Classes that a model may have without as many trees. */
const MAX_CLASSES = 1000;
/** 64 MiB. */
const MAX_SET_WORDS = 1 << 24;
const featureTypes: readonly string[] = ['float', 'int', 'i', 'q', 'c'] satisfies readonly FeatureType[];

/**
 * Reads the text of a model file.
 * @throws ModelFormatError naming the field that is wrong; ModelUnsupportedError for other boosters and objectives.
 */
export function readModel(text: string): GbdtModel {
  const learner = readLearner(parseModelText(text));
  const objectiveSection = readObject(learner['objective'], 'learner.objective');
  const objective = objectiveNames.find((name) => name === objectiveSection['name']);
  if (objective === undefined)
    throw unsupported('objective', objectiveSection['name'], objectiveNames.join(', '));

  const { model, field, weights } = readBooster(learner);
  const treeList = readArray(model['trees'], `${field}.trees`);
  if (treeList.length > MAX_TREES) throw malformed(`${field}.trees`, `has ${treeList.length} trees`);

  const settings = readObject(learner['learner_model_param'], 'learner.learner_model_param');
  const setting = (name: string, max: number): number =>
    readCount(settings[name] ?? '0', `learner.learner_model_param.${name}`, max);
  const numFeature = setting('num_feature', MAX_FEATURES);
  const numClass = setting('num_class', Math.max(MAX_CLASSES, treeList.length));
  const outputs = Math.max(1, numClass);

  const treeParam = readObject(model['gbtree_model_param'] ?? {}, `${field}.gbtree_model_param`);
  const treeOutputs = readInts(model['tree_info'], `${field}.tree_info`, {
    min: 0,
    max: outputs - 1,
    length: treeList.length,
  });
  const reading: TreeReading = { numFeature, setWordsLeft: MAX_SET_WORDS };
  const scales = weights && readFloats(weights.value, weights.field, treeList.length);
  const trees = treeList.map((tree, i) => readTree(tree, `${field}.trees[${i}]`, reading, scales?.[i]));
  // After the trees, which say more of why a model has several targets.
  if (setting('num_target', 1_000_000) > 1) throw unsupported('num_target', settings['num_target'], '1');
  const featureNames = readNames(learner['feature_names'], 'learner.feature_names', numFeature);
  refuseRepeats(featureNames, 'learner.feature_names');
  const types = readNames(learner['feature_types'], 'learner.feature_types', numFeature);
  const wrong = types.find((type) => !featureTypes.includes(type));
  if (wrong !== undefined)
    throw malformed('learner.feature_types', `"${wrong.slice(0, 100)}" is no feature type`);
  const categories = readCategoryNames(model['cats'], `${field}.cats`, numFeature);
  return {
    objective,
    numClass,
    numFeature,
    ...readBaseScore(objective, settings['base_score'], outputs),
    scalePosWeight: readScalePosWeight(objectiveSection),
    featureNames,
    featureTypes: types as readonly FeatureType[],
    ...(categories.some(Boolean) && { categories: namedCategories(categories, featureNames) }),
    attributes: readAttributes(learner['attributes']),
    trees,
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

function readLearner(root: unknown): JsonObject {
  if (Array.isArray(root) && typeof root[0] === 'object' && root[0] !== null && 'nodeid' in root[0]) {
    throw malformed(
      '(root)',
      'this is what dump_model or get_dump writes, from which no model can be loaded; save it with save_model',
    );
  }
  return readObject(readObject(root, '(root)')['learner'], 'learner');
}

/** The trees of a booster, and in DART what each one weighs: beside the trees from 3.4 on, around them before. */
function readBooster(learner: JsonObject): {
  readonly model: JsonObject;
  readonly field: string;
  readonly weights: { readonly value: unknown; readonly field: string } | undefined;
} {
  const at = 'learner.gradient_booster';
  const booster = readObject(learner['gradient_booster'], at);
  if (booster['name'] === 'gbtree') {
    const field = `${at}.model`;
    const model = readObject(booster['model'], field);
    const value = model['weight_drop'];
    // Models without drop-outs may have the list, empty.
    const isPlain = value === undefined || (Array.isArray(value) && value.length === 0);
    return { model, field, weights: isPlain ? undefined : { value, field: `${field}.weight_drop` } };
  }
  if (booster['name'] !== 'dart') throw unsupported('booster', booster['name'], 'gbtree or dart');
  const trees = readObject(booster['gbtree'], `${at}.gbtree`);
  const field = `${at}.gbtree.model`;
  return {
    model: readObject(trees['model'], field),
    field,
    weights: { value: booster['weight_drop'], field: `${at}.weight_drop` },
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

/** From 3.1 on a list in text. With several entries they are margins as they stand. */
function readBaseScore(
  objective: GbdtModel['objective'],
  value: unknown,
  outputs: number,
): Pick<GbdtModel, 'baseScore' | 'baseVector'> {
  const field = 'learner.learner_model_param.base_score';
  const list = typeof value === 'string' ? /^\s*\[([^[\]]*,[^[\]]*)\]\s*$/.exec(value)?.[1] : undefined;
  if (list !== undefined) {
    const entries = list.split(',');
    if (entries.length !== outputs) {
      throw malformed(field, `has ${entries.length} entries, expected ${outputs}, one an output`);
    }
    const baseVector = entries.map((entry, i) => Math.fround(readNumber(entry, `${field}[${i}]`)));
    const wrong = baseVector.findIndex((margin) => !Number.isFinite(margin));
    if (wrong !== -1) throw malformed(`${field}[${wrong}]`, 'expected a float32');
    return { baseScore: 0.5, baseVector };
  }
  const definition = objectiveByName(objective);
  const found = Math.fround(readNumber(value, field));
  const baseScore = definition.clipBaseScore?.(found) ?? found;
  if (!Number.isFinite(definition.baseMargin(baseScore))) {
    throw malformed(field, `${baseScore} is not valid for ${objective}`);
  }
  return { baseScore };
}

function refuseRepeats(names: readonly string[], field: string): void {
  const seen = new Set<string>();
  names.forEach((name, i) => {
    if (seen.has(name))
      throw malformed(`${field}[${i}]`, `"${name.slice(0, 100)}" is there twice; names must differ`);
    seen.add(name);
  });
}

function namedCategories(
  categories: readonly (readonly CategoryName[] | undefined)[],
  names: readonly string[],
): ReadonlyMap<string, readonly CategoryName[]> {
  return new Map(
    categories.flatMap((list, i) => (list === undefined ? [] : [[names[i] ?? `f${i}`, list] as const])),
  );
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
  return Object.fromEntries(
    entries.map(([key, text]) => {
      if (typeof text === 'string' || typeof text === 'number') return [key, String(text)];
      throw malformed(`learner.attributes.${key.slice(0, 100)}`, 'expected text');
    }),
  );
}
