// What a worker's main thread and the thread of an owner's loop say to each other. The loop asks; the main thread, which has
// the links, the rows and the record, answers. What comes from the thread is checked: an owner's code can send anything.

import { z } from 'zod';
import type { DeviceKind } from '../../kernels/deviceKinds.ts';
import type { EndThread } from '../thread/threadPort.ts';

/** The owner's code, fetched. */
export type LoopSource =
  | { readonly kind: 'text'; readonly source: string }
  | { readonly kind: 'module'; readonly source: string; readonly exportName: string };

/** The first message: what kind of loop it is, and its code. */
export interface LoopStart {
  readonly type: 'startLoop';
  /** Rounds of trees, or tensors with tfjs on that device. */
  readonly kind: { readonly name: 'rounds' } | { readonly name: 'tensors'; readonly device: DeviceKind };
  readonly code: LoopSource;
}

/** What a loop over rounds knows from the beginning. */
export interface RoundsPlace {
  readonly rank: number;
  readonly size: number;
  readonly numBoostRound: number;
  readonly datasetRows: Readonly<Record<string, number>>;
  readonly round: number;
  readonly metrics: Readonly<Record<string, number>> | undefined;
}

/** What a loop over tensors knows from the beginning. */
export interface TensorsPlace {
  readonly rank: number;
  readonly size: number;
  readonly reports: number;
  /** Rows by dataset. */
  readonly datasetRows: Readonly<Record<string, number>>;
  /** Packed files. */
  readonly checkpoint: Uint8Array | undefined;
}

export type LoopPlace = RoundsPlace | TensorsPlace;

export type ToLoopThread =
  | LoopStart
  | EndThread
  /** Calls the loop; once. */
  | { readonly type: 'call'; readonly config: unknown; readonly place: LoopPlace }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'refused'; readonly id: number; readonly error: PlainError };

const shortText = z.string().max(4000);
/** An error as it travels between the threads. */
const plainError = z.object({
  name: z.string().max(100),
  message: shortText,
  code: z.string().max(64).optional(),
  stack: z.string().max(16_000).optional(),
});
export type PlainError = Readonly<z.infer<typeof plainError>>;

export const fromLoopThread = z.discriminatedUnion('type', [
  /** Loaded, and ready to be called. */
  z.object({ type: z.literal('opened') }),
  /** The loop asks for something; `what` is checked where it is answered. */
  z.object({ type: z.literal('ask'), id: z.int().nonnegative(), what: z.unknown() }),
  /** The loop has returned. */
  z.object({ type: z.literal('returned') }),
  /** It has thrown, or could not be loaded. */
  z.object({ type: z.literal('threw'), error: plainError }),
  /** The GPU device is gone. */
  z.object({ type: z.literal('lost'), reason: shortText }),
]);
export type FromLoopThread = Readonly<z.infer<typeof fromLoopThread>>;

export function isLoopStart(message: unknown): message is LoopStart {
  return (message as { readonly type?: unknown } | null)?.type === 'startLoop';
}
