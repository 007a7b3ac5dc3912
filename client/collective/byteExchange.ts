// Moving bytes unchanged: everybody to everybody, and one to all.

import { FrameInvalidError } from '../../shared/wire/frame.ts';
import { receiveInto } from './directReduce.ts';
import type { InStream } from './inStream.ts';
import type { Operation } from './operation.ts';
import type { BroadcastPlace } from './partition.ts';
import { Tasks } from './tasks.ts';

const BYTES = 0;
/**
 * @param outgoing What each rank gets.
 * @param maxBytes What each rank may send.
 * @returns What each rank sent here, in rank order; the own entry is passed through.
 */
export async function exchangeBytes(
  operation: Operation,
  outgoing: readonly Uint8Array[],
  maxBytes: number,
): Promise<Uint8Array[]> {
  const received = outgoing.map((own) => own);
  const tasks = new Tasks();
  for (const other of operation.others()) {
    const bytes = outgoing[other] as Uint8Array;
    const input = operation.input(other, BYTES, undefined);
    tasks.add(operation.sendAll(other, operation.output(other, BYTES, bytes.length), BYTES, bytes));
    tasks.add(
      receiveAll(operation, input, maxBytes).then((all) => {
        received[other] = all;
      }),
    );
  }
  await tasks.done();
  return received;
}

/** @param bytes What the root sends; ignored elsewhere. @param maxBytes What the root may send. */
export async function broadcastBytes(
  operation: Operation,
  bytes: Uint8Array,
  place: BroadcastPlace,
  maxBytes: number,
): Promise<Uint8Array> {
  if (place.parent === undefined) {
    const tasks = new Tasks();
    for (const child of place.children) {
      const output = operation.output(child, BYTES, bytes.length);
      tasks.add(operation.sendAll(child, output, BYTES, bytes));
    }
    await tasks.done();
    return bytes;
  }
  const input = operation.input(place.parent, BYTES, undefined);
  const totalBytes = await announcedBytes(operation, input, maxBytes);
  const outputs = place.children.map((child) => [child, operation.output(child, BYTES, totalBytes)] as const);
  const forward = (chunk: Uint8Array): Promise<void> =>
    operation.send(
      outputs.map(([child, output]) => [child, output]),
      BYTES,
      chunk,
    );
  const all = new Uint8Array(totalBytes);
  if (totalBytes === 0) await forward(all);
  await receiveInto(operation, input, all, forward);
  return all;
}

async function receiveAll(operation: Operation, input: InStream, maxBytes: number): Promise<Uint8Array> {
  const all = new Uint8Array(await announcedBytes(operation, input, maxBytes));
  await receiveInto(operation, input, all);
  return all;
}

/** Waits for the first frame, which tells how long the stream is. */
async function announcedBytes(operation: Operation, input: InStream, maxBytes: number): Promise<number> {
  await operation.arrival(input);
  const totalBytes = input.totalBytes ?? 0;
  if (totalBytes <= maxBytes) return totalBytes;
  throw new FrameInvalidError(
    `Peer ${input.peer} announces ${totalBytes} bytes, at most ${maxBytes} are taken.`,
    {
      peer: input.peer,
    },
  );
}
