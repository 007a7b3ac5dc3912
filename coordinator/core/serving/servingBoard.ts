// What servers tell of their applications: the last word of each, the last hour in memory, and the last state in the record.

import type { ServingPoint, ServingReport, ToldApplication } from '../../../shared/api/servingAnswers.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import type { Log } from '../../log/log.ts';
import type { HeardReport } from '../store/heardReport.ts';
import { POINT_SECONDS, ServingHistory } from './servingHistory.ts';

/** Applications that are kept; of more, those that were heard least lately go. */
export const MAX_APPLICATIONS = 100;
/** Servers tell of themselves every thirty seconds, at the least. */
const SILENT_AFTER_MS = 95_000;
/** Counters alone are written to the record no more often than this. */
const SAVE_EVERY_MS = 60_000;

export interface ServingBoardOptions {
  readonly store: {
    save(name: string, heard: HeardReport): Promise<void>;
    remove(name: string): Promise<void>;
    all(limit: number): Promise<Map<string, HeardReport>>;
  };
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly date: () => number;
}

interface Entry {
  heard: HeardReport;
  savedAtMs: number;
  readonly history: ServingHistory;
}

export class ServingBoard {
  readonly #options: ServingBoardOptions;
  readonly #entries = new Map<string, Entry>();

  private constructor(options: ServingBoardOptions) {
    this.#options = options;
  }

  /** With what the record knows of earlier lives. */
  static async open(options: ServingBoardOptions): Promise<ServingBoard> {
    const board = new ServingBoard(options);
    for (const [name, heard] of await options.store.all(MAX_APPLICATIONS)) {
      board.#entries.set(name, { heard, savedAtMs: heard.heardAtMs, history: new ServingHistory() });
    }
    return board;
  }

  /** Resolves when it is recorded, where it is; what can not be recorded is logged. */
  async hear(name: string, report: ServingReport, address: string): Promise<void> {
    const heardAtMs = this.#options.date();
    const heard = { report, address, heardAtMs };
    const before = this.#entries.get(name);
    const entry = before ?? { heard, savedAtMs: 0, history: new ServingHistory() };
    const isOther =
      before === undefined ||
      stateOf(before.heard) !== stateOf(heard) ||
      heardAtMs - entry.savedAtMs >= SAVE_EVERY_MS;
    entry.heard = heard;
    entry.history.add(report, heardAtMs);
    this.#entries.set(name, entry);
    this.#makeRoom();
    if (!isOther) return;
    entry.savedAtMs = heardAtMs;
    await this.#try(() => this.#options.store.save(name, heard));
  }

  async forget(name: string): Promise<void> {
    this.#entries.delete(name);
    await this.#try(() => this.#options.store.remove(name));
  }

  /** Where the server of an application is, as it was heard last. */
  heard(name: string): HeardReport | undefined {
    return this.#entries.get(name)?.heard;
  }

  points(name: string): ServingPoint[] {
    return this.#entries.get(name)?.history.points(this.#options.date()) ?? [];
  }

  readonly pointSeconds = POINT_SECONDS;

  /** All of them, by name. */
  applications(): ToldApplication[] {
    const nowMs = this.#options.date();
    return [...this.#entries]
      .map(([name, { heard, history }]): ToldApplication => {
        const { report, heardAtMs } = heard;
        const isSilent = report.status === 'running' && nowMs - heardAtMs > SILENT_AFTER_MS;
        return {
          name,
          routePrefix: report.routePrefix,
          status: isSilent ? 'silent' : report.status,
          message: '',
          heardAtMs,
          report,
          recent: history.recent(nowMs),
        };
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #makeRoom(): void {
    if (this.#entries.size <= MAX_APPLICATIONS) return;
    const [oldest] = [...this.#entries].sort(([, a], [, b]) => a.heard.heardAtMs - b.heard.heardAtMs);
    if (oldest) void this.forget(oldest[0]);
  }

  async #try(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      this.#options.log({ level: 'warn', message: `serving: ${messageOf(error)}` });
    }
  }
}

/** What of a report is more than counters. */
function stateOf({ report }: HeardReport): string {
  const { serverId, status, url, version, isReady, deployments } = report;
  const replicas = deployments.map(({ status: state, replicas: all }) => [
    state,
    all.map((replica) => [replica.id, replica.state]),
  ]);
  return JSON.stringify([serverId, status, url, version, isReady, replicas]);
}
