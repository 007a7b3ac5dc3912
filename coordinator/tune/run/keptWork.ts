// Work that trials have in common is done once: by the first that asks, for all who ask for the same.

export class KeptWork<T> {
  readonly #kept: number;
  readonly #ids = new WeakMap<object, number>();
  readonly #results = new Map<string, Promise<T>>();
  #objects = 0;

  /** @param kept Results that stay; the oldest go first. */
  constructor(kept: number) {
    this.#kept = kept;
  }

  /** Tells objects apart that have no name. */
  idOf(object: object): number {
    const id = this.#ids.get(object) ?? ++this.#objects;
    this.#ids.set(object, id);
    return id;
  }

  /** What was done under this key, or is done now. Work that fails is forgotten. */
  async do(key: string, work: () => Promise<T>): Promise<{ readonly result: T; readonly isNew: boolean }> {
    const known = this.#results.get(key);
    if (known) return { result: await known, isNew: false };
    const working = work();
    this.#results.set(key, working);
    working.catch(() => this.#results.delete(key));
    const [oldest] = this.#results.keys();
    if (this.#results.size > this.#kept && oldest !== undefined) this.#results.delete(oldest);
    return { result: await working, isNew: true };
  }
}
