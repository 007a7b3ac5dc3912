// A prepared dataset as the coordinator plans it.

import type { TensorDataset } from '../../../shared/neural/run/neuralSpec.ts';
import type { Shard } from '../../core/run/runRequest.ts';

export function shardsOf(dataset: string, { shards }: TensorDataset): Shard[] {
  let firstRow = 0;
  return shards.map(({ sha256, sizeBytes, rows }, index) => {
    const shard = { dataset, index, firstRow, rows, sha256, sizeBytes };
    firstRow += rows;
    return shard;
  });
}
