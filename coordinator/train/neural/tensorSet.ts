// Rows of tensors that a program has in memory, without the detour over a table.

export interface TensorColumn {
  readonly values: Float32Array | Int32Array | Uint8Array;
  /** Of one row. */
  readonly shape: readonly number[];
}

export interface TensorSet {
  /** By the names of the model's inputs; one column for a model with one input. */
  readonly inputs: TensorColumn | Readonly<Record<string, TensorColumn>>;
  readonly labels: TensorColumn;
}

export function isTensorSet(data: object): data is TensorSet {
  return 'inputs' in data && 'labels' in data && typeof data.inputs === 'object';
}

export function isTensorColumn(value: TensorSet['inputs']): value is TensorColumn {
  return 'values' in value && ArrayBuffer.isView(value.values);
}

/** The column of an input; undefined where there is none of that name. */
export function columnOf({ inputs }: TensorSet, name: string): TensorColumn | undefined {
  if (isTensorColumn(inputs)) return inputs;
  return Object.hasOwn(inputs, name) ? inputs[name] : undefined;
}
