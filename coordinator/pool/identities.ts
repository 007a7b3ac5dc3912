// Who a worker is over several sockets, and over several lives of the coordinator: an id with a secret that is made from
// it by a key, so that the key alone has to be kept.

import { createHmac } from 'node:crypto';
import type { WorkerMessageOf } from '../../shared/protocol/control.ts';
import { makeSecret, secretsEqual } from './secrets.ts';

const MAX_FORGOTTEN = 100_000;

export class Identities {
  readonly #key: string;
  /** Workers that were lost: should one come back after all, it is a new one, or those that it left would wonder. */
  readonly #forgotten = new Set<string>();

  constructor(key: string = makeSecret()) {
    this.#key = key;
  }

  secretOf(workerId: string): string {
    return createHmac('sha256', this.#key).update(workerId).digest('base64url');
  }

  /** The id that the worker got earlier, in another life of the coordinator too, if it proves that. */
  proven(identity: WorkerMessageOf<'hello'>['identity']): string | undefined {
    if (!identity || this.#forgotten.has(identity.workerId)) return undefined;
    return secretsEqual(identity.secret, this.secretOf(identity.workerId)) ? identity.workerId : undefined;
  }

  forget(workerId: string): void {
    if (this.#forgotten.size < MAX_FORGOTTEN) this.#forgotten.add(workerId);
  }
}
