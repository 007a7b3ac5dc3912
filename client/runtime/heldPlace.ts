// Keeps in mind what a worker was told to hold, so that its volunteer can look at it.

import type { CoordinatorMessage } from '../../shared/protocol/control.ts';
import type { FetchBlob } from '../blobs/blobFetcher.ts';
import type { Assignment } from '../memberRun/memberRun.ts';
import { heldRowsOf, type HeldRows } from './heldRows.ts';
import type { Membership } from './membership.ts';

export class HeldPlace {
  /** The last one, while its run has this worker. */
  #place: Assignment | undefined;

  hear(message: CoordinatorMessage): void {
    if (message.type === 'assign') this.#place = message;
    if (message.type === 'release' && message.runId === this.#place?.runId) this.#place = undefined;
  }

  /**
   * @returns undefined while there is no run.
   * @throws BlobFetchError, AbortedError
   */
  async look(
    membership: Pick<Membership, 'welcome' | 'over'> | undefined,
    fetchBlob: FetchBlob,
  ): Promise<HeldRows | undefined> {
    if (!this.#place || !membership) return undefined;
    const { workerId, secret } = membership.welcome;
    const options = { signal: membership.over.signal, credentials: { workerId, secret } };
    return heldRowsOf(this.#place, (sha256, sizeBytes) =>
      fetchBlob(sha256, { ...options, ...(sizeBytes !== undefined && { sizeBytes }) }),
    );
  }
}
