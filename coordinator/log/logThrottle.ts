// Keeps a log readable while somebody floods it: of what comes in great numbers the first entries are written, and the rest
// is told in one entry with its number. A function of values: time and output are the writer's.

import type { LogEntry } from './log.ts';

export interface ThrottleLimits {
  /** Entries that are written of one kind and source in a window. */
  readonly perSource: number;
  /** Entries that are written of one kind in a window, whatever their source. */
  readonly perKind: number;
  /** Sources that are told apart; all further ones count as one. */
  readonly maxSources: number;
  /** Entries that tell numbers at the end of a window. */
  readonly maxSummaries: number;
}

const DEFAULT_LIMITS: ThrottleLimits = { perSource: 3, perKind: 30, maxSources: 256, maxSummaries: 20 };

interface Counted {
  readonly entry: LogEntry;
  readonly source: string | undefined;
  written: number;
  withheld: number;
}

export class LogThrottle {
  readonly #limits: ThrottleLimits;
  readonly #writtenOfKind = new Map<string, number>();
  readonly #counted = new Map<string, Counted>();

  constructor(limits: Partial<ThrottleLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** Whether the entry is to be written; if not, it counts. */
  admits(entry: LogEntry): boolean {
    const { perSource, perKind } = this.#limits;
    const kind = entry.kind ?? entry.level;
    const counted = this.#countedOf(kind, entry);
    const ofKind = this.#writtenOfKind.get(kind) ?? 0;
    if (counted.written >= perSource || ofKind >= perKind) {
      counted.withheld += 1;
      return false;
    }
    counted.written += 1;
    this.#writtenOfKind.set(kind, ofKind + 1);
    return true;
  }

  /**
   * Ends a window.
   * @param windowMs how long it was.
   * @returns an entry for each source of which some were withheld, those with the most first.
   */
  endWindow(windowMs: number): LogEntry[] {
    const withheld = [...this.#counted.values()]
      .filter((counted) => counted.withheld > 0)
      .sort((a, b) => b.withheld - a.withheld);
    this.#counted.clear();
    this.#writtenOfKind.clear();
    const within = `in ${Math.round(windowMs / 1000)} s`;
    const told = withheld.slice(0, this.#limits.maxSummaries);
    const summaries = told.map(({ entry, source, withheld: count }): LogEntry => {
      const from = source === undefined ? '' : ` from ${source}`;
      return { ...entry, message: `${count} more like this${from} ${within}: ${entry.message}` };
    });
    const rest = withheld.slice(told.length);
    if (rest.length === 0) return summaries;
    const count = rest.reduce((sum, one) => sum + one.withheld, 0);
    return [
      ...summaries,
      { level: 'warn', message: `${count} more entries from ${rest.length} others ${within}` },
    ];
  }

  #countedOf(kind: string, entry: LogEntry): Counted {
    // What has no kind is like what has the same words.
    const source = entry.source ?? (entry.kind === undefined ? entry.message : '');
    const key = `${kind}\n${source}`;
    const known = this.#counted.get(key);
    if (known) return known;
    const isFull = this.#counted.size >= this.#limits.maxSources;
    const shared = isFull ? this.#counted.get(kind) : undefined;
    if (shared) return shared;
    const counted = { entry, source: isFull ? 'others' : entry.source, written: 0, withheld: 0 };
    this.#counted.set(isFull ? kind : key, counted);
    return counted;
  }
}
