// A tf.LayersModel as a replica runs it: rows or tensors in, what the net predicts out. Requests that wait together are
// predicted together. The net is in the same thread, or on a worker of the pool.

import {
  joinValues,
  sizeOf,
  type LayersFacts,
  type LayersNet,
  type NetRows,
  type TensorInput,
} from '../../../shared/serve/layersNet.ts';
import { batch } from './batch.ts';
import { readInference, writeInference } from '../request/openInference.ts';
import type { InputTensor } from '../request/tensors.ts';
import { bodyText } from '../../http/bodyText.ts';
import type { RawInput } from '../request/rawTensor.ts';
import { datatypes } from './describeLayers.ts';
import { instanceRows, readTensors, tensorNumber, tensorRows } from '../request/readTensors.ts';
import { ServeArgumentError, ServeInputError } from '../request/serveErrors.ts';
import { instancesText, predictionsText, predictionsValue, type OutputRows } from './layersAnswers.ts';
import type { Body, ReplicaOp, ReplicaProgram } from './replica.ts';
import type { LayersOptions } from './predictorOptions.ts';

export class LayersProgram implements ReplicaProgram {
  readonly #net: LayersNet;
  readonly #predictTogether: (rows: NetRows) => Promise<readonly OutputRows[]>;

  constructor(net: LayersNet, { maxBatchSize = 32, batchWaitTimeoutS = 0 }: LayersOptions) {
    this.#net = net;
    this.#predictTogether = batch((items: NetRows[]) => this.#predictAll(items), {
      maxBatchSize,
      batchWaitTimeoutS,
      maxConcurrentBatches: MAX_CONCURRENT_BATCHES,
    });
  }

  get facts(): LayersFacts {
    return this.#net.facts;
  }

  async run(op: ReplicaOp, args: readonly unknown[]): Promise<unknown> {
    switch (op) {
      case 'http': {
        const { shape, ...rows } = readTensors(bodyText(args[0] as Body), this.facts.inputs);
        return predictionsText(await this.#predictTogether(rows), rows.rows, shape);
      }
      case 'infer': {
        const inference = readInference(
          args[0] as Body,
          args[1] as number | undefined,
          rawInput(this.facts.inputs),
        );
        const rows = inferenceRows(inference.inputs, this.facts.inputs);
        const outputs = await this.#predictTogether(rows);
        return writeInference(
          inference,
          outputs.map(({ name, dtype, rowShape, values }) => ({
            name,
            datatype: datatypes[dtype],
            shape: [rows.rows, ...rowShape],
            values,
          })),
        );
      }
      case 'predict': {
        const { inputs } = this.facts;
        const rows = instanceRows(bodyText(args[0] as Body), inputs);
        return instancesText(await this.#predictTogether(rows), rows.rows);
      }
      case 'rows':
        return this.#net.predict(args[0] as NetRows);
      case 'health':
        return this.#net.checkHealth();
      case 'method':
        break;
    }
    const [method, [value]] = args as [string, readonly unknown[]];
    if (method !== 'call')
      throw new ServeArgumentError('A deployed model has one method, call(rows), and takes rows or columns.');
    const { shape, ...rows } = tensorRows(value, this.facts.inputs);
    return predictionsValue(await this.#predictTogether(rows), rows.rows, shape);
  }

  async close(): Promise<void> {
    await this.#net.close?.();
  }

  /** Requests whose rows are of one shape are one batch. */
  async #predictAll(items: readonly NetRows[]): Promise<(readonly OutputRows[])[]> {
    const answers: (readonly OutputRows[])[] = [];
    const groups = new Map<string, number[]>();
    for (const [i, { inputs }] of items.entries()) {
      const key = JSON.stringify(inputs.map(({ shape }) => shape));
      const group = groups.get(key);
      if (group) group.push(i);
      else groups.set(key, [i]);
    }
    for (const group of groups.values()) {
      const outputs = await this.#predict(group.map((i) => items[i]!));
      let row = 0;
      for (const i of group) {
        const from = row;
        row += items[i]!.rows;
        answers[i] = outputs.map((output) => {
          const size = sizeOf(output.rowShape);
          return { ...output, values: output.values.subarray(from * size, row * size) };
        });
      }
    }
    return answers;
  }

  async #predict(items: readonly NetRows[]): Promise<OutputRows[]> {
    const { outputs } = this.facts;
    const rows = items.reduce((sum, item) => sum + item.rows, 0);
    if (rows === 0) {
      return outputs.map((output) => ({
        ...output,
        values: new Float32Array(0),
        rowShape: output.shape.map((size) => size ?? 0),
      }));
    }
    const inputs = items[0]!.inputs.map(({ shape }, input) => ({
      shape,
      values: joinValues(items.map(({ inputs }) => inputs[input]!.values)),
    }));
    const predicted = await this.#net.predict({ rows, inputs });
    return outputs.map((output, at) => {
      const { values, shape } = predicted[at]!;
      return { ...output, values, rowShape: shape };
    });
  }
}

/**
 * Where the net is on a worker, one is computed while the next is on its way. On one machine two answer 3,290 requests a
 * second where one answers 2,790 (a small convnet, 64 in hand); more make batches smaller, and nothing quicker.
 */
const MAX_CONCURRENT_BATCHES = 2;

/** What a request without JSON holds, where that is clear. */
function rawInput([input, ...others]: readonly TensorInput[]): RawInput | undefined {
  if (!input || others.length > 0) return undefined;
  return { name: input.name, datatype: datatypes[input.dtype], shape: [null, ...input.shape] };
}

/** The tensors of a request, by name; the name does not matter where the model has one input. */
function inferenceRows(tensors: readonly InputTensor[], inputs: readonly TensorInput[]): NetRows {
  const rows = tensors[0]!.shape[0]!;
  const found = inputs.map((input) => {
    const { name, dtype } = input;
    const tensor =
      inputs.length === 1 && tensors.length === 1
        ? tensors[0]
        : tensors.find((tensor) => tensor.name === name);
    const expected = `[${[rows, ...input.shape.map((size) => size ?? -1)].join()}]`;
    if (!tensor)
      throw new ServeInputError(`There is no input tensor "${name}" of shape ${expected}.`, { field: name });
    const [count, ...shape] = tensor.shape;
    const fits =
      count === rows &&
      shape.length === input.shape.length &&
      input.shape.every((size, axis) => size === null || size === shape[axis]);
    if (!fits) {
      throw new ServeInputError(
        `Tensor "${tensor.name}" has shape [${tensor.shape.join()}]; expected ${expected}.`,
        { field: name },
      );
    }
    const rowSize = shape.reduce((product, size) => product * size, 1);
    const numbers = Array.from(tensor.values, (value, i) =>
      tensorNumber(value, input, Math.floor(i / rowSize)),
    );
    return { values: dtype === 'int32' ? Int32Array.from(numbers) : Float32Array.from(numbers), shape };
  });
  return { rows, inputs: found };
}
