// Where the time of a run's last step went at the first rank: its ops, and what the group's exchange did meanwhile. It
// travels as JSON in a blob.

import { z } from 'zod';
import type { ProfileEntry } from '../trainingEngine.ts';
import { visibleLine } from '../../../kernels/visibleText.ts';
import { NeuralSpecError } from './readNeuralSpec.ts';

/** One bar of the timeline, in milliseconds from the start of the step. */
export interface TimelineEntry {
  /** Computing until a bucket was complete, adding it up over the members, or applying the sum. */
  readonly kind: 'backward' | 'exchange' | 'update';
  readonly bucket?: number | undefined;
  readonly startMs: number;
  readonly endMs: number;
  readonly bytes: number;
}

export interface StepProfile {
  readonly step: number;
  /** Empty where the device has no timestamps. */
  readonly ops: readonly ProfileEntry[];
  readonly timeline: readonly TimelineEntry[];
}

const MOST_ENTRIES = 50_000;
/** Read on a terminal. */
const name = z
  .string()
  .max(1_000)
  .transform((text) => visibleLine(text));
const amount = z.number().nonnegative();
const stepProfile = z.object({
  step: z.int().nonnegative(),
  ops: z
    .array(
      z.object({
        name,
        layer: name,
        phase: z.enum(['backward', 'forward', 'update']),
        startNs: amount,
        endNs: amount,
        flop: amount,
        bytes: amount,
      }),
    )
    .max(MOST_ENTRIES),
  timeline: z
    .array(
      z.object({
        kind: z.enum(['backward', 'exchange', 'update']),
        bucket: z.int().nonnegative().optional(),
        startMs: amount,
        endMs: amount,
        bytes: amount,
      }),
    )
    .max(MOST_ENTRIES),
});

/** @throws NeuralSpecError: another process wrote it. */
export function readStepProfile(bytes: Uint8Array): StepProfile {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new NeuralSpecError('profile: it is no JSON', { field: '' }, { cause });
  }
  const parsed = stepProfile.safeParse(value);
  if (parsed.success) return parsed.data;
  const field = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new NeuralSpecError(`profile: ${field}: ${parsed.error.issues[0]?.message}`, { field });
}

const lanes = { backward: 1, exchange: 2, update: 3 } as const;

/** JSON in the Trace Event Format: a lane for computing, one a bucket in flight, one for the update. */
export function timelineTrace({ step, timeline }: StepProfile): string {
  const names = Object.entries(lanes).map(([name, tid]) => ({
    name: 'thread_name',
    ph: 'M',
    pid: 1,
    tid,
    args: { name },
  }));
  const bars = timeline.map(({ kind, bucket, startMs, endMs, bytes }, at) => {
    const event = { name: bucket === undefined ? kind : `${kind} of bucket ${bucket}`, cat: kind, pid: 1 };
    const args = { step, bytes };
    const ts = startMs * 1e3;
    // Exchanges overlap one another: asynchronous events may, complete ones may not.
    if (kind !== 'exchange')
      return [{ ...event, ph: 'X', tid: lanes[kind], ts, dur: (endMs - startMs) * 1e3, args }];
    const pair = { ...event, tid: lanes.exchange, id: at };
    return [
      { ...pair, ph: 'b', ts, args },
      { ...pair, ph: 'e', ts: endMs * 1e3 },
    ];
  });
  return JSON.stringify({ traceEvents: [...names, ...bars.flat()], displayTimeUnit: 'ms' });
}
