// Arrow's IPC stream: messages one after the other, each behind its length. Written so that bytes may come at once or in
// pieces: it says how many it needs next.

import type * as arrow from 'apache-arrow';
import type { IpcDecoder } from './ipcDecoder.ts';
import { readIpcMessage } from './ipcMessage.ts';

const CONTINUATION = -1;

/**
 * Yields the number of bytes that it needs next, which are passed to `next` (undefined where the stream has ended), and
 * the batches.
 * @param left bytes that may still come: nothing longer is asked for.
 * @throws Error where the stream is damaged or cut off.
 */
export function* ipcBatches(
  decoder: IpcDecoder,
  left: () => number,
): Generator<number | arrow.RecordBatch, void, Uint8Array | undefined> {
  const take = function* (size: number): Generator<number, Uint8Array, Uint8Array | undefined> {
    const bytes = size <= left() ? yield size : undefined;
    if (bytes === undefined) throw new Error(`it is cut off: ${size} bytes are said to follow, ${left()} do`);
    return bytes;
  };
  for (;;) {
    if (left() < 4) return;
    let length = int32(yield* take(4));
    // Old writers have no mark before the length.
    if (length === CONTINUATION) length = int32(yield* take(4));
    if (length === 0) return;
    if (length < 0) throw new Error(`a message of ${length} bytes`);
    const message = readIpcMessage(yield* take(length));
    const batch = decoder.take(
      message,
      message.bodyBytes === 0 ? new Uint8Array(0) : yield* take(message.bodyBytes),
    );
    if (batch !== undefined) yield batch;
  }
}

function int32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true);
}
