// All-reduce along a chain: partial sums travel from rank 0 up to the last rank, results travel back down, both in
// chunks that are passed on while the next one arrives. It is a ring cut open: a closed ring starts the sum of every
// part at another rank, while here all floats are added in rank order, so that the bits equal those of a direct
// reduction. 2·S bytes a peer over two full-duplex links, against the ring's 2(n-1)/n·S.

import type { NumericArray, ReduceOperation } from '../../shared/collective/collective.ts';
import { bytesOf, combineInto } from './combine.ts';
import { combineFrom, receiveInto } from './directReduce.ts';
import type { Operation } from './operation.ts';
import type { OutStream } from './outStream.ts';
import { chunksOf } from './partition.ts';

const PARTIAL_SUMS = 0;
const RESULTS = 1;

export async function chainReduce(
  operation: Operation,
  data: NumericArray,
  reduction: ReduceOperation,
): Promise<void> {
  const { rank, size, chunkBytes } = operation.group;
  if (data.length === 0) return;
  const isLast = rank === size - 1;
  const bytes = bytesOf(data);
  const below = rank === 0 ? undefined : operation.input(rank - 1, PARTIAL_SUMS, bytes.length);
  const upward: [number, OutStream][] = isLast
    ? []
    : [[rank + 1, operation.output(rank + 1, PARTIAL_SUMS, bytes.length)]];
  const downward: [number, OutStream][] =
    rank === 0 ? [] : [[rank - 1, operation.output(rank - 1, RESULTS, bytes.length)]];
  const sendDown = (chunk: Uint8Array): Promise<void> => operation.send(downward, RESULTS, chunk);

  const goingDown = isLast
    ? Promise.resolve()
    : receiveInto(operation, operation.input(rank + 1, RESULTS, bytes.length), bytes, sendDown);
  await Promise.all([goingUp(), goingDown]);

  async function goingUp(): Promise<void> {
    for (const [from, to] of chunksOf(0, data.length, Math.floor(chunkBytes / data.BYTES_PER_ELEMENT))) {
      const own = data.subarray(from, to);
      const partial = own.slice();
      if (below) {
        await combineFrom(operation, below, partial, reduction, true);
        combineInto(partial, own, reduction);
      }
      if (isLast) {
        own.set(partial);
        await sendDown(bytesOf(partial));
      } else {
        await operation.send(upward, PARTIAL_SUMS, bytesOf(partial));
      }
    }
  }
}
