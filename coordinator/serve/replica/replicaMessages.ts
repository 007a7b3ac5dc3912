// What a replica's thread and the server's say to each other. Both ends are of one version and one machine, so that
// these are plain values, unlike the messages of the wire.

import { TabgradError, errorCodes, type ErrorCode, type ErrorPlace } from '../../../kernels/errors.ts';
import { OwnerCodeError } from '../request/serveErrors.ts';
import type { StreamHead } from '../stream/answerStream.ts';
import type { ReplicaOp } from './replica.ts';
import type { LayersFiles } from '../../../shared/neural/model/layersFiles.ts';
import type { LayersFacts } from '../../../shared/serve/layersNet.ts';
import type { LayersOptions, TreeOptions } from './predictorOptions.ts';

/** What a thread is started with. */
export type ThreadProgram =
  | { readonly kind: 'tree'; readonly modelText: string; readonly options: TreeOptions }
  | { readonly kind: 'layers'; readonly files: LayersFiles; readonly options: LayersOptions }
  | {
      readonly kind: 'module';
      readonly deployment: string;
      /** file: address. */
      readonly module: string;
      readonly exportName: string;
      readonly args: readonly unknown[];
    };

/** An error on its way between threads, where classes are lost. */
export interface PlainError {
  readonly code: ErrorCode | undefined;
  readonly message: string;
  readonly place: ErrorPlace;
  readonly status?: number | undefined;
  readonly stack?: string | undefined;
}

/** [call, op, arguments] */
export type CallItem = readonly [number, ReplicaOp, readonly unknown[]];
/** [call, error, value] */
export type ReplyItem = readonly [number, PlainError | undefined, unknown];

/** From the side that makes the pieces of an answer. `call` is the number of the call or handle call that it answers. */
export type PieceMessage =
  | { readonly type: 'stream'; readonly call: number; readonly head: StreamHead | undefined }
  | { readonly type: 'piece'; readonly call: number; readonly value: unknown }
  | { readonly type: 'streamEnd'; readonly call: number; readonly error: PlainError | undefined };

/** To the side that makes the pieces. */
export type PieceRequest =
  | { readonly type: 'morePieces'; readonly call: number; readonly count: number }
  | { readonly type: 'endPieces'; readonly call: number };

/** Pieces that go to a replica answer its handle calls. */
export type ToReplica =
  | { readonly type: 'calls'; readonly items: readonly CallItem[] }
  | { readonly type: 'cancel'; readonly call: number }
  /** To end by itself, once nothing is in hand. */
  | { readonly type: 'end' }
  | { readonly type: 'handleReply'; readonly reply: ReplyItem }
  | PieceMessage
  | PieceRequest;

export type FromReplica =
  /** With what a tf.LayersModel takes and gives. */
  | { readonly type: 'ready'; readonly facts: LayersFacts | undefined }
  | { readonly type: 'failed'; readonly error: PlainError }
  | { readonly type: 'replies'; readonly items: readonly ReplyItem[] }
  | {
      readonly type: 'handleCall';
      readonly call: number;
      readonly deployment: string;
      readonly method: string;
      readonly args: readonly unknown[];
    }
  | PieceMessage
  | PieceRequest;

/** A tabgrad error that crossed a thread: its code, message and place are what they were. */
class CrossedError extends TabgradError {
  readonly code: ErrorCode;

  constructor({ code, message, place }: PlainError, options?: ErrorOptions) {
    super(message, place, options);
    this.code = code ?? 'INTERNAL';
  }
}

export function toPlainError(error: unknown): PlainError {
  if (error instanceof TabgradError) {
    const cause = error.cause instanceof Error ? error.cause.stack : undefined;
    return {
      code: error.code,
      message: error.message,
      place: error.place,
      status: error instanceof OwnerCodeError ? error.status : undefined,
      stack: cause,
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: undefined, message, place: {}, stack: error instanceof Error ? error.stack : undefined };
}

export function fromPlainError(plain: PlainError): Error {
  const cause = plain.stack === undefined ? undefined : Object.assign(new Error(), { stack: plain.stack });
  const options = cause && { cause };
  if (plain.code === 'SERVE_CODE_FAILED')
    return new OwnerCodeError(plain.message, { ...options, status: plain.status });
  if (plain.code !== undefined && Object.hasOwn(errorCodes, plain.code))
    return new CrossedError(plain, options);
  return new Error(plain.message, options);
}
