// Tells the coordinator what the state is at this member. All members do, so that none decides alone what is kept; the
// first rank stores it.

import { sha256Hex } from '../../blobs/sha256Hex.ts';
import type { GenerationContext } from '../../memberRun/memberRun.ts';

/**
 * @param rounds that the state has behind it.
 * @param bytes in the form in which it is stored.
 * @throws what storing throws.
 */
export async function tellState(
  { environment, generation, rank, signal }: GenerationContext,
  runId: string,
  rounds: number,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const isStored = rank === 0;
  const address = isStored
    ? await environment.putBlob(bytes, signal)
    : { sha256: await sha256Hex(bytes), sizeBytes: bytes.byteLength };
  environment.send({ type: isStored ? 'saved' : 'state', runId, generation, rounds, ...address });
}
