// Vectors of floats in fewer bytes. One line each.

import { f16Vector } from './f16Vector.ts';
import { int8Vector } from './int8Vector.ts';
import type { VectorCodec } from './vectorCodec.ts';

export const vectorCodecs = { f16: f16Vector, int8: int8Vector } as const satisfies Record<
  string,
  VectorCodec
>;
