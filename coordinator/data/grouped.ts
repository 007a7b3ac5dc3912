// A dataset with its rows put in groups, waiting for what is to be computed of each.

import type { Aggregate } from './operators/aggregates.ts';
import { groupByOperator } from './operators/groupBy.ts';
import type { Operator } from './plan/planNode.ts';

/** One row a group comes out of each method: the keys and, named like Ray's, e.g. `mean(delay)`. */
export class Grouped<D> {
  readonly #keys: readonly string[];
  readonly #then: (operator: Operator) => D;

  constructor(keys: readonly string[], then: (operator: Operator) => D) {
    this.#keys = keys;
    this.#then = then;
  }

  /** Rows of each group. */
  count(): D {
    return this.aggregate([{ kind: 'count', column: undefined }]);
  }

  /** Sums of these columns in each group; missing values are left out. */
  sum(...columns: readonly string[]): D {
    return this.#each('sum', columns);
  }

  /** Least values of these columns in each group; missing values are left out. */
  min(...columns: readonly string[]): D {
    return this.#each('min', columns);
  }

  /** Largest values of these columns in each group; missing values are left out. */
  max(...columns: readonly string[]): D {
    return this.#each('max', columns);
  }

  /** Means of these columns in each group; missing values are left out. */
  mean(...columns: readonly string[]): D {
    return this.#each('mean', columns);
  }

  /** Of the sample: divided by n - 1. */
  std(...columns: readonly string[]): D {
    return this.#each('std', columns);
  }

  /** Several at once, in one pass. */
  aggregate(aggregates: readonly Aggregate[]): D {
    return this.#then(groupByOperator(this.#keys, aggregates));
  }

  #each(kind: Aggregate['kind'], columns: readonly string[]): D {
    return this.aggregate(columns.map((column) => ({ kind, column })));
  }
}
