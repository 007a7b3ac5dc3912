// Memory of a program, planned ahead: values that are never needed at the same time share it. Largest first, each into
// the first piece that is free while it lives (Pisarchyk & Lee 2020, "greedy by size" over shared objects): WebGPU lets
// no kernel read and write one buffer at a time, so pieces are whole buffers and not offsets into one.

import type { Allocation, BufferView, ElementType, MemoryKind } from '../../../kernels/neural/program.ts';

/** A value of a microbatch, alive from one dispatch to another, both included. */
export interface Lifetime {
  readonly name: string;
  readonly bytes: number;
  readonly kind: MemoryKind;
  readonly type: ElementType;
  readonly first: number;
  readonly last: number;
}

interface Piece {
  readonly bytes: number;
  readonly kind: MemoryKind;
  readonly taken: { readonly first: number; readonly last: number }[];
}

const isFree = (piece: Piece, { first, last }: Lifetime): boolean =>
  piece.taken.every((other) => other.last < first || other.first > last);

export function planMemory(values: readonly Lifetime[]): {
  allocations: Allocation[];
  views: Record<string, BufferView>;
} {
  const pieces: Piece[] = [];
  const views: Record<string, BufferView> = {};
  for (const value of [...values].sort((a, b) => b.bytes - a.bytes || a.first - b.first)) {
    let place = pieces.findIndex((piece) => isFree(piece, value));
    if (place < 0) place = pieces.push({ bytes: value.bytes, kind: value.kind, taken: [] }) - 1;
    pieces[place]?.taken.push(value);
    views[value.name] = {
      allocation: `shared:${place}`,
      offsetBytes: 0,
      bytes: value.bytes,
      type: value.type,
    };
  }
  const allocations = pieces.map(({ bytes, kind }, place) => ({ name: `shared:${place}`, bytes, kind }));
  return { allocations, views };
}
