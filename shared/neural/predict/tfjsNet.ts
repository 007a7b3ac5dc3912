// A served tf.LayersModel where it computes: a thread beside the server, or a program's thread on a worker. It is given
// tfjs, which is large, and which each of them opens on its device in its own way.

import type * as tfjs from '@tensorflow/tfjs';
import {
  sizeOf,
  type InputValues,
  type LayersFacts,
  type LayersNet,
  type NetRows,
  type PredictedRows,
} from '../../serve/layersNet.ts';
import { messageOf } from '../../text/messageOf.ts';
import type { LayersFiles } from '../model/layersFiles.ts';
import { checkTopology } from '../model/checkConnected.ts';
import { withWeightLimit } from '../model/weightLimit.ts';
import { NeuralModelError } from '../graph/modelErrors.ts';

type Tf = typeof tfjs;

/** Rows that tfjs computes at a time. */
const ROWS_AT_A_TIME = 128;

export class TfjsNet implements LayersNet {
  readonly facts: LayersFacts;
  readonly #tf: Tf;
  readonly #model: tfjs.LayersModel;
  readonly #scalings: LayersFiles['scalings'];
  /** What the model answered to a row of zeros when it was loaded. */
  #probeAnswer: readonly PredictedRows[] = [];

  private constructor(tf: Tf, model: tfjs.LayersModel, scalings: LayersFiles['scalings']) {
    this.#tf = tf;
    this.#model = model;
    this.#scalings = scalings;
    this.facts = factsOf(model);
  }

  /** @param tf on the backend that is to compute. @throws NeuralModelError for a model that tfjs does not load. */
  static async load(tf: Tf, files: LayersFiles): Promise<TfjsNet> {
    const net = new TfjsNet(tf, await loadModel(tf, files), files.scalings);
    try {
      net.#probeAnswer = await net.#predictZeros();
    } catch (error) {
      throw new NeuralModelError(
        `tfjs can not compute with the model: ${messageOf(error)}`,
        {},
        { cause: error },
      );
    }
    return net;
  }

  async predict({ rows, inputs }: NetRows): Promise<readonly PredictedRows[]> {
    const tf = this.#tf;
    const tensors = tf.tidy(() => {
      const given = this.facts.inputs.map(({ dtype }, at) => {
        const { values, shape } = inputs[at]!;
        return tf.tensor(scaled(values, this.#scalings[at]), [rows, ...shape], dtype);
      });
      return [this.#model.predict(given, { batchSize: ROWS_AT_A_TIME })].flat();
    });
    try {
      return await Promise.all(
        tensors.map(async (tensor) => ({
          values: await tensor.data<'float32' | 'int32' | 'bool'>(),
          shape: tensor.shape.slice(1),
        })),
      );
    } finally {
      tf.dispose(tensors);
    }
  }

  async checkHealth(): Promise<void> {
    const answer = await this.#predictZeros();
    const isSame = answer.every(({ values }, output) =>
      values.every((value, at) => Object.is(value, this.#probeAnswer[output]!.values[at])),
    );
    if (!isSame) throw new Error('the model does not predict what it did when it was loaded');
  }

  #predictZeros(): Promise<readonly PredictedRows[]> {
    const inputs = this.facts.inputs.map(({ dtype, shape: open }) => {
      const shape = open.map((size) => size ?? 1);
      return { shape, values: new (dtype === 'int32' ? Int32Array : Float32Array)(sizeOf(shape)) };
    });
    return this.predict({ rows: 1, inputs });
  }
}

async function loadModel(
  tf: Tf,
  { modelTopology, weightSpecs, weights }: LayersFiles,
): Promise<tfjs.LayersModel> {
  try {
    const artifacts = { modelTopology, weightSpecs: [...weightSpecs], weightData: weights.map(ownBuffer) };
    checkTopology(modelTopology);
    const most = weightSpecs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    return await withWeightLimit(tf, { most, whose: 'its manifest names' }, () =>
      tf.loadLayersModel(tf.io.fromMemory(artifacts)),
    );
  } catch (error) {
    if (error instanceof NeuralModelError) throw error;
    throw new NeuralModelError(`tfjs can not load the model: ${messageOf(error)}`, {}, { cause: error });
  }
}

/** tfjs takes whole buffers, and no shared memory. */
function ownBuffer({ buffer, byteOffset, byteLength }: Uint8Array): ArrayBuffer {
  if (buffer instanceof ArrayBuffer && byteLength === buffer.byteLength) return buffer;
  return new Uint8Array(new Uint8Array(buffer, byteOffset, byteLength)).buffer;
}

function factsOf(model: tfjs.LayersModel): LayersFacts {
  return {
    layers: model.layers.length,
    parameters: model.countParams(),
    inputs: model.inputs.map(({ dtype, shape }, at) => ({
      // The layer's: names of tensors are made unique in a process.
      name: model.inputNames[at]!,
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
function scaled(values: InputValues, scaling: LayersFiles['scalings'][number] | undefined): InputValues {
  if (!scaling || (scaling.scale === 1 && scaling.offset === 0)) return values;
  return Float32Array.from(values, (value) => value * scaling.scale + scaling.offset);
}
