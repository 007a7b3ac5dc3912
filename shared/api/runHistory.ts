// What the API of a coordinator tells of what a run did, thinned to what a page can show. Other keys are left alone, so that
// a newer coordinator may say more.

import { z } from 'zod';
import { reportedEvent, roundTiming } from './runAnswers.ts';

/** Points of a metric, unless fewer or more are asked for. */
export const DEFAULT_CURVE_POINTS = 512;
export const MIN_CURVE_POINTS = 16;
export const MAX_CURVE_POINTS = 2_048;

/** Rounds behind it, value, and milliseconds since 1970 where they are known. */
const point = z.tuple([z.number(), z.number(), z.number().nullable()]);
export type ToldPoint = z.infer<typeof point>;

const toldCurve = z.looseObject({
  name: z.string(),
  /** Points that were recorded. */
  count: z.number(),
  first: point,
  last: point,
  lowest: point,
  highest: point,
  /** Oldest first: no more than were asked for. Lowest and highest values of neighbours remain. */
  points: z.array(point),
});
export type ToldCurve = z.infer<typeof toldCurve>;

export const curvesAnswer = z.looseObject({
  /** The last event that is told of here: what comes after it is to be asked for with `Last-Event-ID`. */
  sequence: z.number(),
  curves: z.array(toldCurve),
  /** Metrics beyond the first ones, of which there are too many. */
  leftOut: z.number(),
  /** The last rounds, oldest first, with what each worker did in them. */
  recent: z.array(
    z.looseObject({ round: z.number(), atMs: z.number().nullable(), timings: z.array(roundTiming) }),
  ),
});
export type CurvesAnswer = z.infer<typeof curvesAnswer>;

const toldEvent = z.looseObject({ sequence: z.number(), atMs: z.number().nullable(), event: reportedEvent });
export type ToldEvent = z.infer<typeof toldEvent>;

/** The events that are no rounds, oldest first. */
export const timelineAnswer = z.looseObject({
  events: z.array(toldEvent),
  /** Older events, of which there are too many. */
  leftOut: z.number(),
});
export type TimelineAnswer = z.infer<typeof timelineAnswer>;
