// What a metric's name says of it: names come from XGBoost, from tfjs and from owners, with the dataset's before them.

/** How far along a run is, and no measure of its model. */
const progressNames: ReadonlySet<string> = new Set(['epoch', 'learning_rate', 'lr']);

/** Whether the metric says how good the model is. */
export function isMeasure(name: string): boolean {
  return !progressNames.has(name);
}

/** Whether more of the metric is better; undefined where its name does not say. */
export function higherIsBetter(name: string): boolean | undefined {
  const isMore = /auc|acc|map|ndcg|precision|recall|f1|r2/i.test(name);
  const isLess = /loss|rmse|mae|mse|error|merror|nll|deviance|mape|rmsle|mphe/i.test(name);
  return isMore === isLess ? undefined : isMore;
}

/** Whether the metric is of rows that are not trained on, as far as its name says. */
export function isOfHeldOutRows(name: string): boolean {
  return /valid|test|eval/i.test(name);
}

/** The metric that tells most at a first look: of rows that are not trained on, where there are any. */
export function mainMetric(names: readonly string[]): string | undefined {
  return names.find(isOfHeldOutRows) ?? names[0];
}
