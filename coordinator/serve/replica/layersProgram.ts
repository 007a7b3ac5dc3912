// A tf.LayersModel as a replica runs it: rows or tensors in, the outputs of tfjs's predict out. Requests that wait
// together are predicted together. Loaded only by threads that need it, since tfjs takes seconds to load.

import * as tf from '@tensorflow/tfjs';
import type { InputScaling, LayersFiles } from '../../predict/layersFolder.ts';
import { CheckpointError } from '../../train/trainErrors.ts';
import { batch } from '../batch.ts';
import { readInference, writeInference, type InputTensor } from '../http/openInference.ts';
import { bodyText } from '../http/ownerHttp.ts';
import { datatypes, type LayersFacts } from '../model/describeLayers.ts';
import {
  readTensors,
  tensorNumber,
  tensorRows,
  type InputRows,
  type TensorInput,
} from '../rows/readTensors.ts';
import { ServeArgumentError, ServeInputError } from '../serveErrors.ts';
import { predictionsText, predictionsValue, type OutputRows } from './layersAnswers.ts';
import type { Body, ReplicaOp, ReplicaProgram } from './replica.ts';
import { useBackend } from './tfBackend.ts';

export interface LayersOptions {
  /** Default "cpu". "webgpu" takes the first adapter of the machine, and fails where there is none. */
  readonly device?: 'cpu' | 'webgpu';
  /** Requests that are predicted together; default 32. */
  readonly maxBatchSize?: number;
  /**
   * How long the first of them waits for others; default 0: those are taken together that came in while the batch before
   * was computed.
   */
  readonly batchWaitTimeoutS?: number;
}

/** Rows that tfjs computes at a time. */
const ROWS_AT_A_TIME = 128;

interface Rows {
  readonly rows: number;
  readonly inputs: readonly InputRows[];
}

export class LayersProgram implements ReplicaProgram {
  readonly facts: LayersFacts;
  readonly #model: tf.LayersModel;
  readonly #scalings: readonly InputScaling[];
  readonly #predictTogether: (rows: Rows) => Promise<readonly OutputRows[]>;
  /** A row of zeros, and what the model answered to it when it was loaded. */
  readonly #probe: Rows;
  #probeAnswer = '';

  private constructor(
    model: tf.LayersModel,
    scalings: readonly InputScaling[],
    { maxBatchSize = 32, batchWaitTimeoutS = 0 }: LayersOptions,
  ) {
    this.#model = model;
    this.#scalings = scalings;
    this.facts = factsOf(model);
    this.#predictTogether = batch((items: Rows[]) => this.#predictAll(items), {
      maxBatchSize,
      batchWaitTimeoutS,
    });
    this.#probe = {
      rows: 1,
      inputs: this.facts.inputs.map(({ dtype, shape }) => {
        const dims = shape.map((size) => size ?? 1);
        const length = dims.reduce((product, size) => product * size, 1);
        return { shape: dims, values: dtype === 'int32' ? new Int32Array(length) : new Float32Array(length) };
      }),
    };
  }

  /** @throws CheckpointError, UnavailableError where the device is not there. */
  static async make(files: LayersFiles, options: LayersOptions): Promise<LayersProgram> {
    await useBackend(options.device ?? 'cpu');
    const program = new LayersProgram(await loadModel(files), files.scalings, options);
    program.#probeAnswer = await program.#predictProbe();
    return program;
  }

  async run(op: ReplicaOp, args: readonly unknown[]): Promise<unknown> {
    switch (op) {
      case 'http': {
        const { shape, ...rows } = readTensors(bodyText(args[0] as Body), this.facts.inputs);
        return predictionsText(await this.#predictTogether(rows), rows.rows, shape);
      }
      case 'infer': {
        const inference = readInference(args[0] as Body, args[1] as number | undefined);
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
      case 'health':
        if ((await this.#predictProbe()) !== this.#probeAnswer)
          throw new Error('the model does not predict what it did when it was loaded');
        return undefined;
      case 'method':
        break;
    }
    const [method, [value]] = args as [string, readonly unknown[]];
    if (method !== 'call')
      throw new ServeArgumentError('A deployed model has one method, call(rows), and takes rows or columns.');
    const { shape, ...rows } = tensorRows(value, this.facts.inputs);
    return predictionsValue(await this.#predictTogether(rows), rows.rows, shape);
  }

  async #predictProbe(): Promise<string> {
    const [outputs] = await this.#predictAll([this.#probe]);
    return predictionsText(outputs!, 1, 'record');
  }

  /** Requests whose rows are of one shape are one batch. */
  async #predictAll(items: readonly Rows[]): Promise<(readonly OutputRows[])[]> {
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
          const size = output.rowShape.reduce((product, length) => product * length, 1);
          return { ...output, values: output.values.subarray(from * size, row * size) };
        });
      }
    }
    return answers;
  }

  async #predict(items: readonly Rows[]): Promise<OutputRows[]> {
    const { outputs } = this.facts;
    const rows = items.reduce((sum, item) => sum + item.rows, 0);
    if (rows === 0) {
      return outputs.map((output) => ({
        ...output,
        values: new Float32Array(0),
        rowShape: output.shape.map((size) => size ?? 0),
      }));
    }
    const tensors = tf.tidy(() => {
      const inputs = this.facts.inputs.map(({ dtype }, input) => {
        const values = scaled(
          joined(items.map(({ inputs }) => inputs[input]!.values)),
          this.#scalings[input],
        );
        return tf.tensor(values, [rows, ...items[0]!.inputs[input]!.shape], dtype);
      });
      return [this.#model.predict(inputs, { batchSize: ROWS_AT_A_TIME })].flat();
    });
    try {
      return await Promise.all(
        tensors.map(async (tensor, output) => ({
          ...outputs[output]!,
          values: await tensor.data<'float32' | 'int32' | 'bool'>(),
          rowShape: tensor.shape.slice(1),
        })),
      );
    } finally {
      tf.dispose(tensors);
    }
  }
}

