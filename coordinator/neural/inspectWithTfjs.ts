// Lets tfjs tell the shapes and first weights of a model that only tfjs can build.

import { NeuralModelError } from '../../shared/neural/model/modelErrors.ts';
import type { Tensor } from '../../shared/neural/state/safetensors.ts';
import { messageOf } from '../../shared/text/messageOf.ts';
import type { ModelPort } from './modelSource.ts';

interface Inspected {
  readonly inputs: readonly ModelPort[];
  readonly outputShape: readonly number[];
  readonly givesProbabilities: boolean;
  readonly initial: ReadonlyMap<string, Tensor>;
}

export async function inspectWithTfjs(topology: object): Promise<Inspected> {
  const tf = await import('@tensorflow/tfjs');
  const before = tf.getBackend();
  await tf.setBackend('cpu');
  try {
    const model = await tf.models.modelFromJSON({ modelTopology: topology } as never);
    const fixed = (shape: readonly (number | null)[]): number[] => shape.slice(1).map((size) => size ?? 1);
    const last = model.layers.at(-1)?.getConfig()['activation'];
    const inspected = {
      inputs: model.inputs.map(({ name, shape, dtype }): ModelPort => ({
        name,
        shape: fixed(shape),
        dtype: dtype === 'int32' ? 'int32' : 'float32',
      })),
      outputShape: fixed(model.outputs[0]!.shape),
      givesProbabilities: last === 'softmax' || last === 'sigmoid',
      initial: new Map(
        model.weights.map((weight): [string, Tensor] => {
          const tensor = weight.read();
          return [weight.originalName, { shape: tensor.shape, values: Float32Array.from(tensor.dataSync()) }];
        }),
      ),
    };
    model.dispose();
    return inspected;
  } catch (error) {
    throw new NeuralModelError(`tfjs can not build the model: ${messageOf(error)}`, {}, { cause: error });
  } finally {
    if (before) await tf.setBackend(before);
  }
}
