// The values of a tensor in a file of weights: of float32, or quantized and made float32 while they are read, as tfjs's io does
// (tfjs-core/src/io/io_utils.ts).

import { z } from 'zod';
import { decodeHalves } from '../state/decodeHalves.ts';

/** As it stands in the manifest: value = code · scale + min for whole numbers; halves have neither. */
export const quantization = z.discriminatedUnion('dtype', [
  z.looseObject({ dtype: z.enum(['uint8', 'uint16']), scale: z.number(), min: z.number() }),
  z.looseObject({ dtype: z.literal('float16') }),
]);

type Quantization = z.output<typeof quantization>;

const codeBytes = { uint8: 1, uint16: 2, float16: 2 } as const satisfies Record<
  Quantization['dtype'],
  number
>;

/** Bytes of each element of a float32 tensor. */
export function elementBytes(quantized: Quantization | undefined): number {
  return quantized ? codeBytes[quantized.dtype] : 4;
}

/** @param bytes of this tensor alone, in memory of their own. */
export function weightValues(
  bytes: Uint8Array<ArrayBuffer>,
  quantized: Quantization | undefined,
): Float32Array<ArrayBuffer> {
  if (!quantized) return new Float32Array(bytes.buffer);
  if (quantized.dtype === 'float16') return decodeHalves(bytes, bytes.length / 2);
  const { scale, min } = quantized;
  const codes = quantized.dtype === 'uint8' ? bytes : new Uint16Array(bytes.buffer);
  return Float32Array.from(codes, (code) => code * scale + min);
}
