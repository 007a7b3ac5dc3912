// Who took part in a run, and when: a lane a worker, a span for each group that it was in.

import type { ToldEvent } from '../../../shared/api/runHistory.ts';

interface Span {
  readonly generation: number;
  /** In the unit of the axis. */
  readonly from: number;
  readonly to: number;
  readonly rows: number;
}

export interface Lane {
  readonly workerId: string;
  readonly runtime: string;
  readonly spans: readonly Span[];
  readonly joined: readonly number[];
  readonly lost: readonly { readonly at: number; readonly reason: string }[];
}

export interface Lanes {
  /** Milliseconds since 1970 where all events have their time; else the numbers of the events. */
  readonly unit: 'event' | 'time';
  readonly from: number;
  readonly to: number;
  /** Those that took part first stand first. */
  readonly lanes: readonly Lane[];
  /** Workers beyond the first ones. */
  readonly leftOut: number;
  /** Where a new group began. */
  readonly groups: readonly { readonly generation: number; readonly at: number }[];
  readonly checkpoints: readonly { readonly rounds: number; readonly at: number }[];
}

interface OpenLane {
  readonly workerId: string;
  readonly runtime: string;
  readonly spans: Span[];
  readonly joined: number[];
  readonly lost: { at: number; reason: string }[];
  open: Omit<Span, 'to'> | undefined;
}

/** @param nowMs where the spans of a run that goes on end. */
export function lanesOf(events: readonly ToldEvent[], nowMs: number, mostLanes: number): Lanes | undefined {
  const [first, last] = [events[0], events.at(-1)];
  if (!first || !last) return undefined;
  const unit = events.every(({ atMs }) => atMs !== null) ? 'time' : 'event';
  const placeOf = ({ atMs, sequence }: ToldEvent): number => (unit === 'time' ? atMs! : sequence);
  const lanes = new Map<string, OpenLane>();
  const groups: { generation: number; at: number }[] = [];
  const checkpoints: { rounds: number; at: number }[] = [];
  const laneOf = (workerId: string, runtime = ''): OpenLane => {
    let lane = lanes.get(workerId);
    if (!lane) {
      lane = { workerId, runtime, spans: [], joined: [], lost: [], open: undefined };
      lanes.set(workerId, lane);
    }
    return lane;
  };
  const close = (lane: OpenLane, to: number): void => {
    if (lane.open) lane.spans.push({ ...lane.open, to });
    lane.open = undefined;
  };
  for (const told of events) {
    const { event } = told;
    const at = placeOf(told);
    if (event.type === 'group') {
      groups.push({ generation: event.generation, at });
      for (const lane of lanes.values()) close(lane, at);
      for (const { workerId, runtime, rows } of event.workers) {
        laneOf(workerId, runtime).open = { generation: event.generation, from: at, rows };
      }
    } else if (event.type === 'workerJoined') laneOf(event.workerId).joined.push(at);
    else if (event.type === 'workerLost') {
      const lane = laneOf(event.workerId);
      close(lane, at);
      lane.lost.push({ at, reason: event.reason });
    } else if (event.type === 'checkpoint') checkpoints.push({ rounds: event.rounds, at });
  }
  const isOver = last.event.type === 'end';
  const from = placeOf(first);
  const to = Math.max(from + 1, isOver || unit === 'event' ? placeOf(last) : Math.max(nowMs, placeOf(last)));
  for (const lane of lanes.values()) close(lane, to);
  const all: Lane[] = [...lanes.values()];
  return {
    unit,
    from,
    to,
    lanes: all.slice(0, mostLanes),
    leftOut: Math.max(0, all.length - mostLanes),
    groups,
    checkpoints,
  };
}

/** A place as a share of the whole, in [0, 1]. */
export function shareOf({ from, to }: Pick<Lanes, 'from' | 'to'>, place: number): number {
  return Math.min(1, Math.max(0, (place - from) / (to - from)));
}
