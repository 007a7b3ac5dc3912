// What an owner's coordinator is told of the tensors of a net: shapes and types, and how values and labels are distributed.

import {
  MAX_DESCRIBED_COLUMNS,
  type ColumnSummary,
  type DatasetSummary,
} from '../../../shared/api/datasetAnswers.ts';
import { elements } from '../../../shared/neural/graph/graphBuilder.ts';
import type { TensorField } from '../../../shared/neural/run/neuralSpec.ts';
import { toldText } from '../summary/describeCategories.ts';
import { numbersOfSample } from '../summary/describeNumbers.ts';
import { LabelSummary } from '../summary/labelSummary.ts';
import { ValueSample } from '../summary/valueSample.ts';
import type { TensorBlock } from './tensorBlocks.ts';

export class TensorDescription {
  readonly #inputs: readonly TensorField[];
  readonly #target: TensorField;
  readonly #count: number;
  readonly #samples: readonly ValueSample[];
  readonly #labels = new LabelSummary();

  /** @param fields the target is the last. */
  constructor(fields: readonly TensorField[]) {
    this.#count = fields.length;
    this.#inputs = fields.slice(0, -1).slice(0, MAX_DESCRIBED_COLUMNS - 1);
    this.#target = fields.at(-1)!;
    this.#samples = this.#inputs.map(() => new ValueSample());
  }

  add({ columns }: TensorBlock): void {
    for (const [at, sample] of this.#samples.entries()) sample.add(columns[at]!);
    this.#labels.add(columns[this.#count - 1]!);
  }

  describe(name: string, rows: number): DatasetSummary {
    const label = this.#labels.describe(this.#target.name);
    return {
      name: toldText(name),
      rows,
      columnCount: this.#count,
      columns: [
        ...this.#inputs.map((field, at): ColumnSummary => {
          const { values } = this.#samples[at]!;
          const numbers = numbersOfSample(values);
          return {
            name: toldText(field.name),
            role: 'feature',
            ...kindOf(field),
            looked: values.length,
            missing: 0,
            ...(numbers && { numbers }),
          };
        }),
        { ...label, ...kindOf(this.#target) },
      ],
    };
  }
}

/** As it is stored: bytes, where inputs are scaled. */
function kindOf({ storage, shape }: TensorField): Pick<ColumnSummary, 'type' | 'shape'> {
  return { type: storage, ...(elements(shape) !== 1 && { shape: [...shape] }) };
}
