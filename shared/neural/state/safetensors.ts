// Hugging Face's safetensors: an 8-byte length, a JSON header that says name, type, shape and place of each tensor, then
// the bytes. Nothing in it can run. Read as strictly as the format's own reader: no hole, no overlap, no byte left over.
// https://github.com/huggingface/safetensors#format

import { z } from 'zod';
import { WeightsMismatchError } from '../graph/modelErrors.ts';
import { bytesUnder } from '../../../kernels/bytesUnder.ts';

/** The format's own bound. */
const MAX_HEADER_BYTES = 100_000_000;
const LENGTH_BYTES = 8;

export interface Tensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface TensorFile {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

const whole = z.number().int().nonnegative();
const header = z.record(
  z.string(),
  z.union([
    z.object({ dtype: z.string(), shape: z.array(whole).max(16), data_offsets: z.tuple([whole, whole]) }),
    z.record(z.string(), z.string()),
  ]),
);

/** Equal files for equal contents: tensors are written in the order of the map. */
export function encodeTensors({ tensors, metadata }: TensorFile): Uint8Array<ArrayBuffer> {
  const entries: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, { shape, values }] of tensors) {
    const end = offset + values.byteLength;
    entries[name] = { dtype: 'F32', shape, data_offsets: [offset, end] };
    offset = end;
  }
  const text = new TextEncoder().encode(JSON.stringify(entries));
  // Spaces, so that the tensors begin at a multiple of eight.
  const headerBytes = Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(LENGTH_BYTES + headerBytes + offset).fill(0x20, LENGTH_BYTES);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
  file.set(text, LENGTH_BYTES);
  let at = LENGTH_BYTES + headerBytes;
  for (const { values } of tensors.values()) {
    file.set(bytesUnder(values), at);
    at += values.byteLength;
  }
  return file;
}

/**
 * @param what the file, for messages. Tensors may be views of `bytes`.
 * @throws WeightsMismatchError naming the tensor, what was expected and what is there.
 */
export function decodeTensors(bytes: Uint8Array, what: string): TensorFile {
  const refuse = (wrong: string, tensor?: string): never => {
    throw new WeightsMismatchError(`${what}: ${wrong}`, tensor === undefined ? {} : { field: tensor });
  };
  if (bytes.length < LENGTH_BYTES) refuse(`has ${bytes.length} bytes; expected a header of at least 8`);
  const headerBytes = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (headerBytes > MAX_HEADER_BYTES || headerBytes > bytes.length - LENGTH_BYTES) {
    refuse(`is cut short: its header has ${headerBytes} bytes, the file ${bytes.length}`);
  }
  const entries = parseHeader(bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + headerBytes), refuse);
  const start = LENGTH_BYTES + headerBytes;
  const tensors = new Map<string, Tensor>();
  let metadata: Record<string, string> = {};
  let expected = 0;
  for (const [name, entry] of entries) {
    if (name === '__metadata__') {
      metadata = entry as Record<string, string>;
      continue;
    }
    const {
      dtype,
      shape,
      data_offsets: offsets,
    } = entry as {
      dtype?: unknown;
      shape: number[];
      data_offsets: [number, number];
    };
    if (dtype !== 'F32') refuse(`tensor "${name}" is of type ${String(dtype)}; expected F32`, name);
    const sizeBytes = shape.reduce((product, dimension) => product * dimension, 4);
    if (offsets[0] !== expected || offsets[1] - offsets[0] !== sizeBytes) {
      refuse(
        `tensor "${name}" lies at ${offsets.join('..')}; expected ${expected}..${expected + sizeBytes}`,
        name,
      );
    }
    expected = offsets[1];
    if (start + expected > bytes.length) {
      refuse(
        `is cut short in tensor "${name}": it ends at byte ${start + expected} of ${bytes.length}`,
        name,
      );
    }
    tensors.set(name, { shape, values: floats(bytes, start + offsets[0], sizeBytes / 4) });
  }
  if (start + expected !== bytes.length) {
    refuse(`has ${bytes.length - start} bytes of tensors; its header names ${expected}`);
  }
  return { tensors, metadata };
}

function parseHeader(bytes: Uint8Array, refuse: (wrong: string) => never): [string, unknown][] {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return refuse('is no safetensors file: its header is no JSON');
  }
  const parsed = header.safeParse(value);
  if (!parsed.success)
    return refuse(`has a header of unknown form at ${parsed.error.issues[0]?.path.join('.')}`);
  const offset = (entry: unknown): number => (entry as { data_offsets?: number[] }).data_offsets?.[0] ?? -1;
  return Object.entries(parsed.data).sort(([, a], [, b]) => offset(a) - offset(b));
}

/** Little-endian floats; a view where the place allows it. */
function floats(bytes: Uint8Array, at: number, length: number): Float32Array {
  const start = bytes.byteOffset + at;
  if (start % 4 === 0) return new Float32Array(bytes.buffer, start, length);
  return new Float32Array(bytes.slice(at, at + 4 * length).buffer);
}
