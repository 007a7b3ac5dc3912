// An input of a model, as data is prepared for it.

export interface ModelPort {
  readonly name: string;
  /** Of one row. */
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32';
}
