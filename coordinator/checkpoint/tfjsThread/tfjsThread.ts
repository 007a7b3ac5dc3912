// The program of the thread in which tfjs answers one question, or predicts with one net.

import { parentPort, workerData } from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs';
import type { Tensor } from '../../../shared/neural/state/safetensors.ts';
import { checkTopology } from '../../../shared/neural/model/checkConnected.ts';
import { MOST_FIRST_WEIGHTS, withWeightLimit } from '../../../shared/neural/model/weightLimit.ts';
import type { NetRows } from '../../../shared/serve/layersNet.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import type { ModelPort } from './tfjsMessages.ts';
import { openTfjsNet } from './tfBackend.ts';
import type { InspectedModel, TfjsNetData, TfjsNetReply, TfjsQuestion, TfjsReply } from './tfjsMessages.ts';

async function inspect(topology: object, weights: number | undefined): Promise<InspectedModel> {
  // Without its advertisement on the terminal.
  tf.enableProdMode();
  await tf.setBackend('cpu');
  checkTopology(topology);
  const limit =
    weights === undefined
      ? { most: MOST_FIRST_WEIGHTS, whose: 'tfjs trains' }
      : { most: weights, whose: 'it comes with' };
  const model = await withWeightLimit(tf, limit, () =>
    tf.models.modelFromJSON({ modelTopology: topology } as never),
  );
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

async function answer(question: TfjsQuestion): Promise<void> {
  const tell = (reply: TfjsReply): void => parentPort!.postMessage(reply);
  try {
    const found =
      question.kind === 'names' ? Object.keys(tf) : await inspect(question.topology, question.weights);
    tell({ type: 'answer', answer: found });
  } catch (error) {
    tell({ type: 'failed', message: messageOf(error) });
  }
}

async function serveNet({ files, device }: TfjsNetData): Promise<void> {
  const tell = (reply: TfjsNetReply): void => parentPort!.postMessage(reply);
  const told = (error: unknown): void => tell({ type: 'failed', message: messageOf(error) });
  try {
    const net = await openTfjsNet(files, device);
    parentPort!.on('message', (rows: NetRows) => {
      net.predict(rows).then((predicted) => tell({ type: 'predicted', predicted }), told);
    });
    tell({ type: 'facts', facts: net.facts });
  } catch (error) {
    told(error);
  }
}

const given = workerData as TfjsNetData | TfjsQuestion;
await (given.kind === 'net' ? serveNet(given) : answer(given));
