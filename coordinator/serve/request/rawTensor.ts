// A request that is nothing but the bytes of the model's one input (Inference-Header-Content-Length: 0); its shape comes
// from the model and from how many bytes there are.
// https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/protocol/extension_binary_data.html

import { sizeOf } from '../../../shared/serve/layersNet.ts';
import { ServeInputError } from './serveErrors.ts';
import { readBinaryTensor, type InputTensor } from './tensors.ts';
import { numberTypes } from './tensorTypes.ts';

export interface RawInput {
  readonly name: string;
  readonly datatype: string;
  /** [rows, …]; null for any size. */
  readonly shape: readonly (number | null)[];
}

/** @throws ServeInputError */
export function readRawTensor(bytes: Uint8Array, input: RawInput | undefined): InputTensor {
  if (!input) {
    throw new ServeInputError(
      'A request without JSON (Inference-Header-Content-Length: 0) can only be sent to a model of one input.',
    );
  }
  const { name, datatype } = input;
  // Where a row is of any size, there is one row.
  const [, ...row] = input.shape;
  const open = row.filter((size) => size === null).length;
  const isOneRow = open === 1;
  const known = isOneRow ? [1, ...row] : [null, ...row];
  const part = sizeOf(known.filter((size) => size !== null)) * numberTypes[datatype]!.sizeBytes;
  if (open > 1 || part === 0 || bytes.byteLength % part !== 0) {
    const shape = known.map((size) => size ?? -1).join();
    throw new ServeInputError(
      `The body has ${bytes.byteLength} bytes, which are no tensor "${name}" of ${datatype} and shape [${shape}]${open > 1 ? ': more than one size is open' : ''}.`,
      { field: name },
    );
  }
  const shape = known.map((size) => size ?? bytes.byteLength / part);
  return { name, datatype, shape, values: readBinaryTensor(name, datatype, bytes, sizeOf(shape)) };
}
