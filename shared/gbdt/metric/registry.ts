// The metrics, by XGBoost's names. To add one: its file and a line here.

import { objectiveByName, type ObjectiveName } from '../objective/registry.ts';
import { auc } from './auc.ts';
import { error } from './error.ts';
import { logloss } from './logloss.ts';
import { mae } from './mae.ts';
import { merror } from './merror.ts';
import type { Metric } from './metric.ts';
import { mlogloss } from './mlogloss.ts';
import { rmse } from './rmse.ts';

const metrics: readonly Metric[] = [logloss, error, auc, rmse, mae, mlogloss, merror];

export const metricNames: readonly string[] = metrics.map((metric) => metric.name);

/** The metric of that name, or undefined. */
export function metricByName(name: string): Metric | undefined {
  return metrics.find((metric) => metric.name === name);
}

/** Names of the metrics that can judge an objective. */
export function metricsFor(objective: ObjectiveName): readonly string[] {
  const { margins } = objectiveByName(objective);
  return metrics.filter((metric) => metric.margins === margins).map((metric) => metric.name);
}
