// Decides which columns of a dataset are features, label and weight. A function of names alone.

import { unknownColumn } from '../../../shared/columns/columnErrors.ts';
import { TrainArgumentError } from '../../options/trainArgumentError.ts';

export interface ColumnRoles {
  readonly labelColumn: string;
  readonly weightColumn?: string | undefined;
  /** Features in this order; without it every column but label and weight, in the dataset's order. */
  readonly featureColumns?: readonly string[] | undefined;
}

export interface ColumnPlan {
  readonly features: readonly string[];
  readonly label: string;
  readonly weight: string | undefined;
}

/**
 * @throws TrainArgumentError for repeated columns, a label or weight among the features, or no features at all;
 * UnknownColumnError naming the nearest column.
 */
export function planColumns(columns: readonly string[], roles: ColumnRoles, dataset: string): ColumnPlan {
  const { labelColumn: label, weightColumn: weight } = roles;
  const known = new Set(columns);
  refuseRepeats(columns, `dataset "${dataset}" has`);
  for (const column of weight === undefined ? [label] : [label, weight]) {
    if (!known.has(column)) throw unknownColumn(column, columns, `dataset "${dataset}"`);
  }
  if (weight === label) {
    throw new TrainArgumentError(`Column "${label}" can not be both label and weight.`, { column: label });
  }
  const features = roles.featureColumns ?? columns.filter((column) => column !== label && column !== weight);
  refuseRepeats(features, 'featureColumns names');
  for (const feature of features) {
    if (feature === label || feature === weight) {
      const role = feature === label ? 'label' : 'weight';
      throw new TrainArgumentError(
        `Column "${feature}" is the ${role} and can not be a feature too: the model would only copy it.`,
        { column: feature },
      );
    }
    if (!known.has(feature)) throw unknownColumn(feature, columns, `dataset "${dataset}"`);
  }
  if (features.length === 0) {
    throw new TrainArgumentError(
      `Dataset "${dataset}" has no feature columns: besides label and weight there is nothing to learn from.`,
    );
  }
  return { features, label, weight };
}

function refuseRepeats(columns: readonly string[], where: string): void {
  const seen = new Set<string>();
  const repeated = columns.find((column) => seen.size === seen.add(column).size);
  if (repeated === undefined) return;
  throw new TrainArgumentError(`${where} column "${repeated}" more than once; each name may appear once.`, {
    column: repeated,
  });
}