async function loadModel({ modelTopology, weightSpecs, weights }: LayersFiles): Promise<tf.LayersModel> {
  try {
    // A copy: tfjs takes no shared memory.
    const weightData = Uint8Array.from(new Uint8Array(weights)).buffer;
    const artifacts = { modelTopology, weightSpecs: [...weightSpecs], weightData };
    return await tf.loadLayersModel(tf.io.fromMemory(artifacts));
  } catch (error) {
    throw new CheckpointError(
      `tfjs can not load the model: ${(error as Error).message}`,
      {},
      { cause: error },
    );
  }
}

function factsOf(model: tf.LayersModel): LayersFacts {
  return {
    layers: model.layers.length,
    parameters: model.countParams(),
    inputs: model.inputs.map(({ name, dtype, shape }) => ({
      name,
      dtype: dtype === 'int32' ? 'int32' : 'float32',
      shape: shape.slice(1),
    })),
    outputs: model.outputs.map(({ name, dtype, shape }) => ({
      // "layer/operation": callers know the layer. A model of one output has predictions, as a tree model.
      name: model.outputs.length === 1 ? 'predictions' : name.split('/')[0]!,
      dtype: dtype === 'int32' || dtype === 'bool' ? dtype : 'float32',
      shape: shape.slice(1),
    })),
  };
}

/** As the workers scaled them in training, to the bit. */
function scaled(values: InputRows['values'], scaling: InputScaling | undefined): InputRows['values'] {
  if (!scaling || (scaling.scale === 1 && scaling.offset === 0)) return values;
  return Float32Array.from(values, (value) => value * scaling.scale + scaling.offset);
}

function joined(parts: readonly InputRows['values'][]): InputRows['values'] {
  if (parts.length === 1) return parts[0]!;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const all = parts[0] instanceof Int32Array ? new Int32Array(length) : new Float32Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The tensors of a request, by name; the name does not matter where the model has one input. */
function inferenceRows(tensors: readonly InputTensor[], inputs: readonly TensorInput[]): Rows {
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
      tensorNumber(value, dtype, Math.floor(i / rowSize), name),
    );
    return { values: dtype === 'int32' ? Int32Array.from(numbers) : Float32Array.from(numbers), shape };
  });
  return { rows, inputs: found };
}
