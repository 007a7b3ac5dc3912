// Margins that a run starts from when it goes on with an earlier model.

import { MARGIN_LIMIT } from '../../../kernels/gbdt/fixedPoint.ts';
import { scaleByPowerOfTwo } from '../../../kernels/fixed/scaleByPowerOfTwo.ts';
import type { Predictor } from './predictor.ts';

/** BinnedBlock.baseMargins of rows given as raw columns: [output][row] in margin units. All rounds of the model count. */
export function baseMargins(
  predictor: Predictor,
  columns: readonly Float32Array[],
  rows: number,
  marginFractionBits: number,
): Int32Array<ArrayBuffer> {
  const { outputs, model } = predictor;
  const all = [0, model.trees.length] as const;
  const margins = predictor.predict(columns, rows, { outputMargin: true, iterationRange: all });
  const scale = scaleByPowerOfTwo(1, marginFractionBits);
  const fixed = new Int32Array(rows * outputs);
  for (let row = 0; row < rows; row += 1) {
    for (let output = 0; output < outputs; output += 1) {
      const units = Math.round(margins[row * outputs + output]! * scale);
      fixed[output * rows + row] = Math.max(-MARGIN_LIMIT, Math.min(MARGIN_LIMIT, units));
    }
  }
  return fixed;
}
