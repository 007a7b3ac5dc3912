// Every training parameter, once: names, ranges and defaults are XGBoost's. Types, validation and docs derive from it.

import { metricNames } from './metric/registry.ts';
import { modelObjectiveNames, objectiveNames } from './objective/registry.ts';
import {
  choiceParameter,
  floatParameter,
  integerParameter,
  monotoneParameter,
  namesParameter,
  neutralParameter,
} from './objective/parameterDefinition.ts';

/** Trees deeper than this are refused: a level's histograms grow with 2^depth. */
const DEEPEST_TREE = 24;
const share = { min: 0, aboveMin: true, max: 1 } as const;

export const parameterDefinitions = {
  objective: choiceParameter({
    choices: objectiveNames,
    refused: {
      names: modelObjectiveNames,
      why: 'models with this one predict, but it can not be trained yet',
    },
    default: 'reg:squarederror',
    doc: 'What is learned, and so the loss.',
  }),
  num_class: integerParameter({
    default: 0,
    min: 0,
    max: 1000,
    doc: 'Number of classes, for multi:softprob; labels are 0..num_class-1.',
  }),
  eta: floatParameter({
    aliases: ['learning_rate'],
    default: 0.3,
    min: 0,
    max: 1,
    doc: 'Shrinks the step of every tree.',
  }),
  gamma: floatParameter({
    aliases: ['min_split_loss'],
    default: 0,
    min: 0,
    doc: 'Smallest loss reduction that a split must bring.',
  }),
  max_depth: integerParameter({
    default: 6,
    min: 1,
    max: DEEPEST_TREE,
    doc: 'Deepest level of a tree (XGBoost allows 0 for no limit; here a limit is needed).',
  }),
  min_child_weight: floatParameter({
    default: 1,
    min: 0,
    doc: 'Smallest sum of Hessians in a child.',
  }),
  max_delta_step: floatParameter({
    default: 0,
    min: 0,
    doc: 'Largest leaf weight before eta; 0 is no limit.',
  }),
  lambda: floatParameter({
    aliases: ['reg_lambda'],
    default: 1,
    min: 0,
    doc: 'L2 regularisation of leaf weights.',
  }),
  alpha: floatParameter({
    aliases: ['reg_alpha'],
    default: 0,
    min: 0,
    doc: 'L1 regularisation of leaf weights.',
  }),
  subsample: floatParameter({ ...share, default: 1, doc: 'Share of the rows drawn for each round.' }),
  colsample_bytree: floatParameter({
    ...share,
    default: 1,
    doc: 'Share of the features drawn for each tree.',
  }),
  colsample_bylevel: floatParameter({
    ...share,
    default: 1,
    doc: "Share of the tree's features drawn for each level.",
  }),
  colsample_bynode: floatParameter({
    ...share,
    default: 1,
    doc: "Share of the level's features drawn for each node.",
  }),
  max_bin: integerParameter({
    default: 256,
    min: 2,
    max: 256,
    doc: 'Most bins of a feature. One code of 256 stands for missing, so at most 255 value bins are kept.',
  }),
  scale_pos_weight: floatParameter({
    default: 1,
    min: 0,
    aboveMin: true,
    doc: 'Weight of the positive rows of binary:logistic.',
  }),
  base_score: floatParameter({
    default: 0.5,
    doc: 'Prediction before the first tree: a probability for binary:logistic, else a value. XGBoost 2.0 and later estimate it from the labels where it is left out; with slow eta and uneven labels that matters for many rounds.',
  }),
  seed: integerParameter({
    aliases: ['random_state'],
    default: 0,
    min: 0,
    max: 2 ** 31 - 1,
    doc: 'Seed of row and feature sampling.',
  }),
  tree_method: choiceParameter({
    choices: ['hist', 'auto'],
    default: 'hist',
    doc: 'How splits are found; histograms are the only way here.',
  }),
  booster: choiceParameter({ choices: ['gbtree'], default: 'gbtree', doc: 'Trees are the only booster.' }),
  grow_policy: choiceParameter({ choices: ['depthwise'], default: 'depthwise', doc: 'Level by level.' }),
  sampling_method: choiceParameter({
    choices: ['uniform'],
    default: 'uniform',
    doc: 'Every row is as likely.',
  }),
  monotone_constraints: monotoneParameter({
    default: [],
    doc: 'Direction in which the prediction may move with a feature: -1, 0 or 1.',
  }),
  max_cat_to_onehot: integerParameter({
    default: 4,
    min: 1,
    max: 2 ** 31 - 1,
    doc: 'Features with fewer categories are split one category against the rest.',
  }),
  max_cat_threshold: integerParameter({
    default: 64,
    min: 1,
    max: 2 ** 31 - 1,
    doc: 'Most categories considered for one side of a partition.',
  }),
  eval_metric: namesParameter({
    choices: metricNames,
    default: [],
    doc: "Metrics of the evaluation sets; the last one rules early stopping. Default: the objective's own.",
  }),
  verbosity: integerParameter({
    default: 1,
    min: 0,
    max: 3,
    doc: 'Accepted for compatibility; has no effect.',
  }),
  nthread: integerParameter({
    aliases: ['n_jobs'],
    default: 0,
    doc: 'Accepted for compatibility; has no effect: the workers are the threads.',
  }),
  device: neutralParameter({ value: 'cpu', doc: 'Where workers compute is chosen by scalingConfig.device.' }),
  num_parallel_tree: neutralParameter({ value: 1, doc: 'One tree an output and round.' }),
  max_leaves: neutralParameter({ value: 0, doc: 'No limit of leaves but that of max_depth.' }),
  process_type: neutralParameter({ value: 'default', doc: 'Trees are grown, not updated.' }),
  multi_strategy: neutralParameter({ value: 'one_output_per_tree', doc: 'A tree for each output.' }),
  validate_parameters: neutralParameter({ value: true, doc: 'Parameters are always validated.' }),
  seed_per_iteration: neutralParameter({ value: false, doc: 'One seed; draws differ from round to round.' }),
  disable_default_eval_metric: neutralParameter({
    value: false,
    doc: 'Without eval_metric the metric of the objective is reported.',
  }),
} as const;

export type ParameterName = keyof typeof parameterDefinitions;
