// Files in a zip, stored as they are: what was trained does not become smaller (APPNOTE.TXT, sections 4.3 and 4.4).

export interface ZippedFile {
  /** With slashes between folders. */
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const VERSION = 20;
/** Names are UTF-8. */
const FLAGS = 0x0800;
/** 1 January 1980, the first that the format has: the same files are always the same zip. */
const DATE = 0x0021;
const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
/** Sizes and places have 32 bits. */
const MAX_BYTES = 0xffffffff;

type Field = readonly [bytes: 2 | 4, value: number];

/** The parts of the zip, for a Blob: files are not copied. @throws RangeError for 4 GiB and more. */
export function zipFiles(files: readonly ZippedFile[]): Uint8Array<ArrayBuffer>[] {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const directory: Uint8Array<ArrayBuffer>[] = [];
  let offset = 0;
  for (const { name, bytes } of files) {
    const encoded = new TextEncoder().encode(name);
    // What both headers of a file have after their first fields.
    const facts: Field[] = [
      [2, VERSION],
      [2, FLAGS],
      [2, 0],
      [2, 0],
      [2, DATE],
      [4, crc32(bytes)],
      [4, bytes.byteLength],
      [4, bytes.byteLength],
      [2, encoded.byteLength],
      [2, 0],
    ];
    const local = record(LOCAL_BYTES, encoded, [[4, 0x04034b50], ...facts]);
    directory.push(
      record(CENTRAL_BYTES, encoded, [
        [4, 0x02014b50],
        [2, VERSION],
        ...facts,
        [2, 0],
        [2, 0],
        [2, 0],
        [4, 0],
        [4, offset],
      ]),
    );
    parts.push(local, bytes);
    offset += local.byteLength + bytes.byteLength;
  }
  const directoryBytes = directory.reduce((sum, entry) => sum + entry.byteLength, 0);
  if (offset + directoryBytes > MAX_BYTES) throw new RangeError('The files are too large for a zip');
  const end = record(END_BYTES, new Uint8Array(), [
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, files.length],
    [2, files.length],
    [4, directoryBytes],
    [4, offset],
    [2, 0],
  ]);
  return [...parts, ...directory, end];
}

/** Numbers of so many bytes each, little-endian, and a name. */
function record(sizeBytes: number, name: Uint8Array, fields: readonly Field[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeBytes + name.byteLength);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [width, value] of fields) {
    if (width === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += width;
  }
  bytes.set(name, sizeBytes);
  return bytes;
}

const POLYNOMIAL = 0xedb88320;
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
});

/** Of ISO 3309, as zip has it. */
export function crc32(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (let at = 0; at < bytes.length; at += 1) sum = table[(sum ^ bytes[at]!) & 0xff]! ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}
