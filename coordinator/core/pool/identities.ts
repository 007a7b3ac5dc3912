// Who a worker is over several sockets, and over several lives of the coordinator: an id with a secret that is made from
// it by a key, so that the key alone has to be kept. The join token goes into the secret too: who joined by a token that
// is not in force any more has to join again.

import { createHash, createHmac } from 'node:crypto';
import type { WorkerMessageOf } from '../../../shared/protocol/control.ts';
import { makeSecret, secretsEqual } from './secrets.ts';

export class Identities {
  readonly #key: string;

  constructor(key: string = makeSecret()) {
    this.#key = key;
  }

  /** @param joinToken by which the worker joined. */
  secretOf(workerId: string, joinToken: string): string {
    const binding = createHash('sha256').update(joinToken).digest();
    return createHmac('sha256', this.#key).update(binding).update(workerId).digest('base64url');
  }

  /** The one of `joinTokens` by which the worker got the identity, if it proves to have it. */
  provenBy(
    { workerId, secret }: NonNullable<WorkerMessageOf<'hello'>['identity']>,
    joinTokens: readonly string[],
  ): string | undefined {
    return joinTokens.find((token) => secretsEqual(secret, this.secretOf(workerId, token)));
  }
}
