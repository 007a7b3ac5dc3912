// XGBoost's parameters under XGBoost's names, with its defaults and ranges.

export type Objective = 'binary:logistic' | 'multi:softprob' | 'reg:squarederror';

/** Parameters after validation, every default filled in. */
export interface GbdtParams {
  readonly objective: Objective;
}
