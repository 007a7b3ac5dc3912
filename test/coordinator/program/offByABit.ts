// What a liar says of a batch of predictions: the same, the first of them off by its last bit.

import * as arrow from 'apache-arrow';
import { batchOfBytes } from '../../../shared/columns/ipc/batchBytes.ts';

export function offByABit(right: unknown): Uint8Array {
  const batch = batchOfBytes(right as Uint8Array);
  const predictions = Float32Array.from(batch.getChild('predictions')!.toArray() as Float32Array);
  new Uint32Array(predictions.buffer)[0]! ^= 1;
  const vectors = batch.schema.fields.map(({ name }) => {
    const vector = name === 'predictions' ? arrow.makeVector(predictions) : batch.getChild(name)!;
    return [name, vector] as const;
  });
  return arrow.tableToIPC(new arrow.Table(Object.fromEntries(vectors)), 'stream');
}
