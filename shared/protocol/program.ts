// The conversation with a program: the owner's code, opened on a worker, called and closed. It has a socket of its own,
// one an instance, so that bulk never stands in the way of control: when the socket is gone, so is the instance.
// Each message is one binary frame (shared/program/programFrame.ts): what is defined here, and a value with its bytes.

import { z } from 'zod';

/** Path of the sockets: a worker dials it when the coordinator asks it to. */
export const PROGRAM_PATH = '/programs';
/** What the bundle is called in positions of errors, on every platform. */
export const PROGRAM_FILE = 'tabgrad-program.js';
/** Largest frame: a batch of rows, an HTTP body. Both ends hold a few of them in memory. */
export const MAX_PROGRAM_FRAME_BYTES = 64 * 1024 * 1024;

const id = z.string().min(1).max(128);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().nonnegative();
const callNumber = z.number().int().positive();

/** First thing on the socket, as text: whose end this is. */
export const programJoin = z.object({
  type: z.literal('join'),
  workerId: id,
  /** The secret of the welcome. */
  secret: z.string().max(128),
  instanceId: id,
});

const carriedFile = z.object({
  /** Path below the checkpoint's folder, with "/". */
  name: z.string().min(1).max(500),
  sha256,
  sizeBytes: count,
});

const programSource = z.discriminatedUnion('kind', [
  /** The owner's module with its imports, one ES module. */
  z.object({
    kind: z.literal('module'),
    bundle: sha256,
    sizeBytes: count,
    export: z.string().min(1).max(200),
  }),
  /** A program that every worker has. */
  z.object({ kind: z.literal('builtin'), name: z.string().min(1).max(100) }),
]);

const codeError = z.object({
  /** One of errorCodes where tabgrad threw it. */
  code: z.string().max(64).optional(),
  name: z.string().max(100),
  message: z.string().max(4000),
  /** Positions in the bundle; the bundle's source map, which stays with the owner, has those in the sources. */
  stack: z.string().max(16_000).optional(),
});

/** Messages to a program. */
export const toProgram = z.discriminatedUnion('type', [
  /** The value: the constructor's arguments, an array. */
  z.object({
    type: z.literal('open'),
    program: programSource,
    /** How its calls look: one of the forms that workers know. */
    form: z.string().max(40),
    checkpoints: z.array(z.array(carriedFile).max(1024)).max(64),
  }),
  /** The value: the arguments, an array. */
  z.object({ type: z.literal('call'), call: callNumber, method: z.string().min(1).max(200) }),
  /** The caller does not wait for the answer any more. */
  z.object({ type: z.literal('cancel'), call: callNumber }),
]);

/** Messages from a program. */
export const fromProgram = z.discriminatedUnion('type', [
  /** Constructed: calls may come. */
  z.object({ type: z.literal('opened') }),
  /** It can't be opened here; the socket closes. */
  z.object({ type: z.literal('failed'), error: codeError }),
  /** The value: the answer. */
  z.object({ type: z.literal('answer'), call: callNumber, computeMs: z.number().nonnegative() }),
  z.object({ type: z.literal('threw'), call: callNumber, error: codeError }),
]);

export type CarriedFile = z.infer<typeof carriedFile>;
export type CodeError = z.infer<typeof codeError>;
export type ProgramJoin = z.infer<typeof programJoin>;
export type ToProgram = z.infer<typeof toProgram>;
export type FromProgram = z.infer<typeof fromProgram>;
export type OpenProgram = Extract<ToProgram, { type: 'open' }>;
