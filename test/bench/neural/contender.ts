/** One work of a comparison, done again and again. */
export interface Contender {
  readonly once: () => Promise<unknown>;
  readonly close: () => Promise<unknown>;
}
