// Zstandard frames by hand. https://www.rfc-editor.org/rfc/rfc8878

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
const blockTypes = { raw: 0, rle: 1, packed: 2 } as const;

export interface Block {
  readonly type: keyof typeof blockTypes;
  /** Of the content where it is repeated, of what follows the header otherwise. */
  readonly size: number;
  readonly bytes: readonly number[];
}

export const raw = (text: string): Block => ({ type: 'raw', size: text.length, bytes: ascii(text) });
export const repeated = (char: string, size: number): Block => ({ type: 'rle', size, bytes: ascii(char) });

/** A frame that does not tell its length, with a window of 2^`windowLog` bytes. */
export function frame(blocks: readonly Block[], windowLog = 17): Uint8Array {
  return Uint8Array.from([...MAGIC, 0, (windowLog - 10) << 3, ...blocks.flatMap(blockBytes)]);
}

/** A frame that says in one byte how long its content is. */
export function frameOf(contentBytes: number, blocks: readonly Block[]): Uint8Array {
  return Uint8Array.from([...MAGIC, 0x20, contentBytes, ...blocks.flatMap(blockBytes)]);
}

export function skippable(bytes: readonly number[]): Uint8Array {
  return Uint8Array.from([0x50, 0x2a, 0x4d, 0x18, bytes.length, 0, 0, 0, ...bytes]);
}

/**
 * Eight literals whose Huffman weights are coded by an FSE table of one symbol: each takes no bits of the stream, so that
 * decoders which read weights until it is empty never end.
 */
export function endlessWeights(): Uint8Array {
  // Accuracy 5 (four bits of 0), then the count 32 of symbol 0 (six bits of 1); two states of five bits and the end mark.
  const tree = [0xf0, 0x03, 0x00, 0x04];
  const stream = [0x01];
  const packedBytes = 1 + tree.length + stream.length;
  const literals = blockTypes.packed | (8 << 4) | (packedBytes << 14);
  const bytes = [...littleEndian(literals, 3), tree.length, ...tree, ...stream, 0];
  return frameOf(8, [{ type: 'packed', size: bytes.length, bytes }]);
}

export function concatenated(...frames: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(frames.flatMap((one) => [...one]));
}

function blockBytes({ type, size, bytes }: Block, index: number, all: readonly Block[]): number[] {
  const isLast = index === all.length - 1;
  return [...littleEndian(Number(isLast) | (blockTypes[type] << 1) | (size << 3), 3), ...bytes];
}

function littleEndian(value: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => (value >> (8 * i)) & 255);
}

function ascii(text: string): number[] {
  return [...new TextEncoder().encode(text)];
}
