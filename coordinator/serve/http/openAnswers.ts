// The answers that are being written, so that shutting down can let them get out.

import type { ServerResponse } from 'node:http';
import type { Clock } from '../../../shared/clock.ts';

export class OpenAnswers {
  readonly #open = new Set<ServerResponse>();
  #whenNone: (() => void) | undefined;

  add(response: ServerResponse): void {
    this.#open.add(response);
    response.once('close', () => {
      this.#open.delete(response);
      if (this.#open.size === 0) this.#whenNone?.();
    });
  }

  /** Resolves when all are written, or after `timeoutMs`: a caller may read slowly, or not at all. */
  async written(clock: Clock, timeoutMs: number): Promise<void> {
    if (this.#open.size === 0) return;
    let stopTimer = (): void => undefined;
    await new Promise<void>((resolve) => {
      this.#whenNone = resolve;
      stopTimer = clock.after(timeoutMs, resolve);
    });
    this.#whenNone = undefined;
    stopTimer();
  }
}
