// Reads model files that XGBoost (1.0 and later) or tabgrad saved as JSON or UBJSON. Nothing in the file is trusted: a model
// that passes can be walked without bounds checks, and takes memory in proportion to its file.

import { isTrainable, linkByName, modelObjectiveNames, type ModelObjective } from '../objective/registry.ts';
import type { CategoryName, FeatureType, GbdtModel } from './model.ts';
import type { JsonObject } from './modelFields.ts';
import {
  malformed,
  parseModelText,
  readArray,
  readCount,
  readInts,
  readNumber,
  readObject,
} from './modelFields.ts';
import { readBooster, unsupported, type TreeBooster } from './readBooster.ts';
import { readCategoryNames } from './readCategoryNames.ts';
import { readRoundStarts } from './readRoundStarts.ts';
import { readTree, type TreeReading } from './readTree.ts';
import { isRecord } from '../../memberOf.ts';
import { isUbjson, readUbjson } from './readUbjson.ts';

const MAX_FEATURES = 1_000_000;
const MAX_TREES = 1_000_000;
/** Classes or labels that a model may have without as many trees. */
const MAX_OUTPUTS = 1000;
/** 64 MiB. */
const MAX_SET_WORDS = 1 << 24;
const featureTypes: readonly string[] = ['float', 'int', 'i', 'q', 'c'] satisfies readonly FeatureType[];

/**
 * Reads a model file: text is JSON; bytes are JSON or UBJSON, whichever they look like.
 * @throws ModelFormatError naming the field that is wrong; ModelUnsupportedError for other boosters and objectives.
 */
export function readModel(file: string | Uint8Array): GbdtModel {
  const learner = readLearner(parseModelFile(file));
  const section = readObject(learner['objective'], 'learner.objective');
  const objective = modelObjectiveNames.find((name) => name === section['name']);
  if (objective === undefined)
    throw unsupported('objective', section['name'], modelObjectiveNames.join(', '));
  const settings = readObject(learner['learner_model_param'], 'learner.learner_model_param');
  const setting = (name: string, max: number): number =>
    readCount(settings[name] ?? '0', `learner.learner_model_param.${name}`, max);
  const numFeature = setting('num_feature', MAX_FEATURES);
  const booster = readBooster(learner, numFeature);
  const mostOutputs = Math.max(MAX_OUTPUTS, booster.kind === 'trees' ? booster.treeList.length : 0);
  const numClass = setting('num_class', mostOutputs);
  const numTarget = setting('num_target', mostOutputs);
  const outputs = Math.max(1, numClass, numTarget);
  const featureNames = readNames(learner['feature_names'], 'learner.feature_names', numFeature);
  refuseRepeats(featureNames, 'learner.feature_names');
  return {
    objective,
    ...(!isTrainable(objective) && { objectiveSection: readSection(section) }),
    numClass,
    ...(numTarget > 1 && { numTarget }),
    numFeature,
    ...readBaseScore(objective, settings['base_score'], outputs),
    scalePosWeight: readScalePosWeight(section),
    featureNames,
    featureTypes: readTypes(learner['feature_types'], numFeature),
    attributes: readAttributes(learner['attributes']),
    ...(booster.kind === 'trees'
      ? readTrees(booster, { numFeature, outputs, featureNames })
      : { trees: [], treeOutputs: [], parallelTrees: 1, linear: booster.linearOf(outputs) }),
  };
}

function parseModelFile(file: string | Uint8Array): unknown {
  if (typeof file === 'string') return parseModelText(file);
  return isUbjson(file) ? readUbjson(file) : parseModelText(new TextDecoder().decode(file));
}

/** What of a model its trees make up. */
function readTrees(
  { model, field, treeList, scales }: TreeBooster,
  { numFeature, outputs, featureNames }: Pick<GbdtModel, 'numFeature' | 'featureNames'> & { outputs: number },
): Pick<
  GbdtModel,
  'trees' | 'treeOutputs' | 'parallelTrees' | 'roundStarts' | 'hasVectorLeaves' | 'categories'
> {
  const reading: TreeReading = { numFeature, outputs, setWordsLeft: MAX_SET_WORDS };
  const read = treeList.map((tree, i) => readTree(tree, `${field}.trees[${i}]`, reading, scales?.[i]));
  const width = read[0]?.length ?? 1;
  const odd = read.findIndex((trees) => trees.length !== width);
  if (odd !== -1)
    throw malformed(`${field}.trees[${odd}]`, 'some trees have leaves with several values, others have not');
  const treeOutputs = readInts(model['tree_info'], `${field}.tree_info`, {
    min: 0,
    max: outputs - 1,
    length: treeList.length,
  });
  const at = `${field}.gbtree_model_param`;
  const param = readObject(model['gbtree_model_param'] ?? {}, at);
  const parallelTrees = Math.max(
    1,
    readCount(param['num_parallel_tree'] ?? '1', `${at}.num_parallel_tree`, MAX_TREES),
  );
  const categories = readCategoryNames(model['cats'], `${field}.cats`, numFeature);
  const roundStarts = readRoundStarts(model['iteration_indptr'], `${field}.iteration_indptr`, {
    trees: treeList.length,
    perRound: (outputs / width) * parallelTrees,
  });
  return {
    trees: read.flat(),
    treeOutputs: width === 1 ? Array.from(treeOutputs) : read.flatMap((trees) => [...trees.keys()]),
    parallelTrees,
    ...(roundStarts && { roundStarts: roundStarts.map((start) => start * width) }),
    ...(width > 1 && { hasVectorLeaves: true }),
    ...(categories.some(Boolean) && { categories: namedCategories(categories, featureNames) }),
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

/** From 3.1 on a list in text. With several entries they are margins as they stand. */
function readBaseScore(
  objective: ModelObjective,
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
  const link = linkByName(objective);
  const found = Math.fround(readNumber(value, field));
  const baseScore = link.clipBaseScore?.(found) ?? found;
  if (!Number.isFinite(link.baseMargin(baseScore))) {
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

function readTypes(value: unknown, numFeature: number): readonly FeatureType[] {
  const types = readNames(value, 'learner.feature_types', numFeature);
  const wrong = types.find((type) => !featureTypes.includes(type));
  if (wrong !== undefined)
    throw malformed('learner.feature_types', `"${wrong.slice(0, 100)}" is no feature type`);
  return types as readonly FeatureType[];
}

/** The texts of an objective's section, for writing it again. */
function readSection(section: JsonObject): JsonObject {
  const isText = (value: unknown): boolean => typeof value === 'string';
  return Object.fromEntries(
    Object.entries(section).filter(
      ([, value]) => isText(value) || (isRecord(value) && Object.values(value).every(isText)),
    ),
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
