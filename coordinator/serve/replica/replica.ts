// What a replica is to the router: something that takes calls and may end at any time.

import type { LayersFacts } from '../../../shared/serve/layersNet.ts';

/** What can be asked of a replica. */
export type ReplicaOp =
  /** args: [name of the method, its arguments]. */
  | 'method'
  /** args: [body] for a model, [RequestParts] for a class; gives WireAnswer, or a string that is JSON. */
  | 'http'
  /** args: [body, bytes of its JSON header]; gives InferAnswer. Models alone. */
  | 'infer'
  /** args: [body] of KServe's V1 protocol; gives a string that is JSON. Models alone. */
  | 'predict'
  /** args: rows as the model takes them: columns and their length for trees, NetRows for nets. Models alone, to check others. */
  | 'rows'
  /** Tests the real path: a prediction, or the class's own checkHealth. */
  | 'health';

/** A body travels as text, or in shared memory when it is large or binary: neither is copied again for a retry. */
export type Body = string | Uint8Array;

/** Called once for each call: with the error, or with undefined and the value. */
export type Done = (error: unknown, value: unknown) => void;

export interface Replica {
  readonly id: string;
  /** Resolves when it can take calls; rejects when its program can't be made. */
  readonly ready: Promise<void>;
  /** Resolves with how it ended. All calls in its hands have failed with ReplicaLostError by then. */
  readonly ended: Promise<string>;
  /** Resolves with the reason when it should take no more calls, and end once it has answered those in its hands. */
  readonly leaving?: Promise<string>;
  /** Why it is not ready yet, where that is known. */
  readonly waitsFor?: string | undefined;
  /** Worker of the pool that it runs on, where it does and one is known. */
  readonly workerId?: string | undefined;
  /** @returns a number to cancel by. `done` is never called before this returns. */
  call(op: ReplicaOp, args: readonly unknown[], done: Done): number;
  /** Tells the program that the caller has gone. */
  cancel(call: number): void;
  /** Ends it at once. */
  kill(reason: string): Promise<void>;
}

/** What runs inside a replica. */
export interface ReplicaProgram {
  /** What a tf.LayersModel takes and gives. */
  readonly facts?: LayersFacts;
  run(op: ReplicaOp, args: readonly unknown[], signal: AbortSignal | undefined): unknown;
  /** Gives back what it holds on a device. */
  close?(): Promise<void>;
}
