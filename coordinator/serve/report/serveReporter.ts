// Tells a coordinator how the applications of a server go, every two seconds while something changes. Nothing waits on it: a
// coordinator that is out of reach costs the server a line in the log.

import { messageOf } from '../../../shared/text/messageOf.ts';
import { delay, type Clock } from '../../../shared/clock.ts';
import type { ServingReports } from '../../core/serving/servingReports.ts';
import type { Log } from '../../log/log.ts';
import type { SeenServer } from './seenServer.ts';

const EVERY_MS = 2_000;
/** What does not change is told again after so long: a server that was killed is silent. */
const AGAIN_AFTER_MS = 30_000;
/** What a server that ends gives its coordinator. */
const MOST_WAIT_MS = 1_000;

export interface ServeReporterOptions {
  readonly reports: ServingReports;
  readonly clock: Clock;
  readonly log: Log;
  /** The server as it is now; undefined while it does not listen. */
  readonly look: () => SeenServer | undefined;
}

interface Told {
  readonly text: string;
  readonly atMs: number;
}

export class ServeReporter {
  readonly #options: ServeReporterOptions;
  readonly #told = new Map<string, Told>();
  #stopTimer: (() => void) | undefined;
  #sending: Promise<void> | undefined;
  #isLost = false;

  constructor(options: ServeReporterOptions) {
    this.#options = options;
  }

  /** Idempotent. */
  start(): void {
    if (this.#stopTimer) return;
    const again = (): void => {
      this.#stopTimer = this.#options.clock.after(EVERY_MS, () => {
        this.tellNow();
        again();
      });
    };
    again();
  }

  /** Without waiting for the next turn. One at a time: while the coordinator is slow, what would be told meanwhile is left out. */
  tellNow(): void {
    this.#sending ??= this.#tell().finally(() => (this.#sending = undefined));
  }

  /** Tells what there is to tell now, e.g. that the server ends, and nothing later. Never rejects, nor waits for long. */
  async stop(): Promise<void> {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    await this.#briefly(() => this.#tell());
  }

  /** The application was ended for good. Never rejects, nor waits for long. */
  async forget(name: string): Promise<void> {
    this.#told.delete(name);
    await this.#briefly(() => this.#try(() => this.#options.reports.forget(name)));
  }

  /** After what is on its way, as long as that takes no longer than a server's end may. */
  async #briefly(tell: () => Promise<unknown>): Promise<void> {
    const over = new AbortController();
    const told = (async (): Promise<void> => {
      await this.#sending;
      if (!over.signal.aborted) await tell();
    })();
    await Promise.race([told, delay(this.#options.clock, MOST_WAIT_MS, over.signal)]);
    over.abort();
  }

  async #tell(): Promise<void> {
    const { look, clock, reports } = this.#options;
    const seen = look();
    if (!seen) return;
    for (const [name, report] of seen.applications) {
      const text = JSON.stringify(report);
      const last = this.#told.get(name);
      const nowMs = clock.now();
      if (last?.text === text && nowMs - last.atMs < AGAIN_AFTER_MS) continue;
      const isTold = await this.#try(() => reports.report(name, report, seen.host));
      if (!isTold) return;
      this.#told.set(name, { text, atMs: nowMs });
    }
  }

  async #try(tell: () => Promise<void>): Promise<boolean> {
    try {
      await tell();
      this.#isLost = false;
      return true;
    } catch (error) {
      const message = `serve: the coordinator is not told how the applications go: ${messageOf(error)}`;
      // Once for each time that it is lost.
      if (!this.#isLost) this.#options.log({ level: 'warn', message });
      this.#isLost = true;
      return false;
    }
  }
}
