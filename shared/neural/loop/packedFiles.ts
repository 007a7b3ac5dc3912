// A few named files as one array of bytes, for a checkpoint on its way between members and to the coordinator.
//
//   u32 header length | header: {"name": byte length, …} | the files one after another

import { z } from 'zod';
import { TabgradError } from '../../../kernels/errors.ts';

export type PackedFiles = ReadonlyMap<string, Uint8Array>;

/** Bytes that should be a checkpoint and are not one. */
class PackedFilesError extends TabgradError {
  readonly code = 'CHECKPOINT_INVALID';
}

const LENGTH_BYTES = 4;
/** Names become files of the owner's. */
const header = z.record(z.string().regex(/^[a-z][a-z0-9.]{0,63}$/), z.number().int().nonnegative());

export function packFiles(files: PackedFiles): Uint8Array<ArrayBuffer> {
  const lengths = Object.fromEntries([...files].map(([name, bytes]) => [name, bytes.byteLength]));
  const head = new TextEncoder().encode(JSON.stringify(header.parse(lengths)));
  const size = [...files.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  const packed = new Uint8Array(LENGTH_BYTES + head.byteLength + size);
  new DataView(packed.buffer).setUint32(0, head.byteLength, true);
  packed.set(head, LENGTH_BYTES);
  let at = LENGTH_BYTES + head.byteLength;
  for (const bytes of files.values()) {
    packed.set(bytes, at);
    at += bytes.byteLength;
  }
  return packed;
}

/** Views of `packed`. @throws PackedFilesError */
export function unpackFiles(packed: Uint8Array): PackedFiles {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const headBytes = packed.byteLength < LENGTH_BYTES ? Infinity : view.getUint32(0, true);
  let at = LENGTH_BYTES + headBytes;
  if (at > packed.byteLength) throw new PackedFilesError('a packed checkpoint ends within its header');
  const files = new Map<string, Uint8Array>();
  for (const [name, length] of Object.entries(readHeader(packed.subarray(LENGTH_BYTES, at)))) {
    files.set(name, packed.subarray(at, at + length));
    at += length;
  }
  if (at !== packed.byteLength) {
    throw new PackedFilesError(`a packed checkpoint has ${packed.byteLength} bytes; its header says ${at}`);
  }
  return files;
}

function readHeader(bytes: Uint8Array): Record<string, number> {
  try {
    return header.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new PackedFilesError('the header of a packed checkpoint is not understood', {}, { cause });
  }
}
