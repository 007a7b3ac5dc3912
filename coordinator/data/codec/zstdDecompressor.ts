// Zstandard piece by piece: the reference decoder as WebAssembly, on every version of Node. Decoders written in JavaScript
// have gone on for ever over damaged frames. Node's own (22.15 and later) leaves out all frames but the first, and takes one
// that is cut off for a whole one. https://www.rfc-editor.org/rfc/rfc8878

import { ZSTDDecoder } from 'zstddec/stream';

/** As the library does in C: what one call takes and gives at most. */
const INPUT_BYTES = 128 * 1024;
const OUTPUT_BYTES = 128 * 1024;
/** ZSTD_inBuffer and ZSTD_outBuffer: address, size and position, 32 bits each. */
const BUFFER_STRUCT_BYTES = 12;
/** ZSTD_error_maxCode: sizes from here to 2^32 are codes of errors. https://github.com/facebook/zstd/blob/dev/lib/zstd_errors.h */
const MAX_ERROR_CODE = 120;
const reasons: Readonly<Record<number, string>> = {
  10: 'there is no frame where one should begin',
  14: 'a frame with what this decoder does not know',
  16: 'a frame that needs more than 128 MiB to be decompressed',
  20: 'a damaged block',
  22: 'the checksum of a frame differs from its content',
  30: 'a damaged dictionary',
  32: 'a frame that needs a dictionary',
  64: 'there is no memory for a frame',
  72: 'a frame or block of another length than its header says',
};

/** Not exported by the package: taken from what it hands to its own start. */
interface ZstdExports {
  readonly memory: WebAssembly.Memory;
  malloc(bytes: number): number;
  ZSTD_createDCtx(): number;
  ZSTD_decompressStream(context: number, output: number, input: number): number;
}

class ModuleCapture extends ZSTDDecoder {
  module: WebAssembly.Module | undefined;

  // Called without `this` by the package.
  override _init = (result: WebAssembly.WebAssemblyInstantiatedSource): void => {
    this.module = result.module;
  };
}

const capture = new ModuleCapture();
await capture.init();
const compiled = capture.module!;

/**
 * Frames that follow one another. Each decompressor has memory of its own, which goes with it: 16 MiB of addresses, of which
 * it uses some 400 KiB, and the window that a frame asks for, at most the 128 MiB of the library.
 */
export class ZstdDecompressor {
  readonly #wasm: ZstdExports;
  readonly #context: number;
  readonly #inputAt: number;
  readonly #outputAt: number;
  readonly #structsAt: number;
  /** Zero where a frame ended. */
  #wanted = 1;

  constructor() {
    const environment = { emscripten_notify_memory_growth: () => {} };
    const { exports } = new WebAssembly.Instance(compiled, { env: environment });
    this.#wasm = exports as unknown as ZstdExports;
    this.#context = this.#wasm.ZSTD_createDCtx();
    this.#inputAt = this.#wasm.malloc(INPUT_BYTES);
    this.#outputAt = this.#wasm.malloc(OUTPUT_BYTES);
    this.#structsAt = this.#wasm.malloc(2 * BUFFER_STRUCT_BYTES);
  }

  /** Bytes that this decompressor holds. */
  get heldBytes(): number {
    return this.#wasm.memory.buffer.byteLength;
  }

  /**
   * Views of at most 128 KiB, each good until the next is asked for; decompresses no further than they are taken.
   * @throws Error for what is no Zstandard; nothing more can be pushed then.
   */
  *push(piece: Uint8Array): Generator<Uint8Array> {
    for (let start = 0; start < piece.length; start += INPUT_BYTES) {
      yield* this.#pushPart(piece.subarray(start, start + INPUT_BYTES));
    }
  }

  /** @throws Error when the last frame is cut off, or there was none. */
  end(): void {
    if (this.#wanted !== 0) throw new Error('it is cut off');
  }

  *#pushPart(part: Uint8Array): Generator<Uint8Array> {
    const { memory } = this.#wasm;
    new Uint8Array(memory.buffer, this.#inputAt).set(part);
    for (let taken = 0, isFull = true; taken < part.length || (isFull && this.#wanted !== 0);) {
      const step = this.#step(part.length, taken);
      if (step.taken === taken && step.given === 0 && taken < part.length) throw new Error(reasons[20]);
      taken = step.taken;
      isFull = step.given === OUTPUT_BYTES;
      if (step.given > 0) yield new Uint8Array(memory.buffer, this.#outputAt, step.given);
    }
  }

  #step(size: number, taken: number): { taken: number; given: number } {
    const { memory } = this.#wasm;
    const input = this.#structsAt;
    const output = input + BUFFER_STRUCT_BYTES;
    const structs = new Uint32Array(memory.buffer, input, (2 * BUFFER_STRUCT_BYTES) / 4);
    structs.set([this.#inputAt, size, taken, this.#outputAt, OUTPUT_BYTES, 0]);
    const answer = this.#wasm.ZSTD_decompressStream(this.#context, output, input);
    if (answer < 0 && answer >= -MAX_ERROR_CODE)
      throw new Error(reasons[-answer] ?? `error ${-answer} of zstd`);
    this.#wanted = answer;
    // The memory may have grown, which takes the buffer from views of before.
    const after = new Uint32Array(memory.buffer, input, (2 * BUFFER_STRUCT_BYTES) / 4);
    return { taken: after[2]!, given: after[5]! };
  }
}
