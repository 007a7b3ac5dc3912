// WebAssembly modules as scripts/wasm.mjs writes them down, and whether this engine can run them.

export interface CompiledModule {
  readonly base64: string;
  /** Byte that says whether the memory is shared between threads. */
  readonly memoryFlagsAt: number;
}

/** A function of one instruction, i8x16.popcnt, the latest of those that the kernels use to enter the standard. */
const simdProbe = bytesOf('AGFzbQEAAAABBQFgAAF7AwIBAAoKAQgAQQD9D/1iCw==');

/** Whether the engine has WebAssembly with SIMD of 128 bits. */
export function hasSimd(): boolean {
  return typeof WebAssembly === 'object' && WebAssembly.validate(simdProbe);
}

/** @param isShared whether its memory is shared between threads. */
export function moduleBytes(
  { base64, memoryFlagsAt }: CompiledModule,
  isShared: boolean,
): Uint8Array<ArrayBuffer> {
  const bytes = bytesOf(base64);
  bytes[memoryFlagsAt] = isShared ? 3 : 1;
  return bytes;
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
