// Where the rounds of a model begin, as XGBoost 2.0 and later write it. Rounds differ where training went on with another
// num_parallel_tree.

import { malformed, readInts } from './modelFields.ts';

/**
 * @param value iteration_indptr; undefined in older files.
 * @param perRound trees of each round, if all are alike.
 * @returns undefined where all rounds are alike.
 */
export function readRoundStarts(
  value: unknown,
  field: string,
  { trees, perRound }: { readonly trees: number; readonly perRound: number },
): readonly number[] | undefined {
  if (value === undefined) return undefined;
  const starts = readInts(value, field, { min: 0, max: trees });
  if (starts.length === 0 && trees === 0) return undefined;
  if (starts[0] !== 0) throw malformed(`${field}[0]`, 'expected 0');
  for (let round = 1; round < starts.length; round += 1)
    if (starts[round]! < starts[round - 1]!) throw malformed(`${field}[${round}]`, 'is below the one before');
  if (starts.at(-1) !== trees)
    throw malformed(`${field}[${starts.length - 1}]`, `is ${starts.at(-1)}, expected ${trees}, the trees`);
  const areAlike = starts.every((start, round) => start === round * perRound);
  return areAlike ? undefined : Array.from(starts);
}
