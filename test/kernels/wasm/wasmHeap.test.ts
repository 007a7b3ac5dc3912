import { describe, expect, it } from 'vitest';
import { WasmHeap } from '../../../kernels/wasm/wasmHeap.ts';
import { seededNumbers } from '../seededNumbers.ts';

const PAGE = 65_536;

function heapOf(mostPages: number): WasmHeap {
  return new WasmHeap(new WebAssembly.Memory({ initial: 1, maximum: mostPages }), 1000, mostPages);
}

describe('the heap of a WebAssembly module', () => {
  it('hands out pieces that do not touch one another nor what the module uses, on cache lines of their own', () => {
    const heap = heapOf(64);
    const random = seededNumbers(3);
    const held: { at: number; bytes: number; mark: number }[] = [];
    for (let step = 0; step < 2000; step += 1) {
      if (held.length > 0 && random.next() < 0.45) {
        const [piece] = held.splice(random.below(held.length), 1);
        expect(heap.view('u8', piece!.at, piece!.bytes).every((byte) => byte === piece!.mark)).toBe(true);
        heap.free(piece!);
        continue;
      }
      const mark = step % 251;
      const piece = heap.allocate(random.below(5000));
      expect(piece.at % 64).toBe(0);
      expect(piece.at).toBeGreaterThanOrEqual(1000);
      heap.view('u8', piece.at, piece.bytes).fill(mark);
      held.push({ ...piece, mark });
    }
    for (const { at, bytes, mark } of held)
      expect(heap.view('u8', at, bytes).every((byte) => byte === mark)).toBe(true);
    for (const piece of held) heap.free(piece);
    expect(heap.liveBytes).toBe(0);
    // All gaps are one again.
    const { byteLength } = heap.memory.buffer;
    heap.allocate(byteLength - 1024);
    expect(heap.memory.buffer.byteLength).toBe(byteLength);
  });

  it('grows as far as it may, and says how far that is', () => {
    const heap = heapOf(4);
    const piece = heap.allocate(2 * PAGE);
    expect(() => heap.allocate(2 * PAGE)).toThrow(
      expect.objectContaining({
        code: 'DEVICE_FAILED',
        message: expect.stringMatching(/does not grow/) as string,
      }) as Error,
    );
    heap.free(piece);
    expect(heap.allocate(2 * PAGE).at).toBe(piece.at);
  });
});
