// What is known of a run: its curves, thinned as they grow, what happened, and what each worker did in the last rounds. Read
// once, then told on event by event.

import type { CurvesAnswer, TimelineAnswer, ToldEvent, ToldPoint } from '../../../shared/api/runHistory.ts';
import type { ReportedEvent } from '../../../shared/api/runAnswers.ts';
import { ThinnedCurve, type CurvePoint } from '../../../shared/run/thinnedCurve.ts';
import type { FollowedEvent } from '../owner/api.browser.ts';

/** Points of a curve, and so of each line that is drawn. */
export const CURVE_POINTS = 512;
/** Lines at most: names come from the run's owner. */
const MAX_CURVES = 64;
const MAX_EVENTS = 2_000;
const MAX_RECENT = 24;

export type RecentRound = CurvesAnswer['recent'][number];

export class RunHistory {
  readonly #curves = new Map<string, ThinnedCurve>();
  #events: ToldEvent[] = [];
  #recent: RecentRound[] = [];
  /** The last event that is told of here. */
  #sequence = 0;
  #eventSequence = 0;
  /** Older events that are not shown. */
  #leftOut = 0;
  #loading: Extract<ReportedEvent, { type: 'loading' }> | undefined;

  constructor(curves?: CurvesAnswer, timeline?: TimelineAnswer) {
    if (curves) {
      for (const { name, points } of curves.curves) {
        const curve = new ThinnedCurve(CURVE_POINTS);
        for (const told of points) curve.add(pointOf(told));
        this.#curves.set(name, curve);
      }
      this.#recent = [...curves.recent];
      this.#sequence = curves.sequence;
    }
    if (!timeline) return;
    this.#events = [...timeline.events];
    this.#leftOut = timeline.leftOut;
    this.#eventSequence = timeline.events.at(-1)?.sequence ?? 0;
  }

  /** Where events are to be followed from. */
  get sequence(): number {
    return this.#sequence;
  }

  get names(): readonly string[] {
    return [...this.#curves.keys()];
  }

  get events(): readonly ToldEvent[] {
    return this.#events;
  }

  get leftOut(): number {
    return this.#leftOut;
  }

  /** The last rounds, oldest first. */
  get recent(): readonly RecentRound[] {
    return this.#recent;
  }

  get loading(): Extract<ReportedEvent, { type: 'loading' }> | undefined {
    return this.#loading;
  }

  /** Its end is known, and all that was before it: the timeline may have been read later than the curves. */
  get isOver(): boolean {
    const last = this.#events.at(-1);
    return last?.event.type === 'end' && this.#sequence >= last.sequence;
  }

  curve(name: string): ThinnedCurve | undefined {
    return this.#curves.get(name);
  }

  /** Rounds a second, over the last ones; undefined before there are two with times. */
  get pace(): number | undefined {
    const [first, last] = [this.#recent[0], this.#recent.at(-1)];
    if (!first?.atMs || !last?.atMs || last.atMs <= first.atMs) return undefined;
    return ((last.round - first.round) / (last.atMs - first.atMs)) * 1000;
  }

  /** Takes an event; one that is known already changes nothing. */
  add({ sequence, event: { atMs: knownAtMs, ...event } }: FollowedEvent): void {
    const atMs = knownAtMs ?? null;
    if (event.type === 'loading') {
      this.#loading = event;
      return;
    }
    if (sequence === undefined || sequence <= this.#sequence) return;
    this.#sequence = sequence;
    this.#loading = undefined;
    if (event.type === 'round') this.#addRound(event, atMs);
    else if (sequence > this.#eventSequence) this.#addEvent({ sequence, atMs, event });
  }

  #addRound(
    { round, metrics, timings }: Extract<ReportedEvent, { type: 'round' }>,
    atMs: number | null,
  ): void {
    for (const [name, value] of Object.entries(metrics)) {
      let curve = this.#curves.get(name);
      if (!curve && this.#curves.size < MAX_CURVES) {
        this.#curves.set(name, (curve = new ThinnedCurve(CURVE_POINTS)));
      }
      curve?.add(pointOf([round + 1, value, atMs]));
    }
    this.#recent.push({ round, atMs, timings });
    if (this.#recent.length > MAX_RECENT) this.#recent.shift();
  }

  #addEvent(told: ToldEvent): void {
    this.#eventSequence = told.sequence;
    this.#events.push(told);
    if (this.#events.length <= MAX_EVENTS) return;
    this.#events.shift();
    this.#leftOut += 1;
  }
}

function pointOf([at, value, atMs]: ToldPoint): CurvePoint {
  return atMs === null ? { at, value } : { at, value, atMs };
}
