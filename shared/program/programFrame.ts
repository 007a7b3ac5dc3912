// A frame of the conversation with a program: a message and a value in JSON, then the bytes of the value's arrays.
//
//   u32 header length | header: {"message", "value", "buffers": [lengths]} | padding to 8 | bytes, each padded to 8
//
// Little-endian. The padding lets a receiver look at arrays where they lie, without a copy.

import { z } from 'zod';
import { TabgradError } from '../../kernels/errors.ts';
import { MAX_PROGRAM_FRAME_BYTES } from '../protocol/program.ts';
import { decodeValue, encodeValue, type CarriedObjects, type EncodedValue } from './values.ts';

/** A frame that does not decode, or is larger than accepted. */
export class ProgramFrameError extends TabgradError {
  readonly code = 'PROGRAM_FRAME_INVALID';
}

export interface DecodedFrame<Message> {
  readonly message: Message;
  readonly encoded: EncodedValue;
}

const ALIGNMENT = 8;
const LENGTH_BYTES = 4;
const header = z.object({
  message: z.unknown(),
  value: z.unknown(),
  buffers: z.array(z.number().int().nonnegative()).max(65_536),
});

/**
 * @param where names the value in messages.
 * @throws ValueNotPlainError; ProgramFrameError when it would be larger than a frame may be.
 */
export function encodeProgramFrame(
  message: object,
  value: unknown,
  where: string,
  objects: CarriedObjects = {},
): Uint8Array<ArrayBuffer> {
  const { json, buffers } = encodeValue(value, where, objects);
  const text = JSON.stringify({ message, value: json, buffers: buffers.map(({ byteLength }) => byteLength) });
  const head = new TextEncoder().encode(text);
  const start = padded(LENGTH_BYTES + head.byteLength);
  const sizeBytes = buffers.reduce((sum, { byteLength }) => sum + padded(byteLength), start);
  if (sizeBytes > MAX_PROGRAM_FRAME_BYTES) {
    throw new ProgramFrameError(
      `${where} takes ${sizeBytes} bytes, a call of a program takes ${MAX_PROGRAM_FRAME_BYTES}; send less at a time.`,
      { field: where },
    );
  }
  const frame = new Uint8Array(sizeBytes);
  new DataView(frame.buffer).setUint32(0, head.byteLength, true);
  frame.set(head, LENGTH_BYTES);
  let at = start;
  for (const bytes of buffers) {
    frame.set(bytes, at);
    at += padded(bytes.byteLength);
  }
  return frame;
}

/** @throws ProgramFrameError when it is not of the form that `schema` and this format ask for. */
export function decodeProgramFrame<Message>(
  frame: Uint8Array,
  schema: z.ZodType<Message>,
): DecodedFrame<Message> {
  if (frame.byteLength < LENGTH_BYTES) throw new ProgramFrameError(`A frame has ${frame.byteLength} bytes.`);
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const headLength = view.getUint32(0, true);
  if (headLength > frame.byteLength - LENGTH_BYTES) {
    throw new ProgramFrameError(
      `A header of ${headLength} bytes can't be in a frame of ${frame.byteLength}.`,
    );
  }
  const text = new TextDecoder().decode(frame.subarray(LENGTH_BYTES, LENGTH_BYTES + headLength));
  const { message, value, buffers: lengths } = checked(header, parseJson(text));
  const buffers: Uint8Array[] = [];
  let at = padded(LENGTH_BYTES + headLength);
  for (const length of lengths) {
    if (at + length > frame.byteLength) {
      throw new ProgramFrameError(`A frame of ${frame.byteLength} bytes ends within its arrays.`);
    }
    buffers.push(frame.subarray(at, at + length));
    at += padded(length);
  }
  return { message: checked(schema, message), encoded: { json: value, buffers } };
}

/** The value of a frame. @throws ValueNotPlainError */
export function frameValue(frame: DecodedFrame<unknown>, objects: CarriedObjects = {}): unknown {
  return decodeValue(frame.encoded, objects);
}

function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new ProgramFrameError(
    `A frame is not understood: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unknown form'}`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ProgramFrameError('The header of a frame is not JSON.');
  }
}

function padded(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
