// How far `tabgrad predict` has come: rows, rate, time left and workers, on a live line or as JSON for scripts.

import type { PoolChecks, PoolStatus } from '../data/operators/poolStatus.ts';
import { Throttle } from '../../shared/throttle.ts';
import { LiveLines } from '../progress/liveLines.ts';
import { formatCount, formatDuration, formatShort } from '../progress/formatNumbers.ts';
import { visibleOutput, type TextOutput, type VisibleOutput } from '../log/textOutput.ts';

export interface PredictProgressOptions {
  readonly stream: TextOutput;
  readonly mode: 'live' | 'json' | 'none';
  /** Rows in all, where that is known beforehand. */
  readonly totalRows: number | undefined;
  readonly now: () => number;
}

const REDRAW_MS = 100;
const REPORT_MS = 1_000;

export class PredictProgress {
  readonly #options: PredictProgressOptions;
  readonly #output: VisibleOutput;
  readonly #live: LiveLines;
  readonly #shows: Throttle;
  readonly #startedAt: number;
  #rows = 0;
  #pool: PoolStatus | undefined;

  constructor(options: PredictProgressOptions) {
    this.#options = options;
    this.#output = visibleOutput(options.stream);
    this.#live = new LiveLines(this.#output);
    this.#startedAt = options.now();
    this.#shows = new Throttle(options.mode === 'json' ? REPORT_MS : REDRAW_MS, options.now);
    this.#shows.done();
  }

  predicted(rows: number): void {
    this.#rows += rows;
    this.#show();
  }

  poolIs(pool: PoolStatus): void {
    const isNew = pool.waiting !== this.#pool?.waiting || pool.workers.length !== this.#pool?.workers.length;
    this.#pool = pool;
    if (isNew) this.#shows.reset();
    this.#show();
  }

  /** What came of checks of strangers; undefined where none of them lied. */
  get lies(): PoolChecks | undefined {
    const { checks } = this.#pool ?? {};
    return checks && checks.liars.length > 0 ? checks : undefined;
  }

  /** Takes the live line away. */
  close(): void {
    this.#live.erase();
  }

  #show(): void {
    const { mode } = this.#options;
    if (mode === 'none' || !this.#shows.isDue) return;
    this.#shows.done();
    if (mode === 'json') this.#output.write(`${JSON.stringify(this.#report())}\n`);
    else this.#live.show([this.#line()]);
  }

  /** A worker may run the program twice, where it has the cores. */
  get #workers(): ReadonlySet<string> {
    return new Set(this.#pool?.workers.map(({ workerId }) => workerId));
  }

  get #rowsPerSecond(): number {
    const elapsedMs = this.#options.now() - this.#startedAt;
    return elapsedMs > 0 ? (1000 * this.#rows) / elapsedMs : 0;
  }

  #report(): object {
    const { totalRows } = this.#options;
    return {
      type: 'predicting',
      rows: this.#rows,
      ...(totalRows !== undefined && { totalRows }),
      rowsPerSecond: Math.round(this.#rowsPerSecond),
      ...(this.#pool && { workers: [...this.#workers] }),
      ...(this.#pool && this.#pool.checks.rows > 0 && { checkedRows: this.#pool.checks.rows }),
      ...(this.lies && { liars: this.lies.liars }),
      ...(this.#pool?.waiting !== undefined && { waiting: this.#pool.waiting }),
    };
  }

  #line(): string {
    const { totalRows } = this.#options;
    const rate = this.#rowsPerSecond;
    const parts = [totalRows === undefined ? `${formatCount(this.#rows)} rows` : ''];
    if (totalRows !== undefined) parts[0] = `${formatCount(this.#rows)} of ${formatCount(totalRows)} rows`;
    if (this.#rows > 0) parts.push(`${formatShort(rate)} rows/s`);
    if (totalRows !== undefined && rate > 0)
      parts.push(`${formatDuration((1000 * Math.max(0, totalRows - this.#rows)) / rate)} left`);
    if (this.#pool) {
      const { size } = this.#workers;
      parts.push(`${size} ${size === 1 ? 'worker' : 'workers'}`);
    }
    if (this.lies) parts.push(`${this.lies.liars.length} banned for a lie`);
    if (this.#pool?.waiting !== undefined) parts.push(this.#pool.waiting);
    return parts.join('  ');
  }
}
