// What a worker's main thread and the thread of a program say to each other. Both are of one version and one process, so
// that these are plain values; the frames among them are the wire's.

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

export type ToThread =
  | ThreadStart
  | { readonly type: 'frame'; readonly frame: ArrayBuffer }
  | { readonly type: 'share'; readonly share: number }
  /** To end by itself, once nothing is in hand. */
  | { readonly type: 'end' };

/** The thread's end of the port between the two. What it posts are frames, and it gives their memory away. */
export interface ThreadPort {
  post(frame: ArrayBuffer): void;
  onMessage(receive: (message: ToThread) => void): void;
  /** Ends the thread from inside. */
  end(): void;
}

/** The thread as the main thread has it. */
export interface ProgramThread {
  post(message: ToThread, transfer: readonly ArrayBuffer[]): void;
  /** Resolves with how it ended, by itself or terminated. Never rejects. */
  readonly ended: Promise<string>;
  terminate(): void;
}

export type OpenProgramThread = (onFrame: (frame: ArrayBuffer) => void) => ProgramThread;
