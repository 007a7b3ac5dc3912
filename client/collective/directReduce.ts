// Direct reduction: every member sends each other member the part that one reduces, reduces its own part in rank order
// while chunks arrive, and, for an all-reduce, sends the results straight back. Two hops, 2(n-1)/n·S bytes a peer.

import type { NumericArray, ReduceOperation } from '../../shared/collective/collective.ts';
import { bytesOf, combineInto, elementsOf, emptyLike } from './combine.ts';
import type { InStream } from './inStream.ts';
import type { Operation } from './operation.ts';
import type { OutStream } from './outStream.ts';
import { chunksOf } from './partition.ts';
import { Tasks } from './tasks.ts';

const CONTRIBUTIONS = 0;
const RESULTS = 1;

/** Where a reduction that keeps one part puts it. */
export interface KeptPart {
  readonly part: NumericArray;
  /** By rank: what each other member sent of it. */
  readonly received?: readonly NumericArray[] | undefined;
}

/**
 * @param bounds size+1 element offsets; member r reduces [bounds[r], bounds[r+1]).
 * @param reduction What combines elements.
 * @param kept Receives this member's reduced part, and what each other member sent of it, nothing else being changed. Without it
 *   every member gets all results, in `data`.
 */
export async function directReduce(
  operation: Operation,
  data: NumericArray,
  bounds: readonly number[],
  reduction: ReduceOperation,
  kept?: KeptPart,
): Promise<void> {
  const spread = kept === undefined;
  const { rank } = operation.group;
  const width = data.BYTES_PER_ELEMENT;
  const start = (of: number): number => bounds[of] as number;
  const end = (of: number): number => bounds[of + 1] as number;
  const bytesIn = (of: number): number => (end(of) - start(of)) * width;

  const others = operation.others();
  const mine = bytesIn(rank);
  const inputs = new Map<number, InStream>();
  const results: [number, OutStream][] = [];
  const tasks = new Tasks();
  for (const other of others) {
    if (mine > 0) {
      inputs.set(other, operation.input(other, CONTRIBUTIONS, mine));
      if (spread) results.push([other, operation.output(other, RESULTS, mine)]);
    }
    if (bytesIn(other) === 0) continue;
    const part = bytesOf(data, start(other), end(other));
    // Results of a chunk come back only after this member's contribution to it has left, so both may share the array.
    if (spread) tasks.add(receiveInto(operation, operation.input(other, RESULTS, part.length), part));
    const output = operation.output(other, CONTRIBUTIONS, part.length);
    tasks.add(operation.sendAll(other, output, CONTRIBUTIONS, part));
  }
  if (mine > 0) tasks.add(reduceOwnPart());
  await tasks.done();

  async function reduceOwnPart(): Promise<void> {
    const chunkElements = Math.floor(operation.group.chunkBytes / width);
    // One chunk is on its way out while the next is reduced.
    let sending: Promise<void> = Promise.resolve();
    for (const [from, to] of chunksOf(start(rank), end(rank), chunkElements)) {
      const reduced = await reduceChunk(from, to);
      if (kept) kept.part.set(reduced, from - start(rank));
      else data.set(reduced, from);
      await sending;
      if (!spread) continue;
      sending = operation.send(results, RESULTS, bytesOf(reduced));
      // Awaited above or below, unless reducing fails first, with the same failure.
      sending.catch(() => undefined);
    }
    await sending;
  }

  async function reduceChunk(from: number, to: number): Promise<NumericArray> {
    const reduced = emptyLike(data, to - from);
    for (let member = 0; member < operation.group.size; member += 1) {
      const input = inputs.get(member);
      if (input) {
        const copy = kept?.received?.[member]?.subarray(from - start(rank), to - start(rank));
        await combineFrom(operation, input, reduced, reduction, member === 0, copy);
      } else if (member === 0) reduced.set(data.subarray(from, to));
      else combineInto(reduced, data.subarray(from, to), reduction);
    }
    return reduced;
  }
}

/**
 * Combines the next `target.length` elements of a stream into `target`, however the sender cut them.
 * @param copy gets the elements as they came.
 */
export async function combineFrom(
  operation: Operation,
  input: InStream,
  target: NumericArray,
  reduction: ReduceOperation,
  replace: boolean,
  copy?: NumericArray,
): Promise<void> {
  const width = target.BYTES_PER_ELEMENT;
  for (let at = 0; at < target.length;) {
    const bytes = await operation.take(input, (target.length - at) * width);
    const operand = elementsOf(bytes, target);
    copy?.set(operand, at);
    if (replace) target.set(operand, at);
    else combineInto(target.subarray(at, at + operand.length), operand, reduction);
    at += operand.length;
  }
}

/** Copies a stream into `target` as it arrives, and on to the peers of `forward`. */
export async function receiveInto(
  operation: Operation,
  input: InStream,
  target: Uint8Array,
  forward?: (chunk: Uint8Array) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < target.length;) {
    const piece = await operation.take(input, operation.group.chunkBytes);
    target.set(piece, at);
    at += piece.length;
    if (forward) await forward(piece);
  }
}
