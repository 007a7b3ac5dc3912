// What workers are given besides their secret, each good for one thing alone. All of it is made from the key that the
// coordinator keeps, so that it is the same after a restart and nothing more has to be stored.

import { createHmac, hkdfSync } from 'node:crypto';

const KEY_BYTES = 32;

export class WorkerKeys {
  readonly #signalling: Buffer;
  readonly #links: Buffer;

  /** @param rootKey kept for as long as workers shall be known again. */
  constructor(rootKey: string) {
    // Keys of their own (RFC 5869): a code made for one purpose never fits another, whatever it is made over.
    const derive = (purpose: string): Buffer =>
      Buffer.from(hkdfSync('sha256', rootKey, '', `tabgrad ${purpose}`, KEY_BYTES));
    this.#signalling = derive('signalling');
    this.#links = derive('links');
  }

  /** Lets the worker have its place at the signalling server. It is in an address, which proxies may log. */
  signallingToken(workerId: string): string {
    return code(this.#signalling, workerId);
  }

  /** For each member of a generation its keys with the others, by their ids. A key is known to the two of a pair alone. */
  linkKeys(
    runId: string,
    generation: number,
    members: readonly string[],
  ): Map<string, Record<string, string>> {
    const keys = new Map<string, Record<string, string>>(members.map((member) => [member, {}]));
    const ordered = [...members].sort();
    for (const [at, lower] of ordered.entries()) {
      for (const higher of ordered.slice(at + 1)) {
        const key = code(this.#links, JSON.stringify([runId, generation, lower, higher]));
        Object.assign(keys.get(lower) ?? {}, { [higher]: key });
        Object.assign(keys.get(higher) ?? {}, { [lower]: key });
      }
    }
    return keys;
  }
}

function code(key: Buffer, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url');
}
