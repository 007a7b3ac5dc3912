// A stored state of a net as a checkpoint: the files that tfjs loads, and those that NeuralTrainer goes on from.

import type { NetAnswer } from '../../../shared/api/runModel.ts';
import { writeLayersModel } from '../../../shared/neural/model/layersFormat.ts';
import { INPUTS_FILE, writeNetInputs } from '../../../shared/neural/model/netInputs.ts';
import { decodeState, optimizerTensors } from '../../../shared/neural/state/namedState.ts';
import { encodeTensors } from '../../../shared/neural/state/safetensors.ts';
import type { ZippedFile } from './zipFiles.ts';

/**
 * @param rounds steps behind the state, and metrics of them.
 * @throws WeightsMismatchError where the state is damaged.
 */
export function netCheckpoint(
  state: Uint8Array,
  { topology, inputs }: NetAnswer,
  rounds: number,
  metrics: Readonly<Record<string, number>>,
): ZippedFile[] {
  const { step, weights, ...rest } = decodeState(state, 'the state');
  const { modelText, files } = writeLayersModel(topology, weights);
  const tensors = optimizerTensors(rest);
  const text = (written: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(written);
  return [
    { name: 'model.json', bytes: text(modelText) },
    ...[...files].map(([name, bytes]) => ({ name, bytes })),
    ...(inputs ? [{ name: INPUTS_FILE, bytes: Uint8Array.from(writeNetInputs(inputs)) }] : []),
    ...(tensors.size > 0
      ? [
          {
            name: 'optimizer.safetensors',
            bytes: encodeTensors({ tensors, metadata: { format: 'tabgrad-1', step: String(step) } }),
          },
        ]
      : []),
    { name: 'checkpoint.json', bytes: text(`${JSON.stringify({ rounds, metrics }, null, 2)}\n`) },
  ];
}
