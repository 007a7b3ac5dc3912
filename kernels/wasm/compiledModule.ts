// WebAssembly modules as scripts/wasm.mjs writes them down, and whether this engine can run them.

export interface CompiledModule {
  readonly base64: string;
  /** Byte that says whether the memory is shared between threads. */
  readonly memoryFlagsAt: number;
}

/** A function of one instruction, i8x16.popcnt, the latest of those that the kernels use to enter the standard. */
const simdProbe = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0],
  ...[10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11],
);

/** Whether the engine has WebAssembly with SIMD of 128 bits. */
export function hasSimd(): boolean {
  return typeof WebAssembly === 'object' && WebAssembly.validate(simdProbe);
}

/** @param isShared whether its memory is shared between threads. */
export function compileModule(
  { base64, memoryFlagsAt }: CompiledModule,
  isShared: boolean,
): Promise<WebAssembly.Module> {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  bytes[memoryFlagsAt] = isShared ? 3 : 1;
  return WebAssembly.compile(bytes);
}
