// The program of the thread in which tfjs answers one question.

import { parentPort, workerData } from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs';
import type { Tensor } from '../../../shared/neural/state/safetensors.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import type { ModelPort } from '../modelPort.ts';
import type { InspectedModel, TfjsQuestion, TfjsReply } from './tfjsMessages.ts';

async function inspect(topology: object): Promise<InspectedModel> {
  // Without its advertisement on the terminal.
  tf.enableProdMode();
  await tf.setBackend('cpu');
  const model = await tf.models.modelFromJSON({ modelTopology: topology } as never);
  const fixed = (shape: readonly (number | null)[]): number[] => shape.slice(1).map((size) => size ?? 1);
  return {
    inputs: model.inputs.map(({ name, shape, dtype }): ModelPort => ({
      name,
      shape: fixed(shape),
      dtype: dtype === 'int32' ? 'int32' : 'float32',
    })),
    outputShape: fixed(model.outputs[0]!.shape),
    initial: new Map(
      model.weights.map((weight): [string, Tensor] => {
        const tensor = weight.read();
        return [weight.originalName, { shape: tensor.shape, values: Float32Array.from(tensor.dataSync()) }];
      }),
    ),
  };
}

const tell = (reply: TfjsReply): void => parentPort!.postMessage(reply);
const question = workerData as TfjsQuestion;
try {
  tell({
    type: 'answer',
    answer: question.kind === 'names' ? Object.keys(tf) : await inspect(question.topology),
  });
} catch (error) {
  tell({ type: 'failed', message: messageOf(error) });
}
