// Whether two machines predicted the same for the same rows.

import type { PredictedRows } from '../../../shared/serve/layersNet.ts';
import { NET_TOLERANCE } from '../../../shared/neural/predict/netTolerance.ts';
import type { Difference } from '../../program/checks/answerCheck.ts';
import { compareNumbers } from '../../program/checks/compareNumbers.ts';

/** Of trees: every machine computes the same bits. @param outputs of a row. */
export function compareTrees(
  said: Float32Array,
  right: Float32Array,
  outputs: number,
): Difference | undefined {
  const where = (at: number): string => `output ${at % outputs} of row ${Math.floor(at / outputs)}`;
  return compareNumbers(said, right, { tolerance: 0, where });
}

/** Of nets, as far as devices agree. */
export function compareNets(
  said: readonly PredictedRows[],
  right: readonly PredictedRows[],
): Difference | undefined {
  const [claimed, found] = [said, right].map((all) => JSON.stringify(all.map(({ shape }) => shape))) as [
    string,
    string,
  ];
  if (claimed !== found) return { isLie: true, where: 'the shapes of its outputs', claimed, found };
  let first: Difference | undefined;
  for (const [output, { values }] of right.entries()) {
    const where = (at: number): string => `number ${at} of output ${output}`;
    const difference = compareNumbers(said[output]!.values, values, { tolerance: NET_TOLERANCE, where });
    if (difference?.isLie === true) return difference;
    first ??= difference;
  }
  return first;
}
