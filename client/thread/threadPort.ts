// The thread that an owner's code runs in, from both of its ends. Both are of one version and one process, so what they say
// to each other are plain values: program/threadMessages.ts and ownerLoop/loopMessages.ts have them.

/** The thread's end of the port between the two. */
export interface ThreadPort {
  /** @param transfer memory that is given away. */
  post(message: unknown, transfer: readonly ArrayBuffer[]): void;
  onMessage(receive: (message: unknown) => void): void;
  /** Ends the thread from inside. */
  end(): void;
}

/** The thread as the worker's main thread has it. */
export interface OwnerThread {
  post(message: unknown, transfer: readonly ArrayBuffer[]): void;
  /** Resolves with how it ended, by itself or terminated. Never rejects. */
  readonly ended: Promise<string>;
  /**
   * @param how at once; or gently, for what computes on a GPU: it is asked to end itself (`EndThread`), and ended at once only
   *   when it does not. Where ending it at once does no harm, it always is.
   */
  terminate(how: 'at once' | 'gently'): void;
}

/** To end by itself, once nothing is in hand. */
export interface EndThread {
  readonly type: 'end';
}

export type OpenOwnerThread = (onMessage: (message: unknown) => void) => OwnerThread;
