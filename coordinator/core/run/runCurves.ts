// The curves of runs, thinned while the record is read. What was read is kept for a while, so that only the first look at
// a long run reads all of it. Memory does not grow with the rounds, and others are served between the pages.

import { setImmediate } from 'node:timers/promises';
import {
  MAX_CURVE_POINTS,
  type CurvesAnswer,
  type ToldCurve,
  type ToldPoint,
} from '../../../shared/api/runHistory.ts';
import { ThinnedCurve, type CurvePoint } from '../../../shared/run/thinnedCurve.ts';
import type { RunArchive } from './runArchive.ts';
import type { NumberedEvent } from './runRecord.ts';

/** Events read at a time: a few milliseconds of reading. */
const PAGE = 500;
/** Metrics of a run that are told of: their names come from its owner. */
const MAX_CURVES = 64;
/** Of all runs together; some 20 MB. */
const MAX_KEPT_CURVES = 128;
const MAX_RECENT = 24;

export interface CurvesWish {
  /** Of each metric, at most. */
  readonly points: number;
  /** Empty: all metrics. */
  readonly metrics: readonly string[];
}

type Archive = Pick<RunArchive, 'roundEvents'>;

export class RunCurves {
  readonly #archive: Archive;
  /** The longest unasked first. */
  readonly #kept = new Map<string, CurveReading>();

  constructor(archive: Archive) {
    this.#archive = archive;
  }

  /** All recorded rounds of a run. */
  async read(runId: string, wish: CurvesWish): Promise<CurvesAnswer> {
    const reading = this.#kept.get(runId) ?? new CurveReading(this.#archive, runId);
    this.#kept.delete(runId);
    this.#kept.set(runId, reading);
    try {
      await reading.catchUp();
    } catch (error) {
      this.#kept.delete(runId);
      throw error;
    }
    this.#forget(runId);
    return reading.answer(wish);
  }

  #forget(present: string): void {
    let curves = [...this.#kept.values()].reduce((sum, { size }) => sum + size, 0);
    for (const [runId, { size }] of this.#kept) {
      if (curves <= MAX_KEPT_CURVES) return;
      if (runId === present) continue;
      this.#kept.delete(runId);
      curves -= size;
    }
  }
}

class CurveReading {
  readonly #archive: Archive;
  readonly #runId: string;
  readonly #curves = new Map<string, ThinnedCurve>();
  readonly #leftOut = new Set<string>();
  #recent: CurvesAnswer['recent'] = [];
  #sequence = 0;
  /** One reads at a time; the others then find what it read. */
  #turn: Promise<void> = Promise.resolve();

  constructor(archive: Archive, runId: string) {
    this.#archive = archive;
    this.#runId = runId;
  }

  get size(): number {
    return this.#curves.size;
  }

  catchUp(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#read());
    return this.#turn;
  }

  async #read(): Promise<void> {
    for (;;) {
      const page = await this.#archive.roundEvents(this.#runId, this.#sequence, PAGE);
      for (const event of page) this.#add(event);
      if (page.length < PAGE) return;
      await setImmediate();
    }
  }

  #add({ sequence, event, atMs }: NumberedEvent): void {
    this.#sequence = sequence;
    if (event.type !== 'round') return;
    const { round, metrics, timings } = event;
    for (const [name, value] of Object.entries(metrics)) {
      let curve = this.#curves.get(name);
      if (!curve && this.#curves.size < MAX_CURVES) {
        this.#curves.set(name, (curve = new ThinnedCurve(MAX_CURVE_POINTS)));
      }
      if (curve) curve.add(atMs === undefined ? { at: round + 1, value } : { at: round + 1, value, atMs });
      else if (this.#leftOut.size < MAX_CURVES) this.#leftOut.add(name);
    }
    this.#recent.push({ round, atMs: atMs ?? null, timings: [...timings] });
    if (this.#recent.length > MAX_RECENT) this.#recent.shift();
  }

  answer({ points, metrics }: CurvesWish): CurvesAnswer {
    const names = metrics.length === 0 ? [...this.#curves.keys()] : [...new Set(metrics)];
    return {
      sequence: this.#sequence,
      curves: names.flatMap((name) => told(name, this.#curves.get(name), points)),
      leftOut: this.#leftOut.size,
      recent: [...this.#recent],
    };
  }
}

function told(name: string, curve: ThinnedCurve | undefined, maxPoints: number): ToldCurve[] {
  if (!curve) return [];
  const { count, first, last, lowest, highest } = curve;
  if (!first || !last || !lowest || !highest) return [];
  const fewer = new ThinnedCurve(maxPoints);
  for (const point of curve.points()) fewer.add(point);
  return [
    {
      name,
      count,
      first: toldPoint(first),
      last: toldPoint(last),
      lowest: toldPoint(lowest),
      highest: toldPoint(highest),
      points: fewer.points().map(toldPoint),
    },
  ];
}

function toldPoint({ at, value, atMs }: CurvePoint): ToldPoint {
  return [at, value, atMs ?? null];
}
