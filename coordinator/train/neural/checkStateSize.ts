// Whether the state of a run can be stored at all. It is looked at before anything is trained: the state comes at the end.

import { optimizerSlots, type OptimizerSpec } from '../../../kernels/neural/optimizer.ts';
import type { Tensor } from '../../../shared/neural/state/safetensors.ts';
import { MAX_BLOB_BYTES } from '../../core/blobs/blobStore.ts';
import { TrainArgumentError } from '../../options/trainArgumentError.ts';

/** Of a tensor in the header, beside its name. */
const HEADER_BYTES = 128;
const mebibytes = (bytes: number): number => Math.ceil(bytes / 2 ** 20);

/** @param hasVelocity whether outer steps keep an array too. @throws TrainArgumentError */
export function checkStateSize(
  weights: ReadonlyMap<string, Tensor>,
  optimizer: OptimizerSpec,
  hasVelocity: boolean,
  most = MAX_BLOB_BYTES,
): void {
  const arrays = 1 + optimizerSlots(optimizer) + Number(hasVelocity);
  let own = 0;
  let header = 0;
  for (const [name, { values }] of weights) {
    own += 4 * values.length;
    header += HEADER_BYTES + 4 * name.length;
  }
  const state = arrays * (own + header);
  if (state <= most) return;
  throw new TrainArgumentError(
    `model has ${mebibytes(own)} MiB of weights, and ${arrays === 1 ? '' : `with the ${arrays - 1} arrays of the optimizer `}a state of ${mebibytes(state)} MiB; expected at most ${mebibytes(most)} MiB.`,
    { field: 'model' },
  );
}
