// What a worker's main thread says to the thread of a program; what that answers are the wire's frames.

import type { EndThread } from '../thread/threadPort.ts';

export interface ThreadStart {
  readonly type: 'start';
  /** The open frame as it came. */
  readonly frame: ArrayBuffer;
  /** Text of the owner's bundle; none for a built-in program. */
  readonly source: string | undefined;
  /** The files of each checkpoint, in the order of the open message. */
  readonly checkpoints: readonly (readonly { readonly name: string; readonly bytes: Uint8Array }[])[];
  /** Share of the time that the program may compute, in (0, 1]. */
  readonly share: number;
}

export type ToProgramThread =
  | ThreadStart
  | EndThread
  | { readonly type: 'frame'; readonly frame: ArrayBuffer }
  | { readonly type: 'share'; readonly share: number };
