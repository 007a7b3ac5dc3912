// A tf.LayersModel that tfjs computes, where it computes: a thread of Node, or a program's thread on a worker. It is given
// tfjs, which is large, and which each of them opens on its device in its own way.

import type * as tfjs from '@tensorflow/tfjs';
import { sizeOf, type LayersFacts, type LayersNet } from '../../serve/layersNet.ts';
import { messageOf } from '../../text/messageOf.ts';
import type { LayersFiles } from '../model/layersFiles.ts';
import { checkTopology } from '../model/checkConnected.ts';
import { withWeightLimit } from '../model/weightLimit.ts';
import { NeuralModelError } from '../graph/modelErrors.ts';

type Tf = typeof tfjs;

/** Rows that tfjs computes at a time. */
const ROWS_AT_A_TIME = 128;

/** @param tf on the backend that is to compute. @throws NeuralModelError for a model that tfjs does not load. */
export async function loadTfjsNet(tf: Tf, files: LayersFiles): Promise<Pick<LayersNet, 'facts' | 'predict'>> {
  const model = await loadModel(tf, files);
  const facts = factsOf(model);
  return {
    facts,
    async predict({ rows, inputs }) {
      const tensors = tf.tidy(() => {
        const given = facts.inputs.map(({ dtype }, at) => {
          const { values, shape } = inputs[at]!;
          return tf.tensor(values, [rows, ...shape], dtype);
        });
        return [model.predict(given, { batchSize: ROWS_AT_A_TIME })].flat();
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
    },
  };
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
