// The bodies of all requests that are not answered yet, in one budget: what is arriving, in line, and with replicas. Over
// the budget the caller that holds most gives up its largest.

import { ByteBudget, type HeldBytes } from '../../bounds/byteBudget.ts';
import { shareOf } from '../../bounds/addressShares.ts';
import { OverloadedError } from '../request/serveErrors.ts';

/** Smaller bodies are not counted: so many of them as there are connections fit anyway. */
const COUNTED_FROM_BYTES = 16 * 1024;

export class HeldBodies {
  readonly #budget: ByteBudget;
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#budget = new ByteBudget({ maxBytes });
  }

  /** @param address whose body it is. @param giveUp told when the body has to go. */
  open(address: string, giveUp: (error: OverloadedError) => void): HeldBytes {
    let held: HeldBytes | undefined;
    let isOver = false;
    const evict = (): void =>
      giveUp(
        new OverloadedError(
          `The bodies of all requests in hand may have ${this.#maxBytes} bytes together, and this is one of the largest. Try again later.`,
          1,
        ),
      );
    return {
      set: (bytes) => {
        if (bytes < COUNTED_FROM_BYTES || isOver) return;
        held ??= this.#budget.open(shareOf(address), evict);
        held.set(bytes);
      },
      release: () => {
        isOver = true;
        held?.release();
      },
    };
  }
}
